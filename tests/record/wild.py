"""Shapes that draw from everything the format knows: any event, any property, any order."""
from shapes import R, MS, S, FLOWS, STREAM, pick, chance, push, segment, q_config, k_config, l_case, l_src, l_filter, l_queue, l_sink, s_src, s_sink, el, pads
import shapes

FLAG_SETS = [[], ["reset"], ["trickmode"], ["segment"], ["trickmode-key-units"], ["trickmode-no-audio"], ["reset", "segment"]]

def any_segment(t, unit):
    e = segment(rate=pick(1.0, 1.0, 2.0, .5, -1.0, -2.0, 1.5), applied=pick(1.0, 1.0, 2.0, -1.0), start=t, stop=t + R.randint(2, 20) * unit, base=pick(0, 0, S, 3 * S), time=pick(None, 0, 7 * S))
    e["segment"]["flags"] = R.choice(FLAG_SETS)
    if e["segment"]["rate"] > 0 and chance(.5): e["segment"]["stop"] = None
    if chance(.1): e["segment"]["offset"] = unit
    if chance(.2): e["segment"]["time"] = None
    if chance(.2): e["segment"]["duration"] = 30 * S
    return e

def any_event(t, unit):
    return pick(lambda: {"event": "stream-start", "stream_id": pick("s1", "s2")}, lambda: {"event": "caps", "caps": f"test/a, x=(int){R.randint(1, 3)}"}, lambda: any_segment(t, unit),
        lambda: {"event": "tag", "title": pick("a", "b")}, lambda: {"event": "eos"}, lambda: {"event": "custom-sticky", "name": pick("one", "two")}, lambda: {"event": "custom", "name": "foo"},
        lambda: {"event": "custom-oob", "name": "oob"}, lambda: {"event": "gap", "pts": t, "duration": pick(None, unit, 3 * unit)}, lambda: {"event": "segment-done", "position": t})()

# ---- queue ----------------------------------------------------------------------------------------

QUEUE_SETS = [("max-size-buffers", lambda u: R.randint(0, 6)), ("max-size-bytes", lambda u: R.randint(0, 6) * 100), ("max-size-time", lambda u: R.randint(0, 6) * u), ("min-threshold-buffers", lambda u: R.randint(0, 4)),
              ("min-threshold-bytes", lambda u: R.randint(0, 4) * 60), ("min-threshold-time", lambda u: R.randint(0, 4) * u), ("flush-on-eos", lambda u: chance(.5)), ("silent", lambda u: chance(.3))]

def wild_queue(leaky=None, thresholds=False, stamps="any", calm=False):
    unit = pick(10, 40, 100, 500) * MS
    c = {"leaky": leaky or pick("no", "no", "upstream", "downstream"), "flush-on-eos": chance(.3), "silent": chance(.1)}
    if thresholds: c |= {"min-threshold-buffers": pick(0, 1, 2, 3), "min-threshold-bytes": pick(0, 0, 100, 300), "min-threshold-time": pick(0, 0, unit, 3 * unit), "max-size-buffers": pick(0, 4, 6), "max-size-time": pick(0, 5 * unit), "max-size-bytes": pick(0, 1000)}
    else: c |= {"max-size-time": pick(0, 0, unit, 2 * unit, 5 * unit)}
    config = q_config(**c); state = {"n": 0, "t": pick(0, 0, 3 * S)}
    def buf():
        n = state["n"]; state["n"] += 1
        if chance(.1): state["t"] = max(0, state["t"] + R.randint(-4, 6) * unit)
        t = state["t"]; state["t"] = t + unit
        out = {"id": n, "pts": t, "dts": None, "duration": unit, "size": pick(0, 1, 10, 50, 100, 100, 250), "flags": [f for f in ("discont", "header", "delta-unit") if chance(.1)]}
        if stamps == "any" and chance(.4): out |= pick({"pts": None}, {"duration": None}, {"pts": None, "duration": None}, {"dts": max(0, t - unit)}, {"dts": t, "pts": None}, {"dts": t, "pts": t + 2 * unit}, {"duration": 0}, {"duration": 4 * unit})
        return out
    def steps():
        yield {"op": "start"}
        if chance(.85): yield STREAM
        if chance(.3): yield push({"event": "caps", "caps": "test/a, x=(int)1"})
        if chance(.85): yield push(any_segment(state["t"], unit))
        blocked = False
        for _ in range(R.randint(14, 30)):
            ops = {"buffer": 8, "list": 1.5, "event": 2.5, "oob": .3, "release": 5, "flow": .6, "set": 1, "flush": .5}
            if calm: ops |= {"event": 1, "flow": .2, "set": .3}
            if blocked: ops |= {"buffer": 0, "list": 0, "event": 0}
            op = R.choices(list(ops), list(ops.values()))[0]
            if op == "buffer": got = yield {"op": "push_buffer"} | buf()
            elif op == "list": got = yield {"op": "push_list", "buffers": [buf() for _ in range(R.randint(1, 5))]}
            elif op == "event":
                e = any_event(state["t"], unit)
                got = yield push(e)
                if e["event"] == "segment": state["t"] = e["segment"]["start"]
            elif op == "oob": got = yield push({"event": "custom-oob", "name": "oob"})
            elif op == "release": got = yield {"op": "release", "n": R.randint(1, 4)}
            elif op == "flow": got = yield {"op": "set_downstream_flow", "flow": pick("ok", "ok", *FLOWS)}
            elif op == "set":
                name, make = R.choice(QUEUE_SETS); got = yield {"op": "set_property", "name": name, "value": make(unit)}
            elif op == "flush":
                got = yield push({"event": "flush-start"})
                if "unblocked" in got: blocked = False
                if chance(.3): got = yield {"op": "release", "n": 1}
                if chance(.3) and not blocked: got = yield push(pick({"event": "eos"}, {"event": "tag", "title": "f"}, {"event": "stream-start", "stream_id": "s3"}))
                got = yield push({"event": "flush-stop", "reset_time": chance(.7)})
                if "unblocked" in got: blocked = False
                if chance(.8): got = yield push(any_segment(state["t"], unit))
            if got.get("result") == "blocks": blocked = True
            elif "unblocked" in got: blocked = False
        yield {"op": "release", "n": 60}
    return {"kind": "queue", "config": config}, steps()

QUEUE = {
    "wild": wild_queue, "wild-leak-up": lambda: wild_queue("upstream"), "wild-leak-down": lambda: wild_queue("downstream"), "wild-threshold": lambda: wild_queue("no", True),
    "wild-threshold-leaky": lambda: wild_queue(None, True, calm=True), "wild-calm": lambda: wild_queue("no", stamps="pts", calm=True),
}

# ---- sink_sync ------------------------------------------------------------------------------------

SINK_SETS = [("ts-offset", lambda: R.randint(-8, 8) * 20 * MS), ("max-lateness", lambda: pick(-1, 0, 10 * MS, 20 * MS, S)), ("render-delay", lambda: R.randint(0, 5) * 20 * MS), ("sync", lambda: chance(.6)), ("qos", lambda: chance(.6)),
             ("throttle-time", lambda: pick(0, 50 * MS, 300 * MS)), ("processing-deadline", lambda: pick(0, 20 * MS, 100 * MS)), ("enable-last-sample", lambda: chance(.5)), ("async", lambda: chance(.6))]

def wild_sink(weights=None, stamps="pts", seg=None, config=None, first=None, sets=SINK_SETS):
    config = config or k_config(**{"async": chance(.85), "sync": chance(.9), "ts-offset": pick(0, 0, 60 * MS, -60 * MS), "render-delay": pick(0, 0, 40 * MS), "processing-deadline": pick(0, 20 * MS, 70 * MS), "throttle-time": pick(0, 0, 120 * MS), "max-lateness": pick(-1, -1, 0, 20 * MS, 200 * MS)})
    unit = pick(20, 40, 100, 500) * MS; now = {"clock": config["clock_start"], "wait": None, "n": 0, "t": 0, "back": False}
    W = {"push": 8, "advance": 6, "state": 1.2, "position": 1, "gap": .7, "event": .7, "segment": .5, "property": .7, "latency": .4, "flush": .5, "eos": .2} | (weights or {})
    def buf():
        if chance(.1): now["t"] = max(0, now["t"] + R.randint(-3, 5) * unit)
        if now["back"]: now["t"] = max(0, now["t"] - unit)
        t = now["t"]
        if not now["back"]: now["t"] += unit
        out = {"op": "push_buffer", "id": now["n"], "pts": t, "dts": None, "duration": unit}; now["n"] += 1
        if stamps == "any" and not config["qos"] and chance(.4): out |= pick({"pts": None, "dts": t}, {"duration": None}, {"pts": None, "duration": None}, {"dts": max(0, t - unit)}, {"duration": 0}, {"duration": 5 * unit})
        elif chance(.1): out |= pick({"duration": None}, {"duration": 3 * unit}, {"dts": t})
        return out
    def new_segment():
        e = any_segment(pick(0, 0, S, 5 * S), unit); s = e["segment"]; now["back"] = s["rate"] < 0; now["t"] = s["stop"] if now["back"] else s["start"]
        return push(e)
    def steps():
        got = yield {"op": "set_state", "state": first or pick("paused", "paused", "playing", "ready")}
        if chance(.95): yield STREAM
        if chance(.3): yield push({"event": "caps", "caps": "test/a, x=(int)1"})
        got = yield (push(seg) if seg else new_segment()); blocked = False
        for _ in range(R.randint(14, 28)):
            now["wait"] = got.get("wait")
            ops = {k: v for k, v in W.items() if not (blocked and k in ("push", "gap", "eos", "segment", "event"))}
            op = R.choices(list(ops), list(ops.values()))[0]
            if op == "push": got = yield buf()
            elif op == "gap": got = yield push({"event": "gap", "pts": now["t"], "duration": pick(unit, None, 3 * unit)}); now["t"] += 0 if now["back"] else unit
            elif op == "eos": got = yield push({"event": "eos"})
            elif op == "event":
                e = any_event(now["t"], unit)
                if e["event"] in ("segment", "eos", "gap", "custom-oob"): e = {"event": "segment-done", "position": now["t"]}
                got = yield push(e)
            elif op == "segment": got = yield new_segment()
            elif op == "advance":
                to = now["wait"] if now["wait"] is not None and chance(.6) else now["clock"] + R.choice((1, unit // 3, unit, 2 * unit + 1, 5 * unit, 3 * S))
                now["clock"] = to = max(to, now["clock"]); got = yield {"op": "advance", "to": to}
            elif op == "state": got = yield {"op": "set_state", "state": pick("paused", "playing", "playing", "paused", "ready", "null") if chance(.4) else pick("paused", "playing")}
            elif op == "position": got = yield {"op": "query_position"}
            elif op == "latency": got = yield {"op": "set_latency", "latency": R.randint(0, 10) * 20 * MS}
            elif op == "property":
                name, make = R.choice(sets)
                if name == "sync" and now["wait"] is not None: continue  # ends the wait, here
                got = yield {"op": "set_property", "name": name, "value": make()}
            elif op == "flush":
                got = yield push({"event": "flush-start"})
                if "unblocked" in got: blocked = False
                if chance(.3): got = yield pick({"op": "query_position"}, {"op": "set_state", "state": pick("paused", "playing")}, {"op": "set_latency", "latency": 40 * MS}, {"op": "set_property", "name": "ts-offset", "value": 20 * MS})
                got = yield push({"event": "flush-stop", "reset_time": chance(.7)})
                if chance(.85): got = yield new_segment()
            if got.get("result") == "blocks": blocked = True
            elif "unblocked" in got: blocked = False
        now["clock"] += 100 * S
        yield {"op": "advance", "to": now["clock"]}
    return {"kind": "sink_sync", "config": config}, steps()

SINK = {
    "wild": wild_sink, "wild-stamps": lambda: wild_sink(stamps="any", config=k_config(**{"qos": False, "max-lateness": -1}), sets=[s for s in SINK_SETS if s[0] not in ("qos", "max-lateness")]), "wild-state": lambda: wild_sink({"state": 4}), "wild-gap": lambda: wild_sink({"gap": 4, "eos": .5}),
    "wild-set": lambda: wild_sink({"property": 4, "latency": 1}), "wild-position": lambda: wild_sink({"position": 6, "state": 2, "eos": .5}), "wild-eos": lambda: wild_sink({"eos": 2, "flush": 1, "state": 2}),
    "wild-qos": lambda: wild_sink({"advance": 9}, config=k_config(**{"qos": True, "max-lateness": pick(0, 20 * MS, -1), "throttle-time": pick(0, 100 * MS)})),
    "wild-live": lambda: wild_sink({"latency": 1.5, "state": 2.5}, config=k_config(**{"upstream_latency": {"live": True, "min": pick(0, 60 * MS), "max": pick(None, 200 * MS)}})),
}

# ---- states ---------------------------------------------------------------------------------------

def wild_states(bins=True, fail=False, locks=True):
    e, l, homes = [], [], [None]
    if bins and chance(.6):
        for n in range(R.randint(1, 3)):
            home = R.choice(homes); name = f"bin{n}"; e.append(el(name, "bin", **({"bin": home} if home else {}))); homes.append(name)
    for i in range(R.randint(1, 3)):
        home = R.choice(homes); h = {"bin": home} if home else {}
        if chance(.12): e.append(s_sink(f"sink{i}", **h)); continue
        e.append(s_src(f"src{i}", chance(.35), **h)); last = f"src{i}"
        for m in range(R.choice((0, 0, 1, 2))): name = f"mid{i}{m}"; e.append(el(name, pick("identity", "queue"), **h)); l.append([last, name]); last = name
        if chance(.3):
            e.append(el(f"t{i}", "tee", **h)); l.append([last, f"t{i}"])
            for b in range(R.randint(1, 3)):
                last = f"t{i}"
                if b or chance(.6): e.append(el(f"q{i}{b}", "queue", **h)); l.append([last, f"q{i}{b}"]); last = f"q{i}{b}"
                e.append(s_sink(f"sink{i}{b}", **h)); l.append([last, f"sink{i}{b}"])
        elif chance(.93): e.append(s_sink(f"sink{i}", **h)); l.append([last, f"sink{i}"])
    plain = [x["name"] for x in e]
    names = [x["name"] for x in e if x["type"] != "bin"]
    f = {"element": R.choice(names), "transition": pick("null->ready", "ready->paused", "paused->playing", "playing->paused", "paused->ready", "ready->null")} if fail else None
    return shapes.s_case(e, l, fail=f, targets=tuple(["pipeline"] + R.sample(plain, min(2, len(plain)))) if chance(.5) else ("pipeline",), lock=R.sample(plain, min(2, len(plain))) if locks and chance(.5) else ())

def states_bin_linked():
    """A bin with a ghost pad, within which all sorts stand."""
    e = [el("bin", "bin"), s_src("src", chance(.4), bin="bin")]; l = []; last = "src"
    for n in range(R.randint(0, 2)): e.append(el(f"m{n}", pick("identity", "queue"), bin="bin")); l.append([last, f"m{n}"]); last = f"m{n}"
    e.append(el("mid", pick("identity", "queue"), bin="bin")); l.append([last, "mid"])
    if chance(.4): e += [s_src("extra", chance(.3), bin="bin"), s_sink("extrasink", bin="bin")]; l.append(["extra", "extrasink"])
    last = "bin"
    if chance(.4): e.append(el("q", "queue")); l.append([last, "q"]); last = "q"
    if chance(.5):
        e.append(el("t", "tee")); l.append([last, "t"])
        for b in range(2): e += [el(f"tq{b}", "queue"), s_sink(f"sink{b}")]; l += [["t", f"tq{b}"], [f"tq{b}", f"sink{b}"]]
    else: e.append(s_sink("sink")); l.append([last, "sink"])
    return shapes.s_case(e, l, targets=pick(("pipeline",), ("pipeline", "bin"), ("pipeline", "bin", "mid")), lock=pick((), (), ("bin",), ("mid",)))

STATES = {"wild": wild_states, "wild-flat": lambda: wild_states(False), "wild-free": lambda: wild_states(locks=False), "wild-fail": lambda: wild_states(fail=True), "wild-ghost": states_bin_linked}

# ---- latency --------------------------------------------------------------------------------------

def wild_latency(more, chain, add):
    tees = 0
    for _ in range(R.randint(1, 3)):
        if chance(.08): chain(*[more(R.choice((l_filter, l_queue))) for _ in range(R.randint(1, 2))], more(l_sink)); continue
        head = [more(l_src)] + [more(R.choice((l_filter, l_queue))) for _ in range(R.choice((0, 0, 1, 2, 3)))]
        if chance(.45):
            t = f"tee{tees}"; tees += 1; add({"name": t, "type": "tee"}); chain(*head, t)
            for b in range(R.randint(1, 3)): chain(t, *([more(l_queue)] if b or chance(.7) else []), *[more(R.choice((l_filter, l_queue))) for _ in range(R.choice((0, 0, 1)))], more(l_sink))
        elif chance(.94): chain(*head, more(l_sink))
        else: chain(*head)
LATENCY = {"wild": lambda: l_case(wild_latency)}

# ---- flow -----------------------------------------------------------------------------------------

def any_begin():
    out = [{"op": "set_active", "pad": p, "active": True} for p in "ABC" if chance(.8)]
    if chance(.6): out.append({"op": "link", "to": pick("B", "C")})
    R.shuffle(out); return out
FLOW = {"wild-all": lambda: pads({"push_event": 9, "push_buffer": 5, "link": 3, "unlink": 2, "set_active": 1.5, "set_flow": 1.5, "set_event_result": 1.5}, any_begin()),
        "wild-flush": lambda: pads({"push_event": 14, "push_buffer": 4, "set_flow": 1, "link": 1, "unlink": .6}, any_begin())}

# ---- seek -----------------------------------------------------------------------------------------

ALL_FLAGS = [[], ["flush"], ["flush", "accurate"], ["flush", "key-unit"], ["segment"], ["flush", "segment"], ["accurate"], ["flush", "trickmode"], ["flush", "snap-before"], ["flush", "snap-after", "key-unit"], ["segment", "accurate"]]
RATES = (1.0, 1.0, 2.0, .5, -1.0, -2.0, 1.5)
SEEK = {
    "wild": lambda: shapes.sk_case(ALL_FLAGS, RATES, states=.1, types=("set", "set", "none", "end"), after_eos=chance(.3)),
    "wild-states": lambda: shapes.sk_case([["flush"], ["flush", "accurate"], ["flush", "segment"]], RATES, states=.35, types=("set", "none", "end"), early=chance(.3)),
    "wild-queue": lambda: shapes.sk_case(ALL_FLAGS, RATES, queue=True, types=("set", "none", "end"), seeks=.5),
    "wild-forward": lambda: shapes.sk_case(ALL_FLAGS, (1.0, 2.0, .5, 1.5, 3.0), seeks=.5, after_eos=chance(.5)),
}

for kind, more in {"flow": FLOW, "latency": LATENCY, "states": STATES, "queue": QUEUE, "sink_sync": SINK, "seek": SEEK}.items(): shapes.SHAPES[kind].update(more)
