"""The graphs and orders of operations that `scenarios.py make` records. A shape gives the head of a
case and its steps: a list, or a generator that is told what each step gave."""
import random

R = random.Random()
MS, S = 10**6, 10**9
pick = lambda *items: R.choice(items)
chance = lambda p: R.random() < p
FLOWS = ["ok", "not-linked", "flushing", "eos", "not-negotiated", "error", "not-supported", "custom-success", "custom-error"]

def segment(rate=1.0, applied=1.0, start=0, stop=None, base=0, time=None, fmt="time", position=None, offset=0):
    return {"event": "segment", "segment": {"format": fmt, "flags": [], "rate": rate, "applied_rate": applied, "base": base, "offset": offset, "start": start, "stop": stop,
            "time": start if time is None else time, "position": start if position is None else position, "duration": None}}

STREAM = {"op": "push_event", "event": "stream-start", "stream_id": "s1"}
push = lambda e: {"op": "push_event"} | e

# ---- flow -----------------------------------------------------------------------------------------

def some_event():
    return pick(lambda: {"event": "stream-start", "stream_id": pick("s1", "s2")}, lambda: {"event": "caps", "caps": f"test/a, x=(int){R.randint(1, 3)}"},
        lambda: segment(rate=pick(1.0, 2.0, -1.0), start=pick(0, S), stop=pick(5 * S, None, 7 * S) or 5 * S), lambda: {"event": "tag", "title": pick("a", "b")}, lambda: {"event": "eos"},
        lambda: {"event": "custom-sticky", "name": pick("one", "two", "three")}, lambda: {"event": "custom", "name": "foo"}, lambda: {"event": "custom-oob", "name": "oob"},
        lambda: {"event": "gap", "pts": R.randint(0, 9) * S, "duration": pick(None, S)}, lambda: {"event": "flush-start"}, lambda: {"event": "flush-stop", "reset_time": pick(True, False)})()

def pads(weights, begin):
    def steps():
        n = 0
        out = [dict(s) for s in begin]
        for _ in range(R.randint(10, 26)):
            op = R.choices(list(weights), list(weights.values()))[0]
            step = {"op": op}
            if op == "push_event": step |= some_event()
            elif op == "push_buffer": step["id"] = n; n += 1
            elif op == "link": step["to"] = pick("B", "C")
            elif op == "set_active": step |= {"pad": pick("A", "B", "C"), "active": chance(.6)}
            elif op == "set_flow": step |= {"pad": pick("B", "C"), "flow": R.choice(FLOWS)}
            elif op == "set_event_result": step |= {"pad": pick("B", "C"), "value": chance(.5)}
            out.append(step)
        return out
    return {"kind": "flow", "test": "pads"}, steps()

ACTIVE = [{"op": "set_active", "pad": p, "active": True} for p in "ABC"]
def flow_tee():
    return {"kind": "flow", "test": "tee", "allow_not_linked": chance(.4), "branches": [{"linked": chance(.8), "returns": [R.choice(FLOWS) if chance(.6) else "ok" for _ in range(3)]} for _ in range(R.randint(0, 6))]}, []
def flow_combiner():
    steps, have = [], []
    for n in range(R.randint(1, 5)): have.append(n); steps.append({"op": "add_pad", "pad": n})
    new = len(have)
    for _ in range(R.randint(8, 20)):
        k = R.randrange(10)
        if k == 0 and len(have) > 1: steps.append({"op": "remove_pad", "pad": have.pop(R.randrange(len(have)))})
        elif k == 1: steps.append({"op": "reset"})
        elif k == 2: steps.append({"op": "add_pad", "pad": new}); have.append(new); new += 1
        elif k == 3: steps.append({"op": "update_flow", "flow": R.choice(FLOWS)})
        else: steps.append({"op": "update_pad_flow", "pad": R.choice(have), "flow": R.choice(FLOWS)})
    return {"kind": "flow", "test": "combiner"}, steps

FLOW = {
    "late-link": lambda: pads({"push_event": 9, "push_buffer": 4, "link": 4, "unlink": 3}, ACTIVE),
    "relink": lambda: pads({"push_event": 5, "push_buffer": 5, "link": 5, "unlink": 4, "set_event_result": 2}, ACTIVE + [{"op": "link", "to": "B"}]),
    "activate": lambda: pads({"push_event": 6, "push_buffer": 4, "link": 2, "unlink": 1, "set_active": 6}, [{"op": "link", "to": "C"}]),
    "refuse": lambda: pads({"push_event": 8, "push_buffer": 5, "set_event_result": 4, "set_flow": 4, "unlink": 1, "link": 2}, ACTIVE + [{"op": "link", "to": "C"}]),
    "tee": flow_tee, "combiner": flow_combiner,
}

# ---- latency --------------------------------------------------------------------------------------

def lat(): return R.randint(0, 30) * 10 * MS
def l_src(n, live=None):
    live = chance(.6) if live is None else live
    low = lat() if live else pick(0, lat()); return {"name": f"src{n}", "type": "src", "live": live, "min": low, "max": pick(None, low, low + lat()) if live else None}
def l_filter(n): low = lat(); return {"name": f"filter{n}", "type": "filter", "add_min": low, "add_max": pick(None, low, low + lat(), 0)}
def l_queue(n): return {"name": f"queue{n}", "type": "queue", "max-size-time": pick(0, lat()), "max-size-buffers": pick(0, 2, 20), "max-size-bytes": pick(0, 1000), "leaky": pick("no", "no", "upstream", "downstream")}
def l_sink(n): return {"name": f"sink{n}", "type": "sink", "sync": chance(.8), "async": chance(.8), "ts-offset": pick(0, 0, 30 * MS, -30 * MS), "render-delay": pick(0, 0, 20 * MS, 70 * MS), "processing-deadline": pick(0, 20 * MS, 15 * MS, 60 * MS)}

def l_case(build):
    elements, links = [], []
    def add(e): elements.append(e); return e["name"]
    counts = {}
    def more(make, *a):
        n = counts[make] = counts.get(make, -1) + 1; return add(make(n, *a))
    def chain(*names):
        for a, b in zip(names, names[1:]): links.append([a, b])
    build(more, chain, add)
    if chance(.5): R.shuffle(elements)
    return {"kind": "latency", "elements": elements, "links": links, "pipeline_latency": pick(None, None, None, 0, lat()), "state": pick("playing", "playing", "playing", "paused", "ready")}, []

def middle(more): return [more(R.choice((l_filter, l_queue))) for _ in range(R.randint(0, 3))]
def l_two_tees(more, chain, add):
    for t in ("tee0", "tee1"):
        add({"name": t, "type": "tee"}); chain(more(l_src), *middle(more), t)
        for _ in range(R.randint(1, 2)): chain(t, more(l_queue), *middle(more), more(l_sink))
def l_tee_tee(more, chain, add):
    add({"name": "tee0", "type": "tee"}); add({"name": "tee1", "type": "tee"})
    chain(more(l_src), *middle(more), "tee0"); chain("tee0", more(l_queue), more(l_sink)); chain("tee0", more(l_queue), *middle(more), "tee1")
    for _ in range(2): chain("tee1", more(l_queue), more(l_sink))
def l_lonely(more, chain, add):
    chain(more(l_src), *middle(more), more(l_sink)); more(l_sink); chain(*middle(more), more(l_sink))
def l_many(more, chain, add):
    for _ in range(R.randint(2, 4)): chain(more(l_src), *middle(more), more(l_sink))
def l_long(more, chain, add): chain(more(l_src), *[more(R.choice((l_filter, l_queue))) for _ in range(R.randint(4, 7))], more(l_sink))
def l_three(more, chain, add):
    for live in (True, False, chance(.5)): chain(more(l_src, live), *middle(more), more(l_sink))
def l_short(more, chain, add):
    add({"name": "tee0", "type": "tee"}); chain(more(l_src, True), more(l_filter), "tee0")
    for _ in range(3): chain("tee0", *[more(l_queue) for _ in range(R.randint(1, 2))], more(l_sink))
LATENCY = {n: (lambda b=b: l_case(b)) for n, b in {"two-tees": l_two_tees, "tee-tee": l_tee_tee, "lonely": l_lonely, "many": l_many, "long": l_long, "three": l_three, "short": l_short}.items()}

# ---- states ---------------------------------------------------------------------------------------

def s_src(name, live=False, **k): return {"name": name, "type": "src"} | k | {"num_buffers": R.randint(0, 4), "live": live}
def s_sink(name, a=None, **k): return {"name": name, "type": "sink"} | k | {"async": chance(.75) if a is None else a, "sync": chance(.3)}
def el(name, kind, **k): return {"name": name, "type": kind} | k

def s_case(elements, links, fail=None, targets=("pipeline",), lock=(), shuffle=True):
    start = pick(0, S, 1000 * S); clock = start; steps = []
    if shuffle and not any("bin" in e for e in elements): R.shuffle(elements)
    for _ in range(R.randint(6, 12)):
        k = R.random()
        if k < .12: clock += R.randint(1, 30) * 100 * MS; steps.append({"op": "advance", "to": clock})
        elif lock and k < .3: steps.append({"op": "set_locked", "element": R.choice(lock), "locked": chance(.6)})
        else: steps.append({"op": "set_state", "element": R.choice(targets) if chance(.4) else "pipeline", "state": pick("null", "ready", "paused", "paused", "playing", "playing")})
    head = {"kind": "states", "clock_start": start, "elements": elements, "links": links}
    if fail: head["fail"] = fail
    return head, steps

def st_nested():
    e = [el("outer", "bin"), el("inner", "bin", bin="outer"), s_src("src", bin="inner"), s_sink("sink", bin="inner"), s_src("src2", bin="outer"), s_sink("sink2", bin="outer")]
    l = [["src", "sink"], ["src2", "sink2"]]
    if chance(.5): e += [s_src("src3"), s_sink("sink3")]; l += [["src3", "sink3"]]
    return s_case(e, l, targets=("outer", "inner", "sink", "pipeline") if chance(.4) else ("pipeline",))
def st_bin_live():
    live = chance(.6); return s_case([el("bin", "bin"), s_src("src", live, bin="bin"), el("mid", pick("identity", "queue"), bin="bin"), s_sink("sink"), s_src("src2", chance(.4)), s_sink("sink2")], [["src", "mid"], ["bin", "sink"], ["src2", "sink2"]])
def st_tree():
    n = R.randint(2, 4); e = [s_src("src", chance(.4)), el("t", "tee")]; l = [["src", "t"]]
    for i in range(n):
        if chance(.7): e.append(el(f"q{i}", "queue")); l += [["t", f"q{i}"], [f"q{i}", f"sink{i}"]]
        else: l += [["t", f"sink{i}"]]
        e.append(s_sink(f"sink{i}"))
    return s_case(e, l)
def st_lock():
    e = [s_src("src", chance(.3)), el("mid", pick("identity", "queue")), s_sink("sink"), s_sink("sink2")]
    return s_case(e, [["src", "mid"], ["mid", "sink"]], targets=("pipeline", "sink", "sink2", "mid"), lock=("sink", "sink2", "mid", "src"))
def st_lock_bin():
    e = [el("bin", "bin"), s_src("src", bin="bin"), s_sink("sink", bin="bin"), s_src("src2"), s_sink("sink2")]
    return s_case(e, [["src", "sink"], ["src2", "sink2"]], targets=("pipeline", "bin"), lock=("bin", "sink", "sink2"))
def st_single():
    return s_case([s_src("src", chance(.3)), el("mid", "identity"), s_sink("sink")], [["src", "mid"], ["mid", "sink"]], targets=("sink", "mid", "src"))
def st_lonely_sinks():
    return s_case([s_src("src", chance(.3)), s_sink("sink"), s_sink("sink2"), el("mid", "queue"), s_sink("sink3")], [["src", "sink"], ["mid", "sink3"]])
def st_live_many():
    e, l = [], []
    for i in range(R.randint(2, 3)): e += [s_src(f"src{i}", chance(.6)), s_sink(f"sink{i}")]; l.append([f"src{i}", f"sink{i}"])
    return s_case(e, l)
def st_deep():
    e = [el("outer", "bin"), el("inner", "bin", bin="outer"), el("core", "bin", bin="inner"), s_src("src", chance(.3), bin="core"), el("t", "tee", bin="core")]; l = [["src", "t"]]
    for i in range(R.randint(1, 3)): e += [el(f"q{i}", "queue", bin="core"), s_sink(f"sink{i}", bin="core")]; l += [["t", f"q{i}"], [f"q{i}", f"sink{i}"]]
    where = pick("inner", "outer"); e += [s_src("src9", chance(.4), bin=where), s_sink("sink9", bin=where)]; l += [["src9", "sink9"]]
    some = ("outer", "inner", "core", "sink0", "sink9")
    return s_case(e, l, targets=some if chance(.4) else ("pipeline",), lock=R.sample(some, 2) if chance(.4) else ())
def st_lock_async():
    e = [s_src("src"), el("t", "tee"), el("q0", "queue"), s_sink("sink0", True), el("q1", "queue"), s_sink("sink1", True), s_src("src2", chance(.5)), s_sink("sink2", True)]
    return s_case(e, [["src", "t"], ["t", "q0"], ["q0", "sink0"], ["t", "q1"], ["q1", "sink1"], ["src2", "sink2"]], targets=("pipeline", "sink2", "src2"), lock=("sink2", "src2"))
def st_three():
    e, l = [], []
    for i in range(3):
        e += [s_src(f"src{i}", i == 0 or chance(.4)), el(f"mid{i}", pick("identity", "queue")), s_sink(f"sink{i}")]; l += [[f"src{i}", f"mid{i}"], [f"mid{i}", f"sink{i}"]]
    return s_case(e, l, targets=("pipeline", "src0", "sink1", "mid2"))
def st_fail():
    e = [s_src("src"), el("t", "tee"), el("q0", "queue"), s_sink("sink0"), el("q1", "queue"), s_sink("sink1")]; l = [["src", "t"], ["t", "q0"], ["q0", "sink0"], ["t", "q1"], ["q1", "sink1"]]
    return s_case(e, l, fail={"element": pick("src", "t", "q0", "sink0", "sink1"), "transition": pick("null->ready", "ready->paused", "paused->playing", "playing->paused", "paused->ready", "ready->null")})
STATES = {"nested": st_nested, "bin-live": st_bin_live, "tree": st_tree, "lock": st_lock, "lock-bin": st_lock_bin, "single": st_single, "lonely-sinks": st_lonely_sinks, "live-many": st_live_many, "deep": st_deep, "lock-async": st_lock_async, "three": st_three, "fail": st_fail}

# ---- queue ----------------------------------------------------------------------------------------

def q_config(**over):
    c = {"max-size-buffers": pick(0, 1, 2, 3, 5), "max-size-bytes": pick(0, 0, 200, 400), "max-size-time": pick(0, 0, 200 * MS, S), "min-threshold-buffers": 0, "min-threshold-bytes": 0, "min-threshold-time": 0,
         "leaky": "no", "flush-on-eos": chance(.3), "silent": chance(.15)} | over
    if not (c["max-size-buffers"] or c["max-size-bytes"] or c["max-size-time"]): c["max-size-buffers"] = 2
    return c

def q_case(config, weights, seg=None, stamps="pts", prelude=True):
    seg = seg or segment(); unit = pick(40, 100, 500) * MS
    state = {"n": 0, "t": seg["segment"]["start"]}
    back = seg["segment"]["rate"] < 0
    if back: state["t"] = seg["segment"]["stop"]
    def buf():
        n = state["n"]; state["n"] += 1
        if chance(.08): state["t"] = max(0, state["t"] + R.randint(-3, 5) * unit)
        t = state["t"]; state["t"] = max(0, t - unit) if back else t + unit
        if back: t = state["t"]
        out = {"id": n, "pts": t, "dts": None, "duration": unit, "size": R.randint(1, 25) * 10, "flags": [f for f in ("discont", "header", "delta-unit") if chance(.12)]}
        if stamps == "dts": out |= {"dts": t, "pts": pick(None, t + 2 * unit)}
        if stamps == "mixed": out |= pick({}, {"pts": None}, {"duration": None}, {"pts": None, "duration": None}, {"dts": max(0, t - unit)})
        return out
    def steps():
        yield {"op": "start"}
        if prelude:
            yield STREAM
            if chance(.5): yield push({"event": "caps", "caps": "test/a, x=(int)1"})
            yield push(seg)
        blocked = False
        for _ in range(R.randint(14, 28)):
            ops = {k: v for k, v in weights.items() if not (blocked and k in ("push_buffer", "push_list", "event", "segment", "gap", "eos"))}
            op = R.choices(list(ops), list(ops.values()))[0]
            if op == "push_buffer": got = yield {"op": op} | buf()
            elif op == "push_list": got = yield {"op": op, "buffers": [buf() for _ in range(R.randint(1, 4))]}
            elif op == "event": got = yield push(pick({"event": "tag", "title": "a"}, {"event": "custom", "name": "foo"}, {"event": "caps", "caps": "test/a, x=(int)2"}, {"event": "custom-sticky", "name": "one"}))
            elif op == "gap": got = yield push({"event": "gap", "pts": state["t"], "duration": pick(unit, None, 3 * unit)}); state["t"] += unit
            elif op == "segment":
                b = pick(0, 2 * S); state["t"] = b; got = yield push(segment(rate=pick(1.0, 2.0, .5), start=b, base=pick(0, S, 3 * S)) if not back else seg)
            elif op == "eos": got = yield push({"event": "eos"})
            elif op == "oob": got = yield push({"event": "custom-oob", "name": "oob"})
            elif op == "release": got = yield {"op": op, "n": R.randint(1, 4)}
            elif op == "flow": got = yield {"op": "set_downstream_flow", "flow": R.choice(FLOWS)}
            elif op == "resize":
                got = yield {"op": "set_property"} | pick({"name": "max-size-buffers", "value": R.randint(0, 5)}, {"name": "max-size-bytes", "value": R.randint(0, 5) * 100}, {"name": "max-size-time", "value": R.randint(0, 5) * unit},
                    {"name": "min-threshold-buffers", "value": R.randint(0, 3)}, {"name": "flush-on-eos", "value": chance(.5)})
            elif op == "flush":
                got = yield push({"event": "flush-start"})
                if chance(.3): got = yield push({"event": "custom-oob", "name": "oob"})
                if chance(.4) and got.get("result") != "blocks" : got = (yield {"op": "push_buffer"} | buf()) 
                if chance(.2): got = yield push({"event": "flush-start"})
                got = yield push({"event": "flush-stop", "reset_time": chance(.7)})
                blocked = False
                if chance(.7): got = yield push(seg)
            if op == "flush": blocked = False
            elif got.get("result") == "blocks": blocked = True
            elif "unblocked" in got: blocked = False
        yield {"op": "release", "n": 50}
    return {"kind": "queue", "config": config}, steps()

QUEUE = {
    "leaky-lists": lambda: q_case(q_config(leaky=pick("upstream", "downstream")), {"push_list": 6, "push_buffer": 3, "release": 4, "event": 1, "eos": .3, "oob": .4}),
    "leaky-events": lambda: q_case(q_config(leaky=pick("upstream", "downstream")), {"push_buffer": 7, "event": 3, "gap": 2, "segment": 1, "release": 3, "flush": .6}),
    "flush-odd": lambda: q_case(q_config(), {"push_buffer": 6, "release": 2, "flush": 2.5, "event": 1, "eos": .4, "push_list": 1}),
    "gaps": lambda: q_case(q_config(**{"max-size-time": pick(200 * MS, S)}), {"push_buffer": 4, "gap": 4, "release": 3, "segment": 1}),
    "stamps": lambda: q_case(q_config(**{"max-size-time": pick(200 * MS, S, 2 * S)}), {"push_buffer": 8, "release": 3, "push_list": 1}, stamps=pick("dts", "mixed")),
    "rates": lambda: q_case(q_config(**{"max-size-time": pick(200 * MS, S, 2 * S)}), {"push_buffer": 8, "release": 4, "segment": 1}, seg=segment(rate=pick(2.0, .5, -1.0, -2.0), stop=20 * S, applied=pick(1.0, 2.0))),
    "resize-any": lambda: q_case(q_config(), {"push_buffer": 8, "release": 3, "resize": 4, "push_list": 1}),
    "thresholds": lambda: q_case(q_config(**{"max-size-buffers": pick(0, 5, 8), "min-threshold-buffers": pick(0, 2, 3), "min-threshold-time": pick(0, 200 * MS), "min-threshold-bytes": pick(0, 150)}), {"push_buffer": 8, "release": 4, "event": 2, "gap": 1, "eos": .3, "flush": .3}),
    "flow-lists": lambda: q_case(q_config(), {"push_buffer": 4, "push_list": 4, "release": 4, "flow": 2, "event": 1, "eos": .5, "flush": .5}),
    "bare": lambda: q_case(q_config(), {"push_buffer": 5, "push_list": 1, "release": 3, "event": 2, "segment": 1, "eos": .3}, prelude=False),
}

# ---- sink_sync ------------------------------------------------------------------------------------

def k_config(**over):
    live = chance(.25); low = R.randint(1, 8) * 20 * MS
    return {"clock_start": pick(0, S, 100 * S), "sync": True, "qos": chance(.4), "async": True, "max-lateness": pick(-1, -1, 0, 20 * MS), "ts-offset": 0, "render-delay": 0, "processing-deadline": 20 * MS, "throttle-time": 0,
            "upstream_latency": {"live": live, "min": low if live else 0, "max": pick(None, low + 100 * MS) if live else None}} | over

def k_case(config, weights, seg=None, unit=None, stamps="pts", first=None):
    seg = seg or segment(); unit = unit or pick(40, 100, 500) * MS; s = seg["segment"]; back = s["rate"] < 0
    now = {"clock": config["clock_start"], "wait": None, "n": 0, "t": s["stop"] if back else s["start"]}
    def buf():
        if chance(.12): now["t"] = max(0, now["t"] + R.randint(-2, 4) * unit)
        if back: now["t"] = max(0, now["t"] - unit)
        t = now["t"]
        if not back: now["t"] += unit
        out = {"op": "push_buffer", "id": now["n"], "pts": t, "dts": None, "duration": unit}; now["n"] += 1
        if stamps == "mixed": out |= pick({}, {"pts": None, "dts": t}, {"duration": None}, {"pts": None, "duration": None}, {"dts": max(0, t - unit)})
        return out
    def steps():
        got = yield {"op": "set_state", "state": first or pick("paused", "paused", "playing")}
        yield STREAM
        got = yield push(seg); blocked = False
        for _ in range(R.randint(14, 26)):
            now["wait"] = got.get("wait")
            ops = {k: v for k, v in weights.items() if not (blocked and k in ("push", "gap", "eos", "segment", "segment-done", "event"))}
            op = R.choices(list(ops), list(ops.values()))[0]
            if op == "push": got = yield buf()
            elif op == "gap": got = yield push({"event": "gap", "pts": now["t"], "duration": pick(unit, None)}); now["t"] += 0 if back else unit
            elif op == "eos": got = yield push({"event": "eos"})
            elif op == "segment-done": got = yield push({"event": "segment-done", "position": now["t"]})
            elif op == "event": got = yield push(pick({"event": "tag", "title": "a"}, {"event": "caps", "caps": "test/a, x=(int)2"}, {"event": "custom", "name": "foo"}))
            elif op == "segment":
                start = pick(0, S, 5 * S); now["t"] = start; got = yield push(segment(rate=pick(1.0, 2.0, .5), applied=pick(1.0, 1.0, 2.0), start=start, stop=pick(None, start + 10 * unit), base=pick(0, S, 2 * S), time=pick(None, 7 * S)))
            elif op == "advance":
                to = now["wait"] if now["wait"] is not None and chance(.7) else now["clock"] + R.choice((unit // 3, unit, 2 * unit + 1, 5 * unit))
                now["clock"] = to = max(to, now["clock"]); got = yield {"op": "advance", "to": to}
            elif op == "state": got = yield {"op": "set_state", "state": pick("paused", "playing", "playing")}
            elif op == "hop": got = yield {"op": "set_state", "state": pick("paused", "playing", "playing", "ready")}
            elif op == "position": got = yield {"op": "query_position"}
            elif op == "latency": got = yield {"op": "set_latency", "latency": R.randint(0, 10) * 20 * MS}
            elif op == "property": got = yield {"op": "set_property"} | pick({"name": "ts-offset", "value": R.randint(-5, 5) * 20 * MS}, {"name": "max-lateness", "value": pick(-1, 0, 20 * MS)}, {"name": "render-delay", "value": R.randint(0, 4) * 20 * MS}, {"name": "sync", "value": chance(.6)}, {"name": "qos", "value": chance(.5)}, {"name": "throttle-time", "value": pick(0, 100 * MS)}, {"name": "max-bitrate", "value": 0})
            elif op == "flush":
                got = yield push({"event": "flush-start"})
                if "unblocked" in got: blocked = False
                extra = R.random()
                if extra < .2: got = yield {"op": "query_position"}
                elif extra < .4: got = yield {"op": "set_state", "state": pick("paused", "playing")}
                elif extra < .55 and not blocked: got = yield buf()
                elif extra < .65: now["clock"] += unit; got = yield {"op": "advance", "to": now["clock"]}
                got = yield push({"event": "flush-stop", "reset_time": chance(.7)})
                if chance(.85): now["t"] = s["stop"] if back else s["start"]; got = yield push(seg); blocked = got.get("result") == "blocks"; continue
            if got.get("result") == "blocks": blocked = True
            elif "unblocked" in got: blocked = False
        now["clock"] += 100 * S
        yield {"op": "advance", "to": now["clock"]}
    return {"kind": "sink_sync", "config": config}, steps()

BASE = {"push": 8, "advance": 6, "state": 1.5, "position": 1.5}
SINK = {
    "gap-preroll": lambda: k_case(k_config(), BASE | {"gap": 5, "flush": .5, "eos": .4}, first="paused"),
    "flush-odd": lambda: k_case(k_config(), BASE | {"flush": 3, "gap": .5, "eos": .7}),
    "rates": lambda: k_case(k_config(qos=True), BASE | {"segment": .6, "property": .5}, seg=segment(rate=pick(2.0, .5, -1.0, -2.0, -.5), applied=pick(1.0, 2.0, -1.0), stop=20 * S, base=pick(0, 3 * S))),
    "done": lambda: k_case(k_config(), BASE | {"segment-done": 1.2, "event": 1, "segment": 1, "eos": .3}),
    "hops": lambda: k_case(k_config(), BASE | {"hop": 3, "gap": .5, "eos": .4}),
    "relatency": lambda: k_case(k_config(**{"render-delay": pick(0, 40 * MS), "ts-offset": pick(0, 50 * MS, -50 * MS)}), BASE | {"latency": 3, "property": 1}),
    "clip": lambda: k_case(k_config(qos=True), BASE | {"gap": 1, "eos": .3}, seg=segment(start=S + 30 * MS, stop=S + 930 * MS, base=pick(0, S), time=pick(0, 5 * S)), unit=200 * MS),
    "stamps": lambda: k_case(k_config(**{"qos": False, "max-lateness": -1}), BASE, stamps="mixed"),  # QoS and lateness of untimed buffers wrap around
    "no-async": lambda: k_case(k_config(**{"async": False}), BASE | {"hop": 1.5, "flush": 1, "gap": 1, "eos": .5}),
    "preroll-flush": lambda: k_case(k_config(), BASE | {"state": 3, "flush": 4, "advance": 3, "position": 2}, first="paused"),
    "eos-flush": lambda: k_case(k_config(), BASE | {"eos": 2, "flush": 2.5, "gap": .5}),
    "late-qos": lambda: k_case(k_config(**{"qos": True, "max-lateness": pick(0, 10 * MS, 50 * MS), "throttle-time": pick(0, 150 * MS)}), BASE | {"advance": 10, "property": .6, "segment": .4}, unit=40 * MS),
}

# ---- seek -----------------------------------------------------------------------------------------

def sk_case(flags, rates=(1.0,), queue=None, early=False, states=0.0, types=("set",), after_eos=False, seeks=.35):
    step = pick(100, 500, 1000) * MS; count = R.randint(4, 10); duration = step * count - pick(0, 0, step // 2); start = pick(0, 100 * S)
    cfg = {"clock_start": start, "duration": duration, "buffer_duration": step, "seekable": True, "queue": chance(.35) if queue is None else queue}
    def a_seek():
        rate = R.choice(rates); kind = R.choice(types)
        a = R.randint(0, duration // MS) * MS
        if chance(.4): a -= a % step
        if kind == "end": a = -min(duration, a)
        if kind == "none": a = -1
        low = duration + a if kind == "end" else max(0, a)
        b = -1; sk = "none"
        if chance(.5): sk = "set"; b = R.randint(low // MS, (duration + step) // MS) * MS
        if rate < 0 and sk == "none" and chance(.8): sk, b = "set", pick(duration, R.randint(low // MS, duration // MS) * MS)
        if kind == "set" and sk == "none" and chance(.2): sk, b = "end", 0
        if sk == "set" and chance(.15): b = -1
        return {"op": "seek", "rate": rate, "flags": R.choice(flags), "start_type": kind, "start": a, "stop_type": sk, "stop": b}
    def steps():
        clock = start
        if early:
            if chance(.5): yield a_seek()
            yield {"op": "set_state", "state": "ready"}
            yield a_seek()
        got = yield {"op": "set_state", "state": pick("paused", "playing")}
        if chance(.8): got = yield {"op": "set_state", "state": "playing"}
        waiting = False
        for _ in range(R.randint(5, 10)):
            k = R.random()
            if not waiting and k < seeks: got = yield a_seek()
            elif not waiting and k < seeks + states: got = yield {"op": "set_state", "state": pick("paused", "playing", "playing", "ready")}
            else:
                w = got.get("wait"); to = w if w is not None and chance(.8) else clock + step
                if after_eos and chance(.4): to = clock + 40 * S
                clock = max(clock, to); got = yield {"op": "advance", "to": clock}
            if got.get("result") == "blocks": waiting = True
            elif "unblocked" in got: waiting = False
        yield {"op": "advance", "to": clock + 60 * S}
    return {"kind": "seek", "config": cfg}, steps()

FL, NO = ["flush"], []
SEEK = {
    "early": lambda: sk_case([FL, ["flush", "accurate"]], early=True),
    "hops": lambda: sk_case([FL, ["flush", "key-unit"]], states=.3),
    "slow": lambda: sk_case([FL, NO, ["flush", "accurate"]], rates=(.5, 3.0, 1.0)),
    "back": lambda: sk_case([FL, ["flush", "accurate"]], rates=(-1.0, -.5, -2.0, 1.0), types=("set", "none")),
    "back-noflush": lambda: sk_case([NO, FL], rates=(-1.0, 1.0)),
    "loops": lambda: sk_case([["segment"], ["flush", "segment"]], after_eos=True),
    "back-loops": lambda: sk_case([["segment"], ["flush", "segment"]], rates=(-1.0, 1.0, -2.0), after_eos=True),
    "after-eos": lambda: sk_case([FL, NO, ["flush", "segment"]], after_eos=True, types=("set", "end")),
    "trick": lambda: sk_case([["flush", "trickmode"], ["flush", "trickmode", "trickmode-key-units"], ["flush", "snap-before", "key-unit"], ["flush", "snap-after", "key-unit"], ["flush", "trickmode-no-audio"], ["trickmode"]], rates=(1.0, 2.0, -1.0)),
    "queue-noflush": lambda: sk_case([NO, FL, ["segment"]], queue=True),
    "crowd": lambda: sk_case([FL, ["flush", "accurate"]], seeks=.75, types=("set", "none", "end"), states=.1),
}

SHAPES = {"flow": FLOW, "latency": LATENCY, "states": STATES, "queue": QUEUE, "sink_sync": SINK, "seek": SEEK}
