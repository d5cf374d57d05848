#!/usr/bin/env python3
"""Records what GStreamer itself does in scenarios, as cases for `cargo xtask conform DIR`.

    scenarios.py check tests/vectors [--kind K]            does the recorder give what is recorded?
    scenarios.py make DIR --kind K [--seed 1] [--count 50] new cases

Kinds: states, latency, flow, queue, sink_sync, seek (format: tests/vectors/README.md). Every case
runs in a process of its own, several times; one that ever differs is dropped.
"""
import argparse, ctypes, json, os, queue as fifo, random, signal, subprocess, sys, tempfile, threading, time
os.environ["G_DEBUG"] = "fatal-criticals"  # what GStreamer answers with an assertion is no case
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstBase", "1.0"); gi.require_version("GstCheck", "1.0")
from gi.repository import Gst, GstBase, GstCheck, GObject
Gst.init(None)

NONE = 2**64 - 1
nul = lambda x: None if x in (NONE, -1) else x
un = lambda x: NONE if x is None else x
FLOW = {"ok": Gst.FlowReturn.OK, "not-linked": Gst.FlowReturn.NOT_LINKED, "flushing": Gst.FlowReturn.FLUSHING, "eos": Gst.FlowReturn.EOS, "not-negotiated": Gst.FlowReturn.NOT_NEGOTIATED,
        "error": Gst.FlowReturn.ERROR, "not-supported": Gst.FlowReturn.NOT_SUPPORTED, "custom-success": Gst.FlowReturn.CUSTOM_SUCCESS, "custom-error": Gst.FlowReturn.CUSTOM_ERROR}
FLOW_NAME = {int(v): k for k, v in FLOW.items()}
STATE = {"null": Gst.State.NULL, "ready": Gst.State.READY, "paused": Gst.State.PAUSED, "playing": Gst.State.PLAYING, "void": Gst.State.VOID_PENDING}
STATE_NAME = {int(v): k for k, v in STATE.items()}
RET = ["failure", "success", "async", "no-preroll"]
SEEK_FLAGS = {"flush": 1, "accurate": 2, "key-unit": 4, "segment": 8, "trickmode": 16, "snap-before": 32, "snap-after": 64, "trickmode-key-units": 128, "trickmode-no-audio": 256, "trickmode-forward-predicted": 512}
SEG_FLAGS = {"reset": 1, "trickmode": 16, "segment": 8, "trickmode-key-units": 128, "trickmode-no-audio": 256, "trickmode-forward-predicted": 512}
SEEK_TYPE = {"none": Gst.SeekType.NONE, "set": Gst.SeekType.SET, "end": Gst.SeekType.END}
flow = lambda r: FLOW_NAME[int(r)]
SHAKE = 0  # chance of a nap at a hook point

def nap():
    if SHAKE and random.random() < SHAKE: time.sleep(random.random() * .004)

# ---- the C half -----------------------------------------------------------------------------------

def library():
    here = os.path.dirname(os.path.abspath(__file__)); out = os.path.join(tempfile.gettempdir(), "libjudge-%d.so" % os.getuid())
    source = os.path.join(here, "judge.c")
    if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(source):
        flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "gstreamer-base-1.0"], text=True).split()
        subprocess.check_call(["gcc", "-shared", "-fPIC", "-O1", source, "-o", out] + flags)
    lib = ctypes.CDLL(out)
    for name in ("judge_noted", "judge_src", "judge_filter"): getattr(lib, name).restype = ctypes.c_size_t
    for name in ("judge_take_calls", "judge_sticky"): getattr(lib, name).restype = ctypes.c_char_p
    return lib

address = lambda o: ctypes.c_void_p(hash(o))
u64 = ctypes.c_uint64
LIB = None
KEEP = []  # what must outlive its case: an element that ends while it plays is an assertion

def noted(factory, name):
    LIB.judge_noted(factory.encode()); return GObject.new(GObject.type_from_name("Judge-" + factory), name=name)

# ---- at rest --------------------------------------------------------------------------------------

def threads():
    me, out = threading.get_native_id(), []
    for tid in os.listdir("/proc/self/task"):
        if int(tid) == me: continue
        try: text = open(f"/proc/self/task/{tid}/status").read()
        except OSError: continue
        field = lambda n: text.split(n + ":\t", 1)[1].split("\n", 1)[0]
        out.append((tid, field("State")[0], field("voluntary_ctxt_switches"), field("nonvoluntary_ctxt_switches")))
    return sorted(out)

def rest():
    """Until every other thread sleeps, and sleeps on."""
    same, last = 0, None
    while same < 3:
        time.sleep(.0015)
        now = threads()
        same = same + 1 if now == last and all(t[1] == "S" for t in now) else 0
        last = now

class Worker:
    """A streaming thread: does one thing at a time; what it has not done at rest blocks."""
    def __init__(self):
        self.todo, self.done, self.busy = fifo.SimpleQueue(), [], False
        threading.Thread(target=self.run, daemon=True).start()
    def run(self):
        while True:
            work = self.todo.get(); result = work(); self.done.append(result)
    def start(self, work): assert not self.busy; self.busy = True; self.todo.put(work)
    def take(self):
        if self.busy and self.done: self.busy = False; return self.done.pop(),
        return None

def aside(work):
    """Another thread, for what may come while the streaming thread waits."""
    out = []
    threading.Thread(target=lambda: out.append(work()), daemon=True).start()
    return out

# ---- words ------------------------------------------------------------------------------------------

def nick(bits, table): return [n for n, bit in table.items() if int(bits) & bit]

def seg_json(s):
    return {"format": "time" if s.format == Gst.Format.TIME else "bytes", "flags": nick(s.flags, SEG_FLAGS), "rate": s.rate, "applied_rate": s.applied_rate,
            "base": s.base, "offset": s.offset, "start": s.start, "stop": nul(s.stop), "time": nul(s.time), "position": nul(s.position), "duration": nul(s.duration)}

def seg(j):
    s = Gst.Segment(); s.init(Gst.Format.TIME if j["format"] == "time" else Gst.Format.BYTES)
    s.flags = Gst.SegmentFlags(sum(SEG_FLAGS[f] for f in j["flags"]))
    for k in ("rate", "applied_rate", "base", "offset", "start"): setattr(s, k, j[k])
    for k in ("stop", "time", "position", "duration"): setattr(s, k, un(j[k]))
    return s

def event(j):
    k, T = j["event"], Gst.EventType
    if k == "stream-start": return Gst.Event.new_stream_start(j["stream_id"])
    if k == "caps": return Gst.Event.new_caps(Gst.Caps.from_string(j["caps"]))
    if k == "segment": return Gst.Event.new_segment(seg(j["segment"]))
    if k == "gap": return Gst.Event.new_gap(j["pts"], un(j["duration"]))
    if k == "eos": return Gst.Event.new_eos()
    if k == "tag": return Gst.Event.new_tag(Gst.TagList.new_from_string(f'taglist, title=(string)"{j["title"]}"'))
    if k == "flush-start": return Gst.Event.new_flush_start()
    if k == "flush-stop": return Gst.Event.new_flush_stop(j["reset_time"])
    if k == "segment-done": return Gst.Event.new_segment_done(Gst.Format.TIME, j["position"])
    kind = {"custom": T.CUSTOM_DOWNSTREAM, "custom-sticky": T.CUSTOM_DOWNSTREAM_STICKY, "custom-oob": T.CUSTOM_DOWNSTREAM_OOB}[k]
    return Gst.Event.new_custom(kind, Gst.Structure.new_empty(j["name"]))

NAMES = {"custom-downstream": "custom", "custom-downstream-sticky": "custom-sticky", "custom-downstream-oob": "custom-oob"}
QOS = ["overflow", "underflow", "throttle"]

def event_json(e):
    k = Gst.EventType.get_name(e.type); k = NAMES.get(k, k); out = {"event": k}
    if k == "stream-start": out["stream_id"] = e.parse_stream_start()
    elif k == "caps": out["caps"] = e.parse_caps().to_string()
    elif k == "segment": out["segment"] = seg_json(e.parse_segment())
    elif k == "gap": out["pts"], d = e.parse_gap(); out["duration"] = nul(d)
    elif k == "tag": out["title"] = e.parse_tag().get_string("title")[1]
    elif k == "flush-stop": out["reset_time"] = e.parse_flush_stop()
    elif k == "segment-done": out["position"] = nul(e.parse_segment_done()[1])
    elif k.startswith("custom"): out["name"] = e.get_structure().get_name()
    elif k == "latency": out["latency"] = e.parse_latency()
    elif k == "qos":
        kind, proportion, diff, stamp = e.parse_qos()
        out |= {"type": QOS[int(kind)], "proportion": float("%.9g" % proportion), "diff": diff, "timestamp": nul(stamp)}
    return out

def buffer(j):
    b = Gst.Buffer.new_allocate(None, j["size"], None) if j.get("size") else Gst.Buffer.new()
    b.pts, b.dts, b.duration = (un(j.get(k)) for k in ("pts", "dts", "duration"))
    b.offset = j["id"]
    for f in j.get("flags", ()): b.set_flags({"discont": Gst.BufferFlags.DISCONT, "header": Gst.BufferFlags.HEADER, "delta-unit": Gst.BufferFlags.DELTA_UNIT}[f])
    return b

def buffer_json(b, key=None):
    out = {"buffer": b.offset if key is None else key}
    if b.has_flags(Gst.BufferFlags.DISCONT): out["discont"] = True
    return out

def message_json(m):
    T = Gst.MessageType
    if m.type == T.ASYNC_DONE: return {"message": "async-done", "running_time": nul(m.parse_async_done())}
    if m.type == T.EOS: return {"message": "eos"}
    if m.type == T.WARNING: return {"message": "warning"}
    if m.type == T.ERROR: return {"message": "error"}
    if m.type == T.SEGMENT_DONE: return {"message": "segment-done", "position": nul(m.parse_segment_done()[1])}
    if m.type == T.SEGMENT_START: return {"message": "segment-start", "position": nul(m.parse_segment_start()[1])}
    if m.type == T.QOS:
        live, running, stream, stamp, duration = m.parse_qos(); jitter, proportion, _ = m.parse_qos_values(); _, processed, dropped = m.parse_qos_stats()
        return {"message": "qos", "live": live, "running_time": nul(running), "stream_time": nul(stream), "timestamp": nul(stamp), "duration": nul(duration), "jitter": jitter,
                "proportion": float("%.9g" % proportion), "processed": processed, "dropped": dropped}
    return None

def on_bus(pipeline, see):
    def handler(bus, m, *_):
        see(m); return Gst.BusSyncReply.DROP
    pipeline.get_bus().set_sync_handler(handler)

class Clock:
    """A test clock whose waits end when their time has come."""
    def __init__(self, start): self.clock = GstCheck.TestClock.new_with_start_time(start)
    def settle(self):
        rest()
        while self.clock.peek_id_count() and self.clock.get_next_entry_time() <= self.clock.get_time():
            self.clock.process_next_clock_id(); rest()
    def wait(self): return nul(self.clock.get_next_entry_time()) if self.clock.peek_id_count() else None

def run_steps(steps, act):
    """`steps` is a list, or a generator that is told what came of each."""
    out, last = [], None
    walk = steps if hasattr(steps, "send") else iter(steps)
    while True:
        try: step = walk.send(last) if hasattr(walk, "send") else next(walk)
        except StopIteration: return out
        step = dict(step); got = act(step)
        last = step | got; out.append(last)

# ---- states ---------------------------------------------------------------------------------------

def transition(t): return STATE_NAME[t >> 3] + "->" + STATE_NAME[t & 7]

def play_states(case, steps):
    pipeline = Gst.Pipeline.new("pipeline"); clock = Clock(case["clock_start"]); pipeline.use_clock(clock.clock)
    made, messages = {"pipeline": pipeline}, []; KEEP.extend((pipeline, made))
    if case.get("fail"):
        a, b = case["fail"]["transition"].split("->"); LIB.judge_fail(case["fail"]["element"].encode(), int(STATE[a]) << 3 | int(STATE[b]))
    for e in case["elements"]:
        kind, name = e["type"], e["name"]
        if kind == "bin": it = Gst.Bin.new(name)
        else: it = noted({"src": "fakesrc", "sink": "fakesink"}.get(kind, kind), name)
        if kind == "src": it.set_property("num-buffers", e["num_buffers"]); it.set_property("is-live", e["live"])
        if kind == "sink": it.set_property("async", e["async"]); it.set_property("sync", e["sync"])
        made[name] = it; made[e.get("bin", "pipeline")].add(it)
    for e in case["elements"]:
        if e["type"] == "bin" and any(l[0] == e["name"] for l in case["links"]):
            made[e["name"]].add_pad(Gst.GhostPad.new("src", made["mid"].get_static_pad("src")))
    for a, b in case["links"]: assert made[a].link(made[b])
    def see(m):
        nap(); T = Gst.MessageType; name = m.src.get_name()
        if m.type == T.STATE_CHANGED: messages.append((name, "state " + " ".join(STATE_NAME[int(s)] for s in m.parse_state_changed())))
        elif m.type in (T.ASYNC_DONE, T.EOS, T.NEW_CLOCK, T.ERROR): messages.append((name, {T.ASYNC_DONE: "async-done", T.EOS: "eos", T.NEW_CLOCK: "new-clock", T.ERROR: "error"}[m.type]))
        elif m.type in (T.STREAM_START, T.LATENCY, T.WARNING):
            what = {T.STREAM_START: "stream-start", T.LATENCY: "latency", T.WARNING: "warning"}[m.type]; messages.append((name + "/" + what, what))
    on_bus(pipeline, see)
    def act(step):
        out = {}; messages.clear(); LIB.judge_take_calls()
        if step["op"] == "set_state": out["ret"] = RET[int(made[step["element"]].set_state(STATE[step["state"]]))]
        elif step["op"] == "set_locked": made[step["element"]].set_locked_state(step["locked"])
        elif step["op"] == "advance": clock.clock.set_time(step["to"])
        clock.settle()
        calls = [[n, transition(int(t)), RET[int(r)]] for n, t, r in (l.split() for l in LIB.judge_take_calls().decode().splitlines())]
        if calls: out["calls"] = calls
        if messages:
            out["messages"] = {}
            for name, text in messages: out["messages"].setdefault(name, []).append(text)
        ret, now, pending = pipeline.get_state(0)
        running = nul(pipeline.get_current_running_time()) if pipeline.get_clock() else None
        return out | {"after": [RET[int(ret)], STATE_NAME[int(now)], STATE_NAME[int(pending)]], "base_time": pipeline.get_base_time(), "start_time": nul(pipeline.get_start_time()), "running_time": running}
    return {"steps": run_steps(steps, act)}

# ---- latency --------------------------------------------------------------------------------------

def play_latency(case, steps):
    pipeline = Gst.Pipeline.new("pipeline"); clock = Clock(0); pipeline.use_clock(clock.clock)
    made, warnings = {}, []; KEEP.extend((pipeline, made))
    if case["pipeline_latency"] is not None: pipeline.set_latency(case["pipeline_latency"])
    for e in case["elements"]:
        kind, name = e["type"], e["name"]
        if kind == "src": LIB.judge_src(); it = GObject.new(GObject.type_from_name("JudgeSrc"), name=name); LIB.judge_src_latency(address(it), int(e["live"]), u64(un(e["min"])), u64(un(e["max"])))
        elif kind == "filter": LIB.judge_filter(); it = GObject.new(GObject.type_from_name("JudgeFilter"), name=name); LIB.judge_filter_latency(address(it), u64(un(e["add_min"])), u64(un(e["add_max"])))
        else:
            it = Gst.ElementFactory.make({"sink": "fakesink"}.get(kind, kind), name)
            for k, v in e.items():
                if k in ("name", "type"): continue
                Gst.util_set_object_arg(it, k, v) if isinstance(v, str) else it.set_property(k, v)
        made[name] = it; pipeline.add(it)
    for a, b in case["links"]: assert made[a].link(made[b])
    on_bus(pipeline, lambda m: warnings.append(1) if m.type == Gst.MessageType.WARNING else None)
    def ask(e):
        q = Gst.Query.new_latency(); ok = e.query(q)
        if not ok: return {"ok": False}
        live, low, high = q.parse_latency(); return {"ok": True, "live": live, "min": low, "max": nul(high)}
    out = {"set_state": RET[int(pipeline.set_state(STATE[case["state"]]))]}
    clock.settle()
    out["pipeline"] = ask(pipeline); warnings.clear(); out["recalculate"] = pipeline.recalculate_latency(); clock.settle()
    out["warnings"] = len(warnings)
    out["sinks"] = {e["name"]: {"query": ask(made[e["name"]]), "configured": made[e["name"]].get_latency()} for e in case["elements"] if e["type"] == "sink"}
    return {"expect": out}

# ---- flow -----------------------------------------------------------------------------------------

def play_flow(case, steps):
    if case["test"] == "tee": return play_tee(case)
    if case["test"] == "combiner": return play_combiner(case, steps)
    pads = {"A": Gst.Pad.new("A", Gst.PadDirection.SRC), "B": Gst.Pad.new("B", Gst.PadDirection.SINK), "C": Gst.Pad.new("C", Gst.PadDirection.SINK)}
    flows, results, received = {"B": "ok", "C": "ok"}, {"B": True, "C": True}, []
    def watch(name):
        def chain(pad, parent, b): received.append({"pad": name, "buffer": b.offset}); return FLOW[flows[name]]
        def on_event(pad, parent, e): received.append({"pad": name} | event_json(e)); return results[name]
        pads[name].set_chain_function_full(chain); pads[name].set_event_function_full(on_event)
    watch("B"); watch("C")
    def sticky(p): return [NAMES.get(t, t) for t in LIB.judge_sticky(address(p)).decode().split()]
    def act(step):
        out, op, A = {}, step["op"], pads["A"]; received.clear()
        if op == "set_active": pads[step["pad"]].set_active(step["active"])
        elif op == "link": out["result"] = A.link(pads[step["to"]]).value_nick
        elif op == "unlink": out["result"] = bool(A.get_peer() and A.unlink(A.get_peer()))
        elif op == "push_event": out["result"] = A.push_event(event(step))
        elif op == "push_buffer": out["result"] = flow(A.push(buffer(step)))
        elif op == "set_flow": flows[step["pad"]] = step["flow"]
        elif op == "set_event_result": results[step["pad"]] = step["value"]
        if received: out["received"] = list(received)
        return out | {"sticky": {n: sticky(p) for n, p in pads.items()}, "last_flow": flow(A.get_last_flow_return())}
    return {"steps": run_steps(steps, act)}

def play_tee(case):
    tee = Gst.ElementFactory.make("tee", None); tee.set_property("allow-not-linked", case["allow_not_linked"])
    reached, keep = [], []; KEEP.extend((tee, keep))
    for n, branch in enumerate(case["branches"]):
        pad = tee.request_pad_simple("src_%u")
        if not branch["linked"]: keep.append(pad); continue
        sink = Gst.Pad.new("sink", Gst.PadDirection.SINK); count = [0]
        def chain(p, parent, b, n=n, branch=branch, count=count):
            reached.append(n); r = branch["returns"][min(count[0], 2)]; count[0] += 1; return FLOW[r]
        sink.set_chain_function_full(chain); sink.set_active(True); pad.link(sink); keep += [pad, sink]
    src = Gst.Pad.new("src", Gst.PadDirection.SRC); src.set_active(True); src.link(tee.get_static_pad("sink")); tee.set_state(Gst.State.PLAYING)
    src.push_event(Gst.Event.new_stream_start("s")); s = Gst.Segment(); s.init(Gst.Format.TIME); src.push_event(Gst.Event.new_segment(s))
    out = []
    for i in range(3):
        reached.clear(); r = src.push(buffer({"id": i})); out.append({"flow": flow(r), "reached": list(reached)})
    return {"expect": out}

def play_combiner(case, steps):
    c, pads = GstBase.FlowCombiner(), {}
    def act(step):
        op, n = step["op"], step.get("pad")
        if op == "add_pad": pads[n] = Gst.Pad.new(f"p{n}", Gst.PadDirection.SRC); c.add_pad(pads[n])
        elif op == "remove_pad": c.remove_pad(pads.pop(n))
        elif op == "reset": c.reset()
        elif op == "update_flow": return {"expect": flow(c.update_flow(FLOW[step["flow"]]))}
        elif op == "update_pad_flow": return {"expect": flow(c.update_pad_flow(pads[n], FLOW[step["flow"]]))}
        return {}
    return {"steps": run_steps(steps, act)}

# ---- queue ----------------------------------------------------------------------------------------

def play_queue(case, steps):
    q = Gst.ElementFactory.make("queue", None); KEEP.append(q)
    for k, v in case["config"].items(): Gst.util_set_object_arg(q, k, v) if isinstance(v, str) else q.set_property(k, v)
    src, sink = Gst.Pad.new("src", Gst.PadDirection.SRC), Gst.Pad.new("sink", Gst.PadDirection.SINK)
    cond = threading.Condition(); st = {"credits": 0, "flushing": False, "in_chain": None, "flow": "ok"}
    out, signals = [], {}
    def chain(pad, parent, b):
        nap(); out.append(buffer_json(b))
        with cond:
            st["in_chain"] = b.offset
            while not st["credits"] and not st["flushing"]: cond.wait()
            st["in_chain"] = None
            if st["flushing"]: return Gst.FlowReturn.FLUSHING
            st["credits"] -= 1; return FLOW[st["flow"]]
    def on_event(pad, parent, e):
        nap(); out.append(event_json(e))
        if e.type in (Gst.EventType.FLUSH_START, Gst.EventType.FLUSH_STOP):
            with cond:
                st["flushing"] = e.type == Gst.EventType.FLUSH_START
                if not st["flushing"]: st["credits"] = 0
                cond.notify_all()
        return True
    sink.set_chain_function_full(chain); sink.set_event_function_full(on_event)
    for s in ("overrun", "underrun", "running", "pushing"):
        def note(_, s=s): nap(); signals[s] = signals.get(s, 0) + 1
        q.connect(s, note)
    src.set_active(True); sink.set_active(True); src.link(q.get_static_pad("sink")); q.get_static_pad("src").link(sink)
    work = Worker()
    def act(step):
        op, got, result = step["op"], {}, None; out.clear(); signals.clear(); pushed = False
        if op == "start": q.set_state(Gst.State.PLAYING)
        elif op == "push_buffer": b = buffer(step); work.start(lambda: flow(src.push(b))); pushed = True
        elif op == "push_list":
            l = Gst.BufferList.new()
            for j in step["buffers"]: l.insert(-1, buffer(j))
            work.start(lambda: flow(src.push_list(l))); pushed = True
        elif op == "push_event":
            e = event(step)
            if step["event"] in ("flush-start", "flush-stop", "custom-oob"): result = aside(lambda: src.push_event(e))
            else: work.start(lambda: src.push_event(e)); pushed = True
        elif op == "release":
            with cond: st["credits"] += step["n"]; cond.notify_all()
        elif op == "set_property": q.set_property(step["name"], step["value"])
        elif op == "set_downstream_flow":
            with cond: st["flow"] = step["flow"]
        rest()
        done = work.take()
        if pushed: got["result"] = done[0] if done else "blocks"
        else:
            if done: got["unblocked"] = done[0]
            if result is not None: got["result"] = result[0] if result else "blocks"
        if out: got["out"] = list(out)
        got["levels"] = [q.get_property("current-level-" + k) for k in ("buffers", "bytes", "time")]; got["in_chain"] = st["in_chain"]
        if signals: got["signals"] = dict(signals)
        return got
    return {"steps": run_steps(steps, act)}

# ---- sink_sync ------------------------------------------------------------------------------------

class JudgeSink(GstBase.BaseSink):
    def do_preroll(self, b): nap(); self.log.append({"preroll": b.offset}); return Gst.FlowReturn.OK
    def do_render(self, b): nap(); self.log.append({"render": b.offset, "clock": self.test_clock.get_time()}); return Gst.FlowReturn.OK

JudgeSink.add_pad_template(Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, Gst.Caps.new_any()))

def play_sink_sync(case, steps):
    cfg = case["config"]; pipeline = Gst.Pipeline.new("pipeline"); clock = Clock(cfg["clock_start"]); pipeline.use_clock(clock.clock)
    sink = JudgeSink(); log = sink.log = []; sink.test_clock = clock.clock; pipeline.add(sink); KEEP.append(pipeline)
    for k, v in cfg.items():
        if k not in ("clock_start", "upstream_latency"): sink.set_property(k, v)
    src = Gst.Pad.new("src", Gst.PadDirection.SRC); up = cfg["upstream_latency"]; LIB.judge_pad_latency(address(src), int(up["live"]), u64(up["min"]), u64(un(up["max"])))
    def on_event(pad, parent, e): nap(); e.type == Gst.EventType.LATENCY or e.type == Gst.EventType.RECONFIGURE or log.append({"upstream": event_json(e)}); return True
    src.set_event_function_full(on_event); src.set_active(True); src.link(sink.get_static_pad("sink"))
    def see(m):
        nap(); j = message_json(m)
        if j and j["message"] in ("async-done", "eos", "warning", "segment-done", "qos"): log.append(j)
    on_bus(pipeline, see)
    work, shown = Worker(), [["null", "void"]]
    def act(step):
        op, got, result, pushed = step["op"], {}, None, False; log.clear()
        if op == "set_state": got["ret"] = RET[int(pipeline.set_state(STATE[step["state"]]))]
        elif op == "push_event":
            e = event(step)
            if step["event"] in ("flush-start", "flush-stop"): result = aside(lambda: src.push_event(e))
            else: work.start(lambda: src.push_event(e)); pushed = True
        elif op == "push_buffer": b = buffer(step); work.start(lambda: flow(src.push(b))); pushed = True
        elif op == "advance": clock.clock.set_time(step["to"])
        elif op == "set_latency": sink.send_event(Gst.Event.new_latency(step["latency"]))
        elif op == "set_property": sink.set_property(step["name"], step["value"])
        elif op == "query_position":
            ok, position = pipeline.query_position(Gst.Format.TIME); got["position"] = nul(position) if ok else None
        clock.settle()
        if op == "set_state" and step["state"] == "playing": got["base_time"] = pipeline.get_base_time()
        done = work.take()
        if pushed: got["result"] = done[0] if done else "blocks"
        else:
            if done: got["unblocked"] = done[0]
            if result is not None: got["result"] = result[0] if result else "blocks"
        if log: got["log"] = list(log)
        _, now, pending = sink.get_state(0); now = [STATE_NAME[int(now)], STATE_NAME[int(pending)]]
        if now != shown[0]: got["sink_state"] = shown[0] = now
        return got | {"wait": clock.wait()}
    return {"steps": run_steps(steps, act)}

# ---- seek -----------------------------------------------------------------------------------------

def play_seek(case, steps):
    cfg = case["config"]; pipeline = Gst.Pipeline.new("pipeline"); clock = Clock(cfg["clock_start"]); pipeline.use_clock(clock.clock)
    LIB.judge_src(); src = GObject.new(GObject.type_from_name("JudgeSrc"), name="src"); LIB.judge_src_times(address(src), u64(cfg["duration"]), u64(cfg["buffer_duration"]), int(cfg["seekable"]))
    sink = Gst.ElementFactory.make("fakesink", "sink"); log = []
    for k, v in {"sync": True, "qos": False, "signal-handoffs": True}.items(): sink.set_property(k, v)
    chain = [src, sink]; KEEP.append(pipeline)
    if cfg["queue"]:
        q = Gst.ElementFactory.make("queue", "queue"); q.set_property("max-size-buffers", 2); q.set_property("max-size-bytes", 0); q.set_property("max-size-time", 0); chain.insert(1, q)
    for e in chain: pipeline.add(e)
    for a, b in zip(chain, chain[1:]): a.link(b)
    def probe(pad, info):
        nap()
        if info.type & Gst.PadProbeType.BUFFER: b = info.get_buffer(); log.append(buffer_json(b, b.pts))
        else:
            j = event_json(info.get_event()); j.pop("stream_id", None)
            if j["event"] != "latency": log.append(j)
        return Gst.PadProbeReturn.OK
    sink.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM | Gst.PadProbeType.EVENT_FLUSH, probe)
    sink.connect("preroll-handoff", lambda s, b, p: (nap(), log.append({"preroll": b.pts})))
    sink.connect("handoff", lambda s, b, p: (nap(), log.append({"render": b.pts, "clock": clock.clock.get_time()})))
    def see(m):
        nap(); j = message_json(m)
        if j and j["message"] in ("async-done", "eos", "segment-start", "segment-done", "error"): j.pop("running_time", None); log.append(j)
    on_bus(pipeline, see)
    waiting = []
    def act(step):
        op, got = step["op"], {}; log.clear(); seek = None
        if op == "set_state": got["ret"] = RET[int(pipeline.set_state(STATE[step["state"]]))]
        elif op == "advance": clock.clock.set_time(step["to"])
        elif op == "seek":
            seek = aside(lambda: pipeline.seek(step["rate"], Gst.Format.TIME, Gst.SeekFlags(sum(SEEK_FLAGS[f] for f in step["flags"])), SEEK_TYPE[step["start_type"]], step["start"], SEEK_TYPE[step["stop_type"]], step["stop"]))
        clock.settle()
        if waiting and waiting[0]: got["unblocked"] = waiting.pop()[0]
        if seek is not None:
            got["result"] = seek[0] if seek else "blocks"
            if not seek: waiting.append(seek)
        if log: got["log"] = list(log)
        ok, position = pipeline.query_position(Gst.Format.TIME); ret, now, pending = pipeline.get_state(0)
        return got | {"position": nul(position) if ok else None, "after": [RET[int(ret)], STATE_NAME[int(now)], STATE_NAME[int(pending)]],
                      "running_time": nul(pipeline.get_current_running_time()) if pipeline.get_clock() else None, "wait": clock.wait()}
    return {"steps": run_steps(steps, act)}

PLAY = {"states": play_states, "latency": play_latency, "flow": play_flow, "queue": play_queue, "sink_sync": play_sink_sync, "seek": play_seek}
OUTPUTS = {"states": {"ret", "calls", "messages", "after", "base_time", "start_time", "running_time"}, "flow": {"result", "received", "sticky", "last_flow", "expect"},
           "queue": {"result", "unblocked", "out", "levels", "in_chain", "signals"}, "sink_sync": {"result", "unblocked", "ret", "base_time", "log", "sink_state", "wait", "position"},
           "seek": {"result", "unblocked", "log", "position", "after", "running_time", "wait", "ret"}, "latency": set()}

def inputs(case):
    """The case without what GStreamer answered."""
    drop = OUTPUTS[case["kind"]]
    return [{k: v for k, v in s.items() if k not in drop or s.get("event") and k == "position"} for s in case.get("steps", [])]

def in_child(work, shake=0, one_cpu=False, limit=20):
    """In a process of its own: fresh counters, and a crash or a hang is a case less."""
    global SHAKE
    read, write = os.pipe(); child = os.fork()
    if child == 0:
        try:
            os.close(read); SHAKE = shake; random.seed(os.urandom(8))
            if one_cpu: os.sched_setaffinity(0, {random.randrange(os.cpu_count())})
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            signal.alarm(limit)
            data = json.dumps(work()).encode()
            while data: data = data[os.write(write, data):]
        finally: os._exit(0)
    os.close(write); data = b""
    while piece := os.read(read, 65536): data += piece
    os.close(read); os.waitpid(child, 0)
    return json.loads(data) if data else None

def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)

def check(args):
    wrong = total = 0
    for kind in [args.kind] if args.kind else PLAY:
        for n, line in enumerate(open(os.path.join(args.folder, kind + ".jsonl"))):
            if n % args.every: continue
            case = json.loads(line); total += 1
            got = in_child(lambda: PLAY[kind](case, inputs(case)))
            key = "steps" if "steps" in case else "expect"
            if got is None: print(case["id"], "no answer"); wrong += 1; continue
            if not same(got[key], case[key]):
                wrong += 1; print(case["id"])
                if key == "expect": print("  recorded", case[key], "\n  now     ", got[key]); continue
                for a, b in zip(case[key], got[key]):
                    if not same(a, b): print("  recorded", json.dumps(a), "\n  now     ", json.dumps(b)); break
    print(f"{total} replayed, {wrong} differ")

def unwanted(case):
    """A seek without flush in PAUSED waits for PLAYING in GStreamer; here the source's task does it."""
    before = None
    for step in case.get("steps", []) if case["kind"] == "seek" else []:
        if step["op"] == "seek" and "flush" not in step["flags"] and step["result"] == "blocks" and before == "paused": return True
        before = step.get("after", [0, before])[1]
    return False

def make(args):
    import shapes, wild  # wild adds its shapes to those of shapes
    os.makedirs(args.folder, exist_ok=True)
    for kind in [args.kind] if args.kind else PLAY:
        shapes.R.seed(f"{args.seed}-{kind}"); made = tried = 0
        with open(os.path.join(args.folder, f"{kind}-{args.seed}.jsonl"), "w") as file:
            while made < args.count and tried < args.count * 4:
                tried += 1; shape = shapes.R.choice([s for s in shapes.SHAPES[kind] if s.startswith(args.shape)]); seed = shapes.R.random()
                def first():
                    shapes.R.seed(seed); head, steps = shapes.SHAPES[kind][shape]()
                    return {"shape": shape} | head | PLAY[kind](head, steps)
                case = in_child(first)
                if case is None: print(kind, shape, "gave nothing"); continue
                case = {"id": f"{kind}-j{args.seed}-{shape}-{made:04}", "kind": kind} | case
                key = "steps" if "steps" in case else "expect"
                if unwanted(case): continue
                for again in range(args.runs):
                    got = in_child(lambda: PLAY[kind](case, inputs(case)), shake=.5 if again % 2 == 0 else 0, one_cpu=again % 3 == 1)
                    if got is None or not same(got[key], case[key]): print(kind, shape, "differs from run to run"); break
                else:
                    made += 1; file.write(json.dumps(case, ensure_ascii=False, separators=(",", ":")) + "\n"); file.flush()
        print(kind, made, "of", tried)

def main():
    global LIB
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["check", "make"]); parser.add_argument("folder"); parser.add_argument("--kind", choices=PLAY)
    parser.add_argument("--seed", type=int, default=1); parser.add_argument("--count", type=int, default=50); parser.add_argument("--runs", type=int, default=5); parser.add_argument("--every", type=int, default=1); parser.add_argument("--shape", default="", help="only shapes whose name begins so")
    args = parser.parse_args()
    LIB = library(); sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    check(args) if args.do == "check" else make(args)

if __name__ == "__main__": main()
