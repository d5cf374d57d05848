#!/usr/bin/env python3
"""Records what GStreamer itself answers, as cases for `cargo xtask conform DIR`.

    /usr/bin/python3 tests/record/record.py --seed 1 --count 500 DIR

Kinds: segment, caps, caps_features, value, launch (one file each in DIR; format: tests/vectors/README.md). Needs
GStreamer's introspection (Debian: python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0).
"""
import argparse, ctypes, json, os, random, re, sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst, GObject, GLib

NONE = 2**64 - 1
R = random.Random()
pick = lambda *items: R.choice(items)


# ---- caps -------------------------------------------------------------------------------------

def number():
    return pick(0, 1, 2, 3, 4, 5, 8, 10, 16, 25, 30, 48, 100, 320, 640, 1920, 44100, -1, -5, 2147483647, -2147483648, R.randint(-50, 2000))

def int_range():
    a, b = sorted((number(), number()))
    if a == b: b = min(b + R.randint(1, 9), 2147483647); a = b - 1
    step = pick("", "", "", ", 2", ", 5", ", 16")
    if step:
        n = int(step[2:]); a = max(-2000, min(a, 2000)); a -= a % n; b = a + n * R.randint(1, 30)
    low = "min" if R.random() < .05 and not step else str(a)
    high = "max" if R.random() < .05 and not step else str(b)
    return f"[ {low}, {high}{step} ]"

def fraction():
    return pick("0/1", "1/1", "25/1", "30/1", "30000/1001", "24000/1001", "15/2", "60/1", "1/2147483647", f"{R.randint(0, 120)}/{R.randint(1, 5)}")

def fraction_range():
    a, b = fraction(), fraction()
    val = lambda f: int(f.split("/")[0]) / int(f.split("/")[1])
    if val(a) > val(b): a, b = b, a
    if val(a) == val(b): b = "2147483647/1"
    return f"[ {a}, {b} ]"

def double():
    return pick("0.0", "1.0", "0.1", "0.5", "-1.5", "29.97", "1e3", f"{R.uniform(-5, 5):.3f}")

def double_range():
    a, b = sorted((float(double()), float(double())))
    if a == b: b += 1.5
    return f"[ {a}, {b} ]"

def string():
    return pick("I420", "NV12", "RGB", "S16LE", "abc", "a-b", "\"a b\"", "\"x;y\"", "\"\"", "high", "\"é\"", "true", "\"12\"")

def listed(make, opening="{", closing="}"):
    return f"{opening} " + ", ".join(make() for _ in range(R.randint(1, 4))) + f" {closing}"

def field_value():
    kind = R.randrange(17)
    if kind == 0: return "(int)" + str(number())
    if kind == 1: return str(number())
    if kind == 2: return "(int)" + int_range()
    if kind == 3: return "(int)" + listed(lambda: str(number()))
    if kind == 4: return "(fraction)" + fraction()
    if kind == 5: return "(fraction)" + fraction_range()
    if kind == 6: return "(fraction)" + listed(fraction)
    if kind == 7: return "(double)" + double()
    if kind == 8: return "(double)" + double_range()
    if kind == 9: return "(string)" + string()
    if kind == 10: return "(string)" + listed(string)
    if kind == 11: return "(boolean)" + pick("true", "false", "t", "yes", "TRUE")
    if kind == 12: return "(bitmask)0x" + format(R.choice((0, 3, 4, 0xff, R.getrandbits(40))), "x")
    if kind == 13: return "(int)" + listed(lambda: str(R.randint(0, 4)), "<", ">")
    if kind == 14: return "(int)" + listed(lambda: pick(str(R.randint(0, 9)), int_range()))
    if kind == 15: return "(int64)" + str(number() * pick(1, 10**9))
    return "(string)" + listed(lambda: pick("I420", "NV12", "YUY2", "RGB"))

FIELDS = ["width", "height", "framerate", "format", "rate", "channels", "x", "y"]

FEATURED = .15  # how many structures have features

def structure(features=True):
    name = pick("video/x-raw", "video/x-raw", "audio/x-raw", "test/a", "video/x-h264")
    if features and R.random() < FEATURED: name += pick("(memory:SystemMemory)", "(memory:GLMemory)", "(memory:GLMemory)", "(meta:A, meta:B)", "(meta:B, meta:A)", "(ANY)", "(memory:GLMemory, meta:A)", "(memory:SystemMemory, meta:A)", "( meta:A,meta:B )", "(memory:DMABuf)")
    fields = R.sample(FIELDS, R.choice((0, 1, 1, 2, 2, 3)))
    return ", ".join([name] + [f"{field}={field_value()}" for field in fields])

def caps_text():
    if R.random() < .03: return pick("ANY", "EMPTY")
    return "; ".join(structure() for _ in range(R.choice((1, 1, 1, 2, 2, 3, 4))))

def relative(text):
    """Caps near others, so that they meet."""
    if R.random() < .4: return caps_text()
    parts = text.split("; ")
    R.shuffle(parts)
    parts = parts[: R.randint(1, len(parts))]
    out = []
    for part in parts:
        bits = [part]
        if R.random() < .5 and not part.startswith(("ANY", "EMPTY")): bits.append(f"{pick(*FIELDS)}={field_value()}")
        out.append(", ".join(bits))
    return "; ".join(out + ([structure()] if R.random() < .3 else []))

ALIASES = ["int", "i", "gint", "uint", "u", "guint", "gint64", "guint64", "double", "d", "gdouble", "float", "f", "string", "s", "str", "boolean", "bool", "b", "fraction", "GstFraction", "bitmask", "GstBitmask", "structure", "GstCaps", "flagset", "gchar", "list", "array", "foo", "type", "int64", "date", "GstDateTime", "buffer"]
WORDS = ["1", "-1", "+7", "0x1F", "010", "08", "1e2", "2.", ".5", "-.5", "nan", "inf", "1/2", "-1/3", "1/-3", "2/4", "1/0", "30000/1001", "true", "YES", "t", "no", "abc", "a-b_c.d", "a:b", "a+b", "1a", "a1", "min", "max", "NULL", "null", "\"x\"", "\"1\"", "\"a b\"", "\"a\\\"b\"", "\"a\\\\b\"",
         "\"\"", "'x'", "x\\ y", "é", "\"é\"", "2147483648", "-2147483649", "99999999999999999999", "4294967295", "1+2", "0x3:0x7", "a=b", "1 2", "", "\"[ 1, 2 ]\"", "2020-01-02", "0xffffffffffffffff", "\"\\303\\251\"", "1:2:3", "+a/-b"]

def quirk_value(deep=0):
    k = R.randrange(10) if deep < 3 else 0
    cast = f"({pick('', ' ')}{R.choice(ALIASES)}{pick('', '', ' ')}){pick('', '', ' ')}" if R.random() < .45 else ""
    inner = lambda: quirk_value(deep + 1)
    gap = pick("", " ")
    if k <= 5: return cast + R.choice(WORDS)
    if k == 6: return cast + "[" + gap + ("," + gap).join(pick(*WORDS[:17], "min", "max", "0", "10", "5") for _ in range(pick(2, 2, 2, 2, 3, 3, 1, 4))) + gap + "]"
    if k == 7: return cast + "{" + gap + ("," + gap).join(inner() for _ in range(R.randint(0, 3))) + gap + "}"
    if k == 8: return cast + "<" + gap + ("," + gap).join(inner() for _ in range(R.randint(0, 3))) + gap + ">"
    return cast + pick("[1,2", "{1,2", "<1", "(int)", "((int))5", "\"open", "[foo, a=1]", "[foo, a=1;]", "[audio/x-raw]", "\"foo, a=1;\"", "{ }", "< >", "[ ]", "}", "]", "1)", "(int")

def quirk_text():
    out = []
    for _ in range(pick(1, 1, 1, 2)):
        name = pick("test/a", "test/a", "video/x-raw", "a", "a1", "1a", "x-y", "a.b", "a:b/c+d", "", "\"q/q\"", "ANY", "EMPTY", "NONE", "test/a(memory:A)", "test/a( memory:A , meta:B)", "test/a(ANY)", "test/a()", "test/a(a)", "test/a(memory:A", "test /a")
        fields = [f"{pick('x', 'y', 'x', '1x', 'a-b', 'a:b', 'a.b', 'X', 'x ', 'x+y', 'x/y')}={pick('', '', ' ')}{quirk_value()}" for _ in range(R.choice((0, 1, 1, 1, 2)))]
        out.append(pick(", ", ",", " , ").join([name] + fields) + pick("", "", "", "", ",", " ", ";"))
    return pick("; ", ";", " ;").join(out)

def quirk_case():
    text = quirk_text()
    caps = Gst.Caps.from_string(text)
    expect = {"ok": True, "caps": caps.to_string(), "size": caps.get_size(), "any": caps.is_any(), "empty": caps.is_empty(), "fixed": caps.is_fixed()} if caps is not None else {"ok": False}
    return {"op": "parse", "group": "quirk", "a": text, "expect": expect}

def parsed(make):
    while True:
        text = make()
        caps = Gst.Caps.from_string(text)
        if caps is not None: return text, caps

def duplicate_fields(text):
    return any(part.count(f" {f}=") > 1 for part in text.split(";") for f in FIELDS)

def caps_case():
    if R.random() < .2: return quirk_case()
    op = pick("parse", "intersect", "intersect", "intersect_first", "can_intersect", "is_subset", "is_subset", "is_equal", "is_strictly_equal",
              "is_always_compatible", "fixate", "simplify", "normalize", "merge", "append", "subtract", "fixate_field")
    text, a = parsed(caps_text)
    case = {"op": op, "a": text}
    if op == "parse":
        return case | {"group": "random", "expect": {"ok": True, "caps": a.to_string(), "size": a.get_size(), "any": a.is_any(), "empty": a.is_empty(), "fixed": a.is_fixed()}}
    if op == "fixate_field":
        text, a = parsed(lambda: structure(False))
        s = a.get_structure(0).copy()
        names = [s.nth_field_name(i) for i in range(s.n_fields())] + ["absent"]
        field = R.choice(names)
        how = pick("nearest_int", "nearest_fraction", "nearest_double", "string", "boolean")
        if how == "nearest_int":
            target = number(); changed = s.fixate_field_nearest_int(field, target)
        elif how == "nearest_fraction":
            target = fraction(); n, d = map(int, target.split("/")); changed = s.fixate_field_nearest_fraction(field, n, d)
        elif how == "nearest_double":
            target = float(double()); changed = s.fixate_field_nearest_double(field, target)
        elif how == "string":
            target = string().strip('"'); changed = s.fixate_field_string(field, target)
        else:
            target = pick(True, False); changed = s.fixate_field_boolean(field, target)
        if field == "absent": return None
        out = Gst.Caps.new_empty(); out.append_structure(s)
        return case | {"a": text, "args": {"how": how, "field": field, "target": target}, "expect": {"changed": changed, "caps": out.to_string()}}
    if op in ("fixate", "simplify", "normalize"):
        if op == "fixate" and (a.is_any() or a.is_empty()): return None
        copy = a.copy()
        return case | {"expect": getattr(copy, op)().to_string()}
    other, b = parsed(lambda: relative(text))
    case["b"] = other
    if op == "intersect_first": result = a.intersect_full(b, Gst.CapsIntersectMode.FIRST).to_string()
    elif op in ("merge", "append"):
        copy = a.copy()
        if op == "merge": result = Gst.Caps.merge(copy, b.copy()).to_string()
        else:
            copy.append(b.copy()); result = copy.to_string()
    elif op in ("intersect", "subtract"): result = getattr(a, op)(b).to_string()
    else: result = getattr(a, op)(b)
    return case | {"expect": result}


def features_case():
    """Caps whose structures mostly have features."""
    global FEATURED
    FEATURED = .75
    try: return caps_case()
    finally: FEATURED = .15


# ---- values -----------------------------------------------------------------------------------

TYPES = {"int": "gint", "uint": "guint", "int64": "gint64", "uint64": "guint64", "boolean": "gboolean", "double": "gdouble", "float": "gfloat", "string": "gchararray", "fraction": "GstFraction"}

def value_text(kind):
    if kind in ("int", "uint", "int64", "uint64"):
        return pick(str(number()), str(R.getrandbits(pick(8, 31, 32, 33, 63, 64))), "0x%x" % R.getrandbits(20), "0%o" % R.getrandbits(9), "min", "max", "little_endian", "BYTE_RGB", " 5", "5 ", "+5", "--3", "1e3", "9" * R.randint(1, 22), "-0")
    if kind == "boolean": return pick("true", "TRUE", "t", "f", "yes", "no", "1", "0", "y", "on", "False", "nO", "T")
    if kind in ("double", "float"): return pick(double(), "1e400", "-1e-320", "nan", "inf", "0x1p3", ".5", "5.", "1,5", "max", "min", "1e", "abc", str(R.uniform(-1e12, 1e12)))
    if kind == "fraction": return pick(fraction(), "5", "-3/6", "3/-6", "1/0", "2147483648/1", "max", "min", "1/2/3", "29.97", " 1/2", "1 / 2", "0.1")
    return pick("abc", "a b", "\"a b\"", "\"a\\\"b\"", "'a'", "NULL", "", "\"\"", "é", "\"\\303\\251\"", "a;b", "\"unterminated", "a\\ b", "\"NULL\"", "tab\there")

LIB = ctypes.CDLL("libgstreamer-1.0.so.0")
LIB.gst_structure_get_value.restype = ctypes.c_void_p
LIB.gst_structure_get_value.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
LIB.gst_value_compare.argtypes = [ctypes.c_void_p, ctypes.c_void_p]

def compare(a, b):
    """Two structures' fields `v`, compared as they are, not as Python would see them."""
    va, vb = (LIB.gst_structure_get_value(hash(s), b"v") for s in (a, b))
    return {-1: "less", 0: "equal", 1: "greater"}.get(LIB.gst_value_compare(va, vb), "unordered")

GOBJECT = ctypes.CDLL("libgobject-2.0.so.0")
GOBJECT.g_type_from_name.restype = ctypes.c_size_t
LIB.gst_value_serialize.restype = GOBJECT.g_value_get_string.restype = ctypes.c_char_p
GOBJECT.g_value_get_flags.restype = ctypes.c_uint

def deserialize(kind, gtype, text):
    """`gst_value_deserialize`, which introspection takes for one that makes its value."""
    raw = ctypes.create_string_buffer(24); v = ctypes.byref(raw)
    GOBJECT.g_value_init(v, ctypes.c_size_t(GOBJECT.g_type_from_name(gtype.encode())))
    if not LIB.gst_value_deserialize(v, text.encode()): return {"ok": False}
    out = LIB.gst_value_serialize(v)
    expect = {"ok": True, "text": None if out is None else out.decode()}
    if kind == "string": s = GOBJECT.g_value_get_string(v); expect["value"] = None if s is None else s.decode()
    if kind == "fraction": expect["value"] = [LIB.gst_value_get_fraction_numerator(v), LIB.gst_value_get_fraction_denominator(v)]
    if kind.startswith("enum"): expect["value"] = GOBJECT.g_value_get_enum(v)
    if kind.startswith("flags"): expect["value"] = GOBJECT.g_value_get_flags(v)
    return expect

def subtracted(a, b):
    """`gst_value_fraction_subtract`, which has no plain twin."""
    values = [ctypes.create_string_buffer(24) for _ in range(3)]; x, y, out = map(ctypes.byref, values)
    for v, f in ((x, a), (y, b), (out, (0, 1))):
        GOBJECT.g_value_init(v, ctypes.c_size_t(GOBJECT.g_type_from_name(b"GstFraction"))); LIB.gst_value_set_fraction(v, *f)
    if not LIB.gst_value_fraction_subtract(out, x, y): return {"ok": False}
    return {"ok": True, "value": [LIB.gst_value_get_fraction_numerator(out), LIB.gst_value_get_fraction_denominator(out)]}

ENUMS = {"enum:leaky": "GstQueueLeaky", "enum:seek-type": "GstSeekType", "flags:seek-flags": "GstSeekFlags"}

def enum_text(kind):
    words = {"enum:leaky": ["no", "upstream", "downstream", "GST_QUEUE_LEAK_UPSTREAM", "leaky on upstream (new buffers)", "Leaky on upstream (new buffers)", "Not Leaky", "NO"],
             "enum:seek-type": ["none", "set", "end", "GST_SEEK_TYPE_SET", "GST_SEEK_TYPE_END", "SET", "cur"],
             "flags:seek-flags": ["flush", "accurate", "key-unit", "segment", "trickmode", "skip", "snap-before", "snap-after", "snap-nearest", "trickmode-key-units", "trickmode-no-audio", "trickmode-forward-predicted", "instant-rate-change", "none", "GST_SEEK_FLAG_FLUSH", "GST_SEEK_FLAG_SKIP", "FLUSH"]}[kind]
    word = lambda: pick(*words, *words, str(R.randint(-2, 12)), "0x%x" % R.getrandbits(11), "", "x", "1a", "2048")
    if kind.startswith("flags"): return pick("+", "+", "+", "|", ",", " + ").join(word() for _ in range(R.randint(0, 4)))
    return pick("", "", "", " ") + word() + pick("", "", "", " ")

def value_case():
    op = pick("parse", "parse", "parse", "parse", "serialize_string", "double_to_fraction", "fraction_to_double", "fraction_multiply", "fraction_add", "fraction_subtract", "fraction_compare",
              "scale", "scale_round", "scale_ceil", "compare", "structure")
    big = lambda: pick(R.getrandbits(10), R.getrandbits(32), R.getrandbits(63), R.getrandbits(64), NONE, 10**9, 90000)
    if op == "double_to_fraction":
        value = pick(float(double()), R.uniform(-1e3, 1e3), R.uniform(0, 1), 10.0 ** R.randint(-12, 12), R.randint(1, 10**6) / R.randint(1, 1001), 1e300, -1e-300, 2147483647.0, 4294967296.0)
        return {"op": op, "input": value, "expect": list(Gst.util_double_to_fraction(value))}
    if op == "fraction_to_double":
        value = [R.choice((R.randint(-100, 100), R.randint(-2**31, 2**31 - 1))), R.choice((1, 2, 1001, R.randint(1, 2**31 - 1)))]
        return {"op": op, "input": value, "expect": Gst.util_fraction_to_double(*value)}
    if op == "parse" and R.random() < .25:
        kind = R.choice(list(ENUMS)); text = enum_text(kind)
        return {"op": op, "type": kind, "input": text, "expect": deserialize(kind, ENUMS[kind], text)}
    if op == "parse":
        kind = R.choice(list(TYPES)); text = value_text(kind)
        return {"op": op, "type": kind, "input": text, "expect": deserialize(kind, TYPES[kind], text)}
    if op == "serialize_string":
        text = "".join(pick("a", "B", " ", "\"", "\\", "é", ";", "1", "-", "\n", "\t", ".", "/", ":", "+", "_", "=", "NULL") for _ in range(R.randint(0, 6)))
        v = GObject.Value(str, text)
        return {"op": op, "input": text, "expect": Gst.value_serialize(v)}
    if op == "time_format":
        return None
    if op.startswith("fraction_"):
        a, b = ([R.choice((R.randint(-100, 100), R.randint(-2**31, 2**31 - 1), 30000, 0)), R.choice((1, 2, 1001, R.randint(1, 2**31 - 1), 7))] for _ in range(2))
        name = op.split("_")[1]
        if name == "compare": return {"op": op, "a": a, "b": b, "expect": Gst.util_fraction_compare(*a, *b)}
        if name == "subtract":
            return {"op": op, "a": a, "b": b, "expect": subtracted(a, b)}
        ok, n, d = getattr(Gst, "util_fraction_" + name)(*a, *b)
        return {"op": op, "a": a, "b": b, "expect": {"ok": True, "value": [n, d]} if ok else {"ok": False}}
    if op.startswith("scale"):
        f = {"scale": Gst.util_uint64_scale, "scale_round": Gst.util_uint64_scale_round, "scale_ceil": Gst.util_uint64_scale_ceil}[op]
        v, n, d = big(), big(), big() or 1
        return {"op": op, "value": v, "num": n, "denom": d, "expect": f(v, n, d)}
    if op == "compare":
        a, b = field_value(), field_value()
        if R.random() < .5: b = a.split(")")[0] + ")" + field_value().split(")")[-1]
        def get(t):
            try: return Gst.Structure.from_string("s, v=" + t)[0]
            except TypeError: return None
        sa, sb = get(a), get(b)
        if sa is None or sb is None or not a.startswith("(") or not b.startswith("("): return None
        return {"op": op, "a": a, "b": b, "expect": compare(sa, sb)}
    text = ", ".join([pick("s", "GstThing", "a/b", "x-y")] + [f"{f}={field_value()}" for f in R.sample(FIELDS, R.randint(0, 3))]) + pick("", ";", " ;", "; rest")
    if R.random() < .4: text = quirk_text()
    try: result = Gst.Structure.from_string(text)
    except TypeError: result = None
    s = result[0] if isinstance(result, tuple) else result
    if text.endswith("rest"): return None
    return {"op": op, "input": text, "expect": {"ok": True, "text": s.to_string()} if s else {"ok": False}}


# ---- segments ---------------------------------------------------------------------------------

SEG_FLAGS = {"reset": 1, "trickmode": 16, "segment": 8, "trickmode-key-units": 128, "trickmode-no-audio": 256, "trickmode-forward-predicted": 512}
SEEK_FLAGS = {"flush": 1, "accurate": 2, "key-unit": 4, "segment": 8, "trickmode": 16, "snap-before": 32, "snap-after": 64, "trickmode-key-units": 128, "trickmode-no-audio": 256, "trickmode-forward-predicted": 512}
S = 10**9

def t(): return pick(0, 1, S, 2 * S, 5 * S, 10 * S, 3600 * S, R.randint(0, 20 * S), R.randint(0, 100))
def maybe(x): return NONE if R.random() < .3 else x
def json_time(x): return None if x == NONE or x == -1 else x
def nick(flags, table): return [n for n, bit in table.items() if int(flags) & bit]

def segment_json(s):
    return {"format": "time" if s.format == Gst.Format.TIME else "bytes", "flags": nick(s.flags, SEG_FLAGS), "rate": s.rate, "applied_rate": s.applied_rate,
            "base": s.base, "offset": s.offset, "start": s.start, "stop": json_time(s.stop), "time": json_time(s.time), "position": json_time(s.position), "duration": json_time(s.duration)}

def segment():
    s = Gst.Segment(); s.init(pick(Gst.Format.TIME, Gst.Format.TIME, Gst.Format.BYTES))
    s.rate = pick(1.0, 1.0, 2.0, 0.5, -1.0, -2.0, 1.5); s.applied_rate = pick(1.0, 1.0, 2.0, -1.0, 0.5)
    s.start = t(); s.stop = maybe(s.start + t()); s.base = pick(0, t()); s.time = maybe(t())
    s.offset = pick(0, 0, min(t(), (s.stop - s.start) if s.stop != NONE else S)); s.position = maybe(s.start + t()); s.duration = maybe(t())
    if s.stop != NONE and s.position != NONE: s.position = min(s.position, s.stop)
    if s.rate < 0 and s.stop == NONE: s.stop = s.start + t()
    return s

def seek_args(s):
    kinds = {"none": Gst.SeekType.NONE, "set": Gst.SeekType.SET, "end": Gst.SeekType.END}
    start_type, stop_type = pick("set", "set", "none"), pick("set", "none", "none")
    start = t(); stop = pick(-1, start + t() + 1)
    rate = pick(1.0, 1.0, 2.0, 0.5, -1.0)
    flags = R.sample(list(SEEK_FLAGS), R.randint(0, 3))
    if start_type != "set": start = pick(-1, 0)
    if stop_type != "set": stop = -1
    lower = start if start_type == "set" else s.start
    upper = stop if stop_type == "set" else (s.stop if s.stop != NONE else -1)
    if upper != -1 and lower > upper: return None
    if rate < 0 and upper == -1: return None
    return {"rate": rate, "flags": flags, "start_type": start_type, "start": start, "stop_type": stop_type, "stop": stop}, kinds

def do_seek(s, a, kinds):
    bits = sum(SEEK_FLAGS[f] for f in a["flags"])
    u = lambda x: NONE if x == -1 else x
    ok, update = s.do_seek(a["rate"], s.format, Gst.SeekFlags(bits), kinds[a["start_type"]], u(a["start"]), kinds[a["stop_type"]], u(a["stop"]))
    return {"ok": True, "update": update, "segment": segment_json(s)} if ok else {"ok": False}

def segment_case():
    s = segment(); before = segment_json(s)
    op = pick("to_running_time", "to_stream_time", "position_from_running_time", "position_from_stream_time", "full", "clip", "clip", "do_seek", "do_seek", "do_seek_chain", "offset_running_time", "set_running_time")
    value = pick(t(), s.start + t(), s.base + t())
    plain = lambda x: json_time(x)
    if op == "full":
        op = pick("to_running_time", "to_stream_time", "position_from_running_time", "position_from_stream_time") + "_full"
        sign, v = getattr(s, op)(s.format, value)
        return {"op": op, "segment": before, "args": {"value": value}, "expect": {"sign": sign, "value": None if sign == 0 else v}}
    if op in ("to_running_time", "to_stream_time", "position_from_running_time", "position_from_stream_time"):
        return {"op": op, "segment": before, "args": {"value": value}, "expect": plain(getattr(s, op)(s.format, value))}
    if op == "clip":
        start = pick(value, value, NONE); stop = maybe((0 if start == NONE else start) + t())
        inside, a, b = s.clip(s.format, start, stop)
        expect = {"inside": inside}
        if inside: expect |= {"start": plain(a), "stop": plain(b)}
        return {"op": op, "segment": before, "args": {"start": plain(start), "stop": plain(stop)}, "expect": expect}
    if op == "do_seek":
        args = seek_args(s)
        if args is None: return None
        return {"op": op, "segment": before, "args": args[0], "expect": do_seek(s, *args)}
    if op == "do_seek_chain":
        chain, expect = [], []
        for i in range(R.randint(2, 4)):
            args = seek_args(s)
            if args is None: return None
            a, kinds = args
            if i:
                stop = s.stop if s.stop != NONE else s.start + 10 * S
                a["position_before"] = R.randint(s.start, max(s.start, stop)); s.position = a["position_before"]
            chain.append(a); got = do_seek(s, a, kinds); expect.append(got)
            if not got["ok"]: break
        return {"op": op, "segment": before, "args": chain, "expect": expect}
    if op == "offset_running_time":
        offset = pick(t(), -t(), -1, 1)
        ok = s.offset_running_time(s.format, offset)
        return {"op": op, "segment": before, "args": {"offset": offset}, "expect": {"ok": True, "base": s.base, "offset": s.offset} if ok else {"ok": False}}
    if s.position != NONE and s.position < s.start: return None
    ok = s.set_running_time(s.format, value)
    return {"op": op, "segment": before, "args": {"running_time": value}, "expect": {"ok": True, "segment": segment_json(s)} if ok else {"ok": False}}


# ---- launch lines -----------------------------------------------------------------------------

PROPS = {
    "fakesrc": ["num-buffers=3", "is-live=true", "sizetype=fixed", "sizemax=1000", "filltype=zero", "do-timestamp=1", "silent=false", "datarate=1000", "sync=true", "format=time", "pattern=\"abc\"", "blocksize=77", "can-activate-pull=true", "sizetype=9"],
    "fakesink": ["sync=true", "async=false", "silent=false", "dump=true", "num-buffers=4", "max-lateness=5000", "qos=true", "ts-offset=-3", "state-error=ready-to-paused", "blocksize=9", "render-delay=7", "throttle-time=1", "max-bitrate=8", "enable-last-sample=false", "processing-deadline=1", "drop-out-of-segment=false", "signal-handoffs=t"],
    "identity": ["sleep-time=5", "silent=0", "drop-probability=0.25", "error-after=5", "datarate=9", "single-segment=yes", "check-perfect=true", "drop-buffer-flags=delta-unit+discont", "sync=true", "ts-offset=9", "dump=1", "eos-after=3", "qos=true", "check-imperfect-timestamp=true", "signal-handoffs=false"],
    "queue": ["max-size-buffers=5", "max-size-bytes=0", "max-size-time=1000000", "leaky=2", "leaky=upstream", "silent=true", "flush-on-eos=true", "min-threshold-buffers=2", "min-threshold-bytes=4", "min-threshold-time=9"],
    "tee": ["allow-not-linked=true", "silent=false", "num-src-pads=3", "pull-mode=single", "has-chain=false"],
    "valve": ["drop=true", "drop-mode=1", "drop-mode=forward-sticky-events"], "funnel": ["forward-sticky-events=false"],
    "multiqueue": ["max-size-buffers=7", "use-buffering=true", "sync-by-running-time=true", "use-interleave=true", "low-watermark=0.2", "high-percent=50", "extra-size-time=4", "min-interleave-time=1", "unlinked-cache-time=3"],
    "videotestsrc": ["pattern=ball", "pattern=18", "is-live=true", "num-buffers=2", "foreground-color=0xff00ff00", "horizontal-speed=3", "flip=true", "motion=sweep", "timestamp-offset=5", "k0=2", "animation-mode=frames", "background-color=1"],
    "audiotestsrc": ["wave=saw", "wave=3", "freq=100", "volume=0.5", "samplesperbuffer=10", "is-live=true", "apply-tick-ramp=true", "sine-periods-per-tick=4", "tick-interval=500", "marker-tick-period=3", "marker-tick-volume=.5"],
    "capsfilter": ["caps=video/x-raw", "caps=\"audio/x-raw,rate=44100\"", "caps-change-mode=delayed"], "filesrc": ["location=/tmp/a", "blocksize=9", "num-buffers=1"], "filesink": ["location=/tmp/b", "append=true", "buffer-mode=full", "buffer-size=9", "o-sync=true"],
    "input-selector": ["sync-streams=false", "sync-mode=clock", "cache-buffers=true", "drop-backwards=true"], "output-selector": ["pad-negotiation-mode=active", "resend-latest=true"], "concat": ["adjust-base=false"], "clocksync": ["sync=false", "ts-offset=4", "qos=true", "sync-to-first=true"], "streamiddemux": [],
    "fdsrc": ["fd=3", "timeout=5"], "fdsink": ["fd=2"],
}
FILTERS = ["identity", "queue", "valve", "capsfilter", "clocksync"]

def element(factory):
    words = [factory] + R.sample(PROPS.get(factory, []), min(len(PROPS.get(factory, [])), R.choice((0, 0, 1, 1, 2, 3))))
    if R.random() < .04: words.append(pick("nosuch=1", "name=x1", "max-size-buffers=abc", "sync=maybe", "num-buffers=99999999999999"))
    return " ".join(words)

def bang(): return pick(" ! ", " ! ", " ! ", "!", " ! video/x-raw ! ", " ! audio/x-raw,rate=44100 ! ", " ! video/x-raw,width=[1,50];audio/x-raw ! ")

def chain(source=None, sink=None):
    parts = [source or element(pick("fakesrc", "videotestsrc", "audiotestsrc", "fakesrc", "filesrc"))]
    parts += [element(R.choice(FILTERS)) for _ in range(R.choice((0, 1, 1, 2)))]
    parts.append(sink or element(pick("fakesink", "fakesink", "filesink", "fdsink")))
    out = parts[0]
    for part in parts[1:]: out += bang() + part
    return out

LINES = [json.loads(line)["text"] for line in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "launch.jsonl"))]
tokens = lambda text: re.findall(r"\s+|[^\s]+", text)

def spliced():
    """Lines that are known, with words of others in them."""
    words = tokens(R.choice(LINES))
    for _ in range(R.choice((1, 1, 2, 3))):
        other = tokens(R.choice(LINES)) or ["!"]
        a = R.randrange(len(words) + 1); b = min(len(words), a + pick(0, 0, 1, 1, 2, 4))
        c = R.randrange(len(other)); d = min(len(other), c + pick(0, 1, 1, 2, 3, 6))
        words[a:b] = other[c:d]
    return "".join(words)

def launch_text():
    if R.random() < .45: return spliced()
    kind = R.randrange(12)
    if kind <= 2: return chain()
    if kind == 3: return chain(sink=element("tee") + " name=t") + "".join(f" t.{pick('', '', 'src_%d' % R.randint(0, 3), 'src_7')} ! " + pick("queue ! ", "", "identity ! ") + element("fakesink") for _ in range(R.randint(1, 3)))
    if kind == 4:
        n = pick("funnel", "concat", "input-selector", "multiqueue")
        tail = "" if n == "multiqueue" else " ! fakesink"
        extra = "".join(" q." + pick("", "src_0") + " ! fakesink" for _ in range(R.randint(0, 2))) if n == "multiqueue" else ""
        return element(n) + f" name=q{tail} " + " ".join(chain(sink="q." + pick("", "", "sink_%d" % R.randint(0, 3))) for _ in range(R.randint(1, 3))) + extra
    if kind == 5: return chain(sink="output-selector name=o") + "".join(f" o. ! fakesink" for _ in range(R.randint(1, 2)))
    if kind == 6: return "( " + chain() + " )" if R.random() < .3 else element("fakesrc") + " ! ( " + pick("name=b ", "") + element("queue") + " ! " + element("identity") + " ) ! fakesink"
    if kind == 7: return pick("bin.", "pipeline.", "queue.") + "( " + chain() + " )"
    if kind == 8: return chain() + " " + chain()
    if kind == 9: return element(R.choice(list(PROPS)))
    if kind == 10: return chain(sink="streamiddemux name=d") + " d. ! fakesink" * R.randint(0, 2)
    text = chain(); at = R.randrange(len(text)); return text[:at] + pick("!", " ", ".", "=", "\"", ",", ":", "(", ")", "x", "") + text[at + R.randint(0, 2):]

ERRORS = {Gst.ParseError.SYNTAX: "syntax", Gst.ParseError.NO_SUCH_ELEMENT: "no-such-element", Gst.ParseError.NO_SUCH_PROPERTY: "no-such-property", Gst.ParseError.LINK: "link",
          Gst.ParseError.COULD_NOT_SET_PROPERTY: "could-not-set-property", Gst.ParseError.EMPTY_BIN: "empty-bin", Gst.ParseError.EMPTY: "empty", Gst.ParseError.DELAYED_LINK: "delayed-link"}
ALLOWED = set(PROPS) | {"bin", "pipeline"}

def prop_text(e, pspec):
    value = e.get_property(pspec.name)
    if value is None: return None
    if isinstance(value, str): return value
    if isinstance(value, bool): return "true" if value else "false"
    if isinstance(value, Gst.Caps): return value.to_string()
    if pspec.value_type.is_a(GObject.TYPE_ENUM): return value.value_nick
    if pspec.value_type.is_a(GObject.TYPE_FLAGS): return "+".join(value.value_names) if int(value) else "0"
    if isinstance(value, (Gst.Object, Gst.Structure, GObject.Object)): return None
    if isinstance(value, float): return Gst.value_serialize(GObject.Value(pspec.value_type, value))
    return str(value)

def props(e):
    fresh = Gst.ElementFactory.make(e.get_factory().get_name(), None)
    out = {}
    for p in e.list_properties():
        need = GObject.ParamFlags.READABLE | GObject.ParamFlags.WRITABLE
        if p.flags & need != need or p.name in ("name", "parent"): continue
        try: mine, theirs = prop_text(e, p), prop_text(fresh, p)
        except Exception: continue
        if mine != theirs: out[p.name] = mine
    return out

def real(pad):
    while isinstance(pad, Gst.GhostPad): pad = pad.get_target()
    return pad

def up(pad):
    """The real pad behind a peer, through the ghost pads of bins."""
    peer = pad.get_peer()
    while peer is not None and not isinstance(peer, Gst.GhostPad) and isinstance(peer, Gst.ProxyPad):
        ghost = peer.get_internal()
        peer = ghost.get_peer()
    return real(peer) if peer is not None else None

def path(pad): return f"{pad.get_parent().get_name()}.{pad.get_name()}"

def graph(top):
    found, links, ghosts = [], [], []
    def walk(e, parent):
        if e.get_factory().get_name() not in ALLOWED and e.get_factory().get_name() != "bin": raise KeyError
        found.append({"name": e.get_name(), "factory": e.get_factory().get_name(), "parent": parent, "props": props(e)})
        for pad in e.pads:
            if isinstance(pad, Gst.GhostPad):
                target = real(pad)
                if target is not None: ghosts.append(f"{e.get_name()}.{pad.get_name()} -> {path(target)}")
            elif pad.get_direction() == Gst.PadDirection.SRC:
                peer = up(pad)
                if peer is not None: links.append(f"{path(pad)} -> {path(peer)}")
        if isinstance(e, Gst.Bin):
            for child in e.children: walk(child, e.get_name())
    walk(top, None)
    out = {"ok": True, "top": top.get_name(), "elements": sorted(found, key=lambda e: e["name"]), "links": sorted(links)}
    if ghosts: out["ghosts"] = sorted(ghosts)
    return out

def launch_case():
    text = launch_text()
    try: top = Gst.parse_launch_full(text, None, Gst.ParseFlags.NONE)
    except GLib.Error as error:
        if error.domain != "gst_parse_error": return None
        return {"group": "random", "text": text, "expect": {"ok": False, "error": ERRORS.get(Gst.ParseError(error.code), "other"), "partial": False}}
    try: return {"group": "random", "text": text, "expect": graph(top)}
    except KeyError: return None

criticals = []

def uncritical(make):
    """A case, unless GStreamer answered with a failed assertion, or with a time that is none where there is none."""
    criticals.clear()
    try: case = make()
    except (AttributeError, TypeError): return None  # no caps came of it
    return None if criticals or case is None or '"base": 18446744073709551615' in json.dumps(case["expect"]) else case

def in_child(make, count=1):
    """Cases in a process of their own: counters begin at zero, and a crash is a few cases less."""
    read, write = os.pipe()
    seed = R.random()
    child = os.fork()
    if child == 0:
        os.close(read); R.seed(seed)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            GLib.log_set_handler("GStreamer", GLib.LogLevelFlags.LEVEL_CRITICAL, lambda *_: criticals.append(1), None)
            data = json.dumps([uncritical(make) for _ in range(count)]).encode()
            while data: data = data[os.write(write, data):]
        finally: os._exit(0)
    os.close(write); data = b""
    while piece := os.read(read, 65536): data += piece
    os.waitpid(child, 0)
    return json.loads(data) if data else []

KINDS = {"segment": segment_case, "caps": caps_case, "caps_features": features_case, "value": value_case, "launch": launch_case}

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder"); parser.add_argument("--seed", type=int, default=1); parser.add_argument("--count", type=int, default=300); parser.add_argument("--kind", choices=KINDS)
    args = parser.parse_args()
    Gst.init(None); Gst.ElementFactory.make("queue", "first"); os.makedirs(args.folder, exist_ok=True); R.seed(args.seed)
    for kind in [args.kind] if args.kind else KINDS:
        with open(os.path.join(args.folder, kind + ".jsonl"), "w") as file:
            made = 0
            while made < args.count:
                for case in in_child(KINDS[kind], 1 if kind == "launch" else 50):
                    if case is None or made == args.count: continue
                    made += 1
                    file.write(json.dumps({"id": f"{kind}-r{args.seed}-{made:05}", "kind": kind} | case, ensure_ascii=False, separators=(",", ":")) + "\n")

if __name__ == "__main__": main()
