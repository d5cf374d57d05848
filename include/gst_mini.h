/* GstMini's plugin boundary, for plugins in C11 and C++17.
 *
 * Made by `cargo xtask abi` from gst-mini-core/src/plugin/abi; not edited by hand. What the functions
 * may rely on, who owns what, and on which thread each is called: docs/plugin-abi.md. Examples: examples/c.
 *
 * A growable struct begins with its size: set struct_size to sizeof of it, and ask GM_HAS before using a
 * field that is newer than the first header of this ABI version. A null function means its documented
 * default. Texts are UTF-8, not ended by a zero, and borrowed for the call.
 */
#ifndef GST_MINI_H
#define GST_MINI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define GM_ASSERT(condition, text) static_assert (condition, text)
#define GM_EXTERN extern "C"
extern "C" {
#else
#define GM_ASSERT(condition, text) _Static_assert (condition, text)
#define GM_EXTERN
#endif

/* First word of every plugin descriptor: "GSTMINI\0" in memory order. */
#define GM_MAGIC UINT64_C (0x00494e494d545347)
/* Descriptors of another major are refused. */
#define GM_ABI_MAJOR 0u
/* While the major is 0 the minor must be equal. */
#define GM_ABI_MINOR 3u
/* No time: what GST_CLOCK_TIME_NONE is. */
#define GM_TIME_NONE UINT64_MAX
/* Flow code of success; the others up to the custom ones have GStreamer's numbers. */
#define GM_FLOW_OK 0
/* The pad has no peer. */
#define GM_FLOW_NOT_LINKED (-1)
/* The pad is flushing or not active. */
#define GM_FLOW_FLUSHING (-2)
/* The stream has ended. */
#define GM_FLOW_EOS (-3)
/* No format both sides accept. */
#define GM_FLOW_NOT_NEGOTIATED (-4)
/* Something failed; an error message says what. */
#define GM_FLOW_ERROR (-5)
/* The operation does not exist here. */
#define GM_FLOW_NOT_SUPPORTED (-6)
/* An agreement between two elements that stops a stream without an error. */
#define GM_FLOW_CUSTOM_SUCCESS 100
/* An agreement between two elements about a failure. */
#define GM_FLOW_CUSTOM_ERROR (-100)
/* The instance panicked earlier, or just now; it must only be destroyed. */
#define GM_FLOW_PANICKED (-1000)
/* A transform that keeps the buffer, or a task with nothing but queued output: no buffer
   follows. */
#define GM_FLOW_DROPPED 1000
/* Roles: which base runs in the host around the element's callbacks. */
#define GM_ROLE_MULTI 0u
/* Produces buffers. */
#define GM_ROLE_SOURCE 1u
/* One buffer in, any number out. */
#define GM_ROLE_TRANSFORM 2u
/* Consumes buffers, synchronized to the clock. */
#define GM_ROLE_SINK 3u
/* Role flags: default of a sink's sync. */
#define GM_ROLE_SYNC 1u
/* Default of a sink's async. */
#define GM_ROLE_ASYNC 2u
/* A source that can seek. */
#define GM_ROLE_SEEKABLE 4u
/* The transform orders formats itself; those of the other side do not go first. */
#define GM_ROLE_OWN_ORDER 256u
/* The transform has no property qos, and drops nothing for being late. */
#define GM_ROLE_NO_QOS 512u
/* The transform hands ranges through: who pulls from it pulls what is before it. */
#define GM_ROLE_RANGES 1024u
/* Bits of modes: the pad can be used in push mode. */
#define GM_MODE_PUSH 1u
/* It can be used in pull mode. */
#define GM_MODE_PULL 2u
/* Given by passes: what is passed on need not be counted. */
#define GM_PASSED_UNCOUNTED 1u
/* Pad directions and presences. */
#define GM_PAD_SRC 1u
/* A pad that receives. */
#define GM_PAD_SINK 2u
/* The pad exists as long as the element. */
#define GM_PRESENCE_ALWAYS 0u
/* The pad appears when the stream is known. */
#define GM_PRESENCE_SOMETIMES 1u
/* The pad is made when asked for. */
#define GM_PRESENCE_REQUEST 2u
/* A streaming task of the host runs produce for this source pad. */
#define GM_TEMPLATE_TASK 1u
/* The pad's caps have nothing to do with those of the element's other pads. */
#define GM_TEMPLATE_OWN_CAPS 2u
/* What comes in at the pad leaves by the pad of the other direction that has the same number. */
#define GM_TEMPLATE_PAIRED 4u
/* What comes in here goes out unchanged, so who sends it may use the memory that those beyond
   offer. */
#define GM_TEMPLATE_ALLOCATION 8u
/* Property flags. */
#define GM_PROP_READABLE 1u
/* May be set. */
#define GM_PROP_WRITABLE 2u
/* The element answers reads itself, from any thread. */
#define GM_PROP_VOLATILE 4u
/* Never printed: keys and tokens. */
#define GM_PROP_SECRET 8u
/* set_property may be called from any thread at any time. */
#define GM_PROP_LIVE 16u
/* Setting it has an effect only before the element leaves READY. */
#define GM_PROP_READY_ONLY 32u
/* Log levels, GStreamer's numbers: something failed. */
#define GM_LOG_ERROR 1u
/* Something is wrong, but it goes on. */
#define GM_LOG_WARNING 2u
/* A known gap was met. */
#define GM_LOG_FIXME 3u
/* Something that happens once. */
#define GM_LOG_INFO 4u
/* What an element's author wants to see. */
#define GM_LOG_DEBUG 5u
/* Each buffer. */
#define GM_LOG_LOG 6u
/* Everything. */
#define GM_LOG_TRACE 7u
/* Descriptor flags: built with panic=abort. */
#define GM_PLUGIN_PANIC_ABORT 1u

/* Bits of a buffer's flags, GStreamer's. */
/* Made by a live source. */
#define GM_BUFFER_LIVE (1u << 4u)
/* Decode, but do not show. */
#define GM_BUFFER_DECODE_ONLY (1u << 5u)
/* Something is missing before this buffer. */
#define GM_BUFFER_DISCONT (1u << 6u)
/* Timestamps may be off. */
#define GM_BUFFER_RESYNC (1u << 7u)
/* The data is damaged. */
#define GM_BUFFER_CORRUPTED (1u << 8u)
/* The end of a unit is in this buffer. */
#define GM_BUFFER_MARKER (1u << 9u)
/* Stream headers. */
#define GM_BUFFER_HEADER (1u << 10u)
/* Neutral content that may be skipped. */
#define GM_BUFFER_GAP (1u << 11u)
/* May be dropped without harm. */
#define GM_BUFFER_DROPPABLE (1u << 12u)
/* Needs earlier buffers to be decoded: not a key frame. */
#define GM_BUFFER_DELTA_UNIT (1u << 13u)
/* Its memory is not that of the pool it came from. */
#define GM_BUFFER_TAG_MEMORY (1u << 14u)
/* Write it out at once. */
#define GM_BUFFER_SYNC_AFTER (1u << 15u)
/* No other buffer depends on it. */
#define GM_BUFFER_NON_DROPPABLE (1u << 16u)

typedef struct GmStr GmStr;
typedef struct GmText GmText;
typedef struct GmBuffer GmBuffer;
typedef struct GmMeta GmMeta;
typedef struct GmFlowBuf GmFlowBuf;
typedef struct GmPassed GmPassed;
typedef struct GmCx GmCx;
typedef struct GmCxVTable GmCxVTable;
typedef struct GmPoster GmPoster;
typedef struct GmPosterVTable GmPosterVTable;
typedef struct GmAction GmAction;
typedef struct GmElement GmElement;
typedef struct GmElementVTable GmElementVTable;
typedef struct GmSourceInfo GmSourceInfo;
typedef struct GmPadTemplate GmPadTemplate;
typedef struct GmPropSpec GmPropSpec;
typedef struct GmSignalSpec GmSignalSpec;
typedef struct GmFactory GmFactory;
typedef struct GmHost GmHost;
typedef struct GmPluginDesc GmPluginDesc;

/* A borrowed UTF-8 text. Frozen. */
struct GmStr {
  /* First byte; may be null when len is 0. */
  const char *ptr;
  /* Bytes. */
  size_t len;
};

/* A place to write text to: the receiver's string, reached through its own function. Frozen. */
struct GmText {
  /* The receiver's object. */
  void *obj;
  /* Replaces the text with len bytes at ptr. */
  void (*write) (void *obj, const char *ptr, size_t len);
};

/* refcount is only touched atomically: increments relaxed, decrements release, and whoever
   reaches zero makes an acquire fence and calls free. Times are ns or GM_TIME_NONE. */
struct GmBuffer {
  /* References; at least 1. */
  size_t refcount;
  /* GM_BUFFER_... bits. */
  uint32_t flags;
  /* Zero. */
  uint32_t reserved0;
  /* Releases header, metas and data; belongs to the image that made the buffer. */
  void (*free) (GmBuffer *buf);
  /* For the maker's use (its pool). */
  void *owner;
  /* The buffer whose data this one shows a part of, kept alive by a reference; or null. */
  GmBuffer *parent;
  /* First byte of the data. */
  uint8_t *data;
  /* Bytes of data. */
  size_t len;
  /* Bytes that may be used from data on. */
  size_t cap;
  /* Presentation time. */
  uint64_t pts;
  /* Decoding time. */
  uint64_t dts;
  /* Duration. */
  uint64_t duration;
  /* Position in units of the stream (frames, bytes), or all ones. */
  uint64_t offset;
  /* Position of the end, or all ones. */
  uint64_t offset_end;
  /* First of a list of metas, or null. */
  GmMeta *metas;
  /* Zero. */
  uint64_t reserved[4];
};

/* Extra information on a buffer, one of a list. */
struct GmMeta {
  /* Of this struct. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t flags;
  /* What it is, in reverse-DNS or a short well-known word; lives as long as the meta. */
  GmStr id;
  /* Its content, plain bytes or text. */
  GmStr data;
  /* Releases this meta (not the next). */
  void (*free) (GmMeta *meta);
  /* The next one, or null. */
  GmMeta *next;
};

/* What a streaming callback gives back: a code, and with GM_FLOW_OK a buffer. Two registers.
   Frozen. */
struct GmFlowBuf {
  /* Flow code. */
  int64_t code;
  /* The buffer, owned by the receiver; null unless code is GM_FLOW_OK. */
  GmBuffer *buf;
};

/* What the host passed on for a transform that let it. Frozen for the major. Written by the
   streaming thread, each field atomically, relaxed, so that any thread may read it. */
struct GmPassed {
  /* Buffers, of whoever passed them on, the host or the element. */
  uint64_t buffers;
  /* Their bytes. */
  uint64_t bytes;
  /* The last one's fields, as in GmBuffer. */
  uint64_t pts;
  /* As above. */
  uint64_t dts;
  /* As above. */
  uint64_t duration;
  /* As above. */
  uint64_t offset;
  /* As above. */
  uint64_t offset_end;
  /* Zero. */
  uint64_t reserved;
};

/* What the host lends an element for one call: its own object and the functions on it. */
struct GmCx {
  /* Of this struct. */
  uint32_t struct_size;
  /* The pad this call is about; pads are numbered by the host. */
  uint32_t pad;
  /* The host's object. */
  void *obj;
  /* The host's functions. */
  const GmCxVTable *vtable;
  /* How many handlers the element's signals have: where it is 0, emitting does nothing. Read
     atomically, relaxed; null: not told. */
  const size_t *listeners;
};

/* Functions of the host, valid during the call they were lent for, on the thread of that call.
   Every one takes the context first. */
struct GmCxVTable {
  /* Of this struct. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t reserved;
  /* Queues a buffer for pad pad, pushed after the callback returned. Takes the buffer. */
  void (*output) (const GmCx *cx, uint32_t pad, GmBuffer *buf);
  /* Queues an event (text), sent from pad pad after the callback returned. */
  void (*output_event) (const GmCx *cx, uint32_t pad, GmStr event);
  /* Pushes a buffer now. For elements without a role only. Takes the buffer. Flow code. */
  int32_t (*push) (const GmCx *cx, uint32_t pad, GmBuffer *buf);
  /* Sends an event from pad pad now; 1 if it was taken. */
  uint8_t (*push_event) (const GmCx *cx, uint32_t pad, GmStr event);
  /* The host's default handling of an event that arrived at pad; 1 if it was taken. */
  uint8_t (*event_default) (const GmCx *cx, uint32_t pad, GmStr event);
  /* Asks the peer of pad pad; 1 if answered, and the answered query is written. */
  uint8_t (*peer_query) (const GmCx *cx, uint32_t pad, GmStr query, GmText *out);
  /* The host's default answer to a query that arrived at pad. */
  uint8_t (*query_default) (const GmCx *cx, uint32_t pad, GmStr query, GmText *out);
  /* Posts a message (text) on the bus. */
  void (*post) (const GmCx *cx, GmStr message);
  /* Writes to the log: 1 error, 2 warning, 3 fixme, 4 info, 5 debug, 6 log, 7 trace. */
  void (*log) (const GmCx *cx, uint32_t level, GmStr text);
  /* 1 if a log line of this level would be kept. */
  uint8_t (*log_enabled) (const GmCx *cx, uint32_t level);
  /* The host's present value of a property, as text; 1 if there is one. */
  uint8_t (*property) (const GmCx *cx, GmStr name, GmText *out);
  /* Publishes a read-only property's value, as text. */
  void (*publish) (const GmCx *cx, GmStr name, GmStr value);
  /* Emits a signal; arguments are a structure's text. */
  void (*emit) (const GmCx *cx, GmStr signal, GmStr args);
  /* The pipeline clock's reading, ns; all ones without a clock. */
  uint64_t (*clock_now) (const GmCx *cx);
  /* Base time, ns; all ones outside PLAYING and PAUSED. */
  uint64_t (*base_time) (const GmCx *cx);
  /* Wall clock, ns since the Unix epoch (simulated under simulation). */
  uint64_t (*utc_now) (const GmCx *cx);
  /* 1 when time is simulated: foreign threads must not be left at work. */
  uint8_t (*simulated) (const GmCx *cx);
  /* Waits on the pipeline clock until target; GM_FLOW_OK, or flushing when interrupted. */
  int32_t (*clock_wait) (const GmCx *cx, uint64_t target);
  /* Waits for nanos without a clock; GM_FLOW_OK, or flushing when interrupted. */
  int32_t (*sleep) (const GmCx *cx, uint64_t nanos);
  /* Takes a ticket of waiter n (0 ... 3) of this element. */
  uint64_t (*ticket) (const GmCx *cx, uint32_t n);
  /* Waits until waiter n was woken after ticket, or deadline (runtime ns, all ones: none). 1
     woken, 0 timed out, -2 this call's pad is flushing. */
  int32_t (*wait) (const GmCx *cx, uint32_t n, uint64_t ticket, uint64_t deadline);
  /* Wakes every wait on waiter n. */
  void (*wake) (const GmCx *cx, uint32_t n);
  /* The runtime's monotonic time, ns, for deadlines of wait. */
  uint64_t (*runtime_now) (const GmCx *cx);
  /* Caps of a pad as text; 1 if it has some. */
  uint8_t (*pad_caps) (const GmCx *cx, uint32_t pad, GmText *out);
  /* Segment of a pad as text; 1 if it has one. */
  uint8_t (*pad_segment) (const GmCx *cx, uint32_t pad, GmText *out);
  /* All pads of the element: lines of id name direction. */
  void (*pads) (const GmCx *cx, GmText *out);
  /* This element adds min ... max ns of latency (all ones: no maximum); posts a latency message. */
  void (*set_latency) (const GmCx *cx, uint64_t min, uint64_t max);
  /* 1 while the pad of this call is flushing. */
  uint8_t (*flushing) (const GmCx *cx);
  /* Calls call(data), work outside the framework that may block; under simulation virtual_ns
     pass. */
  void (*foreign) (const GmCx *cx, uint64_t virtual_ns, void (*call) (void *data), void *data);
  /* A handle for posting messages from threads of the element's own. See GmPoster. */
  uint8_t (*poster) (const GmCx *cx, GmPoster *out);
  /* Adds a pad name of the sometimes template template: active if the element is, with n_events
     sticky events (texts) stored on it; then tells who listens to pad-added. For elements
     without a role. The pad's number, all ones if it was refused. */
  uint32_t (*add_pad) (const GmCx *cx, GmStr pad_template, GmStr name, const GmStr *events, uint32_t n_events);
  /* Takes a sometimes pad away: deactivates and unlinks it, then tells who listens to
     pad-removed. 1 if there was one. */
  uint8_t (*remove_pad) (const GmCx *cx, uint32_t pad);
  /* Says that no further sometimes pads come. */
  void (*no_more_pads) (const GmCx *cx);
  /* Emits a signal whose handlers give a value back: return, value=... is written, the answer of
     the handler connected last. 1 if there was one. */
  uint8_t (*emit_for) (const GmCx *cx, GmStr signal, GmStr args, GmText *out);
  /* Waits for PLAYING, then for a running time (ns) on the clock, moved by offset. Flow code. */
  int32_t (*sync) (const GmCx *cx, uint64_t running_time, int64_t offset);
  /* The nth sticky event of a pad as text, in their order; 1 if there is one. */
  uint8_t (*sticky_event) (const GmCx *cx, uint32_t pad, uint32_t n, GmText *out);
  /* Pushes n buffers now, in one go. For elements without a role only. Takes the buffers, not
     the array. Flow code. */
  int32_t (*push_list) (const GmCx *cx, uint32_t pad, GmBuffer *const *bufs, uint32_t n);
  /* Stores a sticky event (text) on source pad pad, to be sent before its next buffer. 1 if
     stored. */
  uint8_t (*store_event) (const GmCx *cx, uint32_t pad, GmStr event);
  /* Starts the task of source pad pad again after produce gave back an error. 1 if it has one. */
  uint8_t (*start_task) (const GmCx *cx, uint32_t pad);
  /* Says that the element threw a buffer away on purpose, and why. Borrows it. */
  void (*dropped) (const GmCx *cx, GmBuffer *buf, GmStr why);
  /* Source and transform role: a buffer of size bytes for what goes out, from the pool agreed on
     with downstream where its buffers are large enough. For streaming calls. Null: too large. */
  GmBuffer * (*acquire) (const GmCx *cx, size_t size);
};

/* Lets a thread that the element owns post and wake, until the element is destroyed. Frozen. */
struct GmPoster {
  /* The host's object, one reference owned. */
  void *obj;
  /* Its functions, valid for the process. */
  const GmPosterVTable *vtable;
};

/* What a thread of the element's own may do. Every one takes the poster's object first. Any
   thread. */
struct GmPosterVTable {
  /* Of this struct. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t reserved;
  /* Posts a message (text). */
  void (*post) (void *obj, GmStr message);
  /* Writes to the log. */
  void (*log) (void *obj, uint32_t level, GmStr text);
  /* Publishes a read-only property. */
  void (*publish) (void *obj, GmStr name, GmStr value);
  /* Wakes waiter n of the element. */
  void (*wake) (void *obj, uint32_t n);
  /* Another reference. */
  void (*clone) (void *obj);
  /* Gives a reference back. */
  void (*unref) (void *obj);
};

/* Arguments and answer of an action (push-buffer, pull-sample). Text, and a buffer both ways. */
struct GmAction {
  /* Of this struct. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t reserved;
  /* Which action. */
  GmStr name;
  /* Arguments as a structure's text; may be empty. */
  GmStr args;
  /* A buffer passed in (taken) and, afterwards, the one given back (owned by the caller); or
     null. */
  GmBuffer *buf;
  /* Where the answer's structure goes. */
  GmText *answer;
};

/* An instance. Frozen. */
struct GmElement {
  /* The element's object. */
  void *obj;
  /* Its functions, valid for ever. */
  const GmElementVTable *vtable;
};

/* Streaming calls come one at a time for an element with a role, for one pad otherwise. Control
   calls are serialized by the host, and no streaming call runs meanwhile unless noted. Any calls
   come from any thread at any time between create and destroy. */
struct GmElementVTable {
  /* Of this struct. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t reserved;
  /* Frees the instance. Control, once, last. */
  void (*destroy) (void *obj);
  /* READY to PAUSED. Control. Flow code; an error message was posted before a negative one. */
  int32_t (*start) (void *obj, const GmCx *cx);
  /* PAUSED to READY, all pads inactive. Control. */
  int32_t (*stop) (void *obj, const GmCx *cx);
  /* Breaks a blocking call inside a streaming callback (1), or allows blocking again (0). Any. */
  void (*unlock) (void *obj, uint8_t on);
  /* Sets a property from text. Streaming, or any for GM_PROP_LIVE. 1 if taken, else the reason
     is written. */
  uint8_t (*set_property) (void *obj, const GmCx *cx, GmStr name, GmStr value, GmText *why);
  /* Reads a property as text. Control; any for GM_PROP_VOLATILE. */
  uint8_t (*get_property) (void *obj, GmStr name, GmText *out);
  /* The caps this pad could have, given property values; class function, obj unused. Any.
     Default: the template's. */
  uint8_t (*pad_caps) (const GmCx *cx, uint32_t pad, GmText *out);
  /* What caps on one side (direction) become on the other. Class function. Any. Default: the
     same caps. */
  uint8_t (*transform_caps) (const GmCx *cx, uint32_t direction, GmStr caps, GmText *out);
  /* Picks one format; for a transform input are the fixed caps at its sink pad. Class function. */
  uint8_t (*fixate) (const GmCx *cx, GmStr input, GmStr caps, GmText *out);
  /* The formats are decided: input for sinks and transforms, output for sources and transforms
     (else empty). Streaming. Flow code. */
  int32_t (*set_caps) (void *obj, const GmCx *cx, GmStr input, GmStr output);
  /* Source role: makes the next buffer. Streaming, may block if unlock breaks it. */
  GmFlowBuf (*create) (void *obj, const GmCx *cx);
  /* Source role: takes a new segment (text). Streaming. 1 if seeked. */
  uint8_t (*seek) (void *obj, const GmCx *cx, GmStr segment);
  /* Transform role: takes the buffer, gives back one, or GM_FLOW_DROPPED. Streaming. */
  GmFlowBuf (*transform) (void *obj, const GmCx *cx, GmBuffer *buf);
  /* Sink role: sees the first buffer in PAUSED. Borrows it. Streaming. */
  int32_t (*preroll) (void *obj, const GmCx *cx, GmBuffer *buf);
  /* Sink role: the buffer's time has come. Takes it. Streaming. */
  int32_t (*render) (void *obj, const GmCx *cx, GmBuffer *buf);
  /* No role: a buffer arrived at cx.pad. Takes it. Streaming. */
  int32_t (*chain) (void *obj, const GmCx *cx, GmBuffer *buf);
  /* No role: the next buffer for the task of cx.pad; queued output is sent first. Streaming, may
     block in cx.wait, and may push through its own pad with cx.push. After an error the task
     rests until a flush ends or cx.start_task is called. */
  GmFlowBuf (*produce) (void *obj, const GmCx *cx);
  /* No role: the task of cx.pad stopped because a push returned code. Source role: the buffer
     made last was not sent, because of code. Streaming. */
  void (*stopped) (void *obj, const GmCx *cx, int32_t code);
  /* A serialized event arrived at a sink pad; for role elements before it is passed on.
     Streaming. Flow code; GM_FLOW_DROPPED keeps the event from going on. */
  int32_t (*sink_event) (void *obj, const GmCx *cx, GmStr event);
  /* An upstream or out-of-band event. Role elements get those they list in
     GmFactory.upstream_events, at their next streaming call; others at once, any thread. 1 if
     taken. */
  uint8_t (*src_event) (void *obj, const GmCx *cx, GmStr event);
  /* A query at cx.pad; 0 leaves it to the host. Any. */
  uint8_t (*query) (void *obj, const GmCx *cx, GmStr query, GmText *out);
  /* The stream was flushed: forget what is held. Streaming. */
  void (*flush) (void *obj, const GmCx *cx);
  /* An action of the application. Any. Flow code. */
  int32_t (*action) (void *obj, const GmCx *cx, GmAction *action);
  /* No role: a request pad name was made and is number cx.pad. Control. 1 if welcome. */
  uint8_t (*pad_added) (void *obj, const GmCx *cx, GmStr name);
  /* No role: pad cx.pad is going away. Control. */
  void (*pad_removed) (void *obj, const GmCx *cx);
  /* Source role: 1 if frames exist only while PLAYING. Class function. Any. */
  uint8_t (*is_live) (const GmCx *cx);
  /* Source role: what its stream is, with the present property values. Class function. Any. 1 if
     told; default: time, and what the factory's flags say. */
  uint8_t (*source_info) (const GmCx *cx, GmSourceInfo *out);
  /* Transform role: a seek (event text) came from downstream. Writes what goes on upstream in
     its place, and gives 1; or 0: refused. Any. */
  uint8_t (*seek_through) (void *obj, const GmCx *cx, GmStr event, GmText *out);
  /* Sink and transform role: a serialized event arrived, and nothing was done about it yet.
     Streaming. */
  void (*event_arrives) (void *obj, const GmCx *cx, GmStr event);
  /* No role: flush-start, flush-stop or an event out of band (text) arrived at sink pad cx.pad.
     1: it goes on through the source pads, which is the default. Any; flush-stop: streaming. */
  uint8_t (*oob_event) (void *obj, const GmCx *cx, GmStr event);
  /* Any role: a step between two states (0 NULL to 3 PLAYING) begins. Class function. Control.
     0: as usual; 1: done without preroll, if nothing fails; negative: refused, and the error was
     posted. */
  int32_t (*change_state) (const GmCx *cx, uint32_t from, uint32_t to);
  /* No role: how a pad asked for as wanted (a name, or a template's pattern) is to be called; %u
     in the answer stands for the next number. 0 leaves it to the host. Control. */
  uint8_t (*pad_name) (void *obj, const GmCx *cx, GmStr wanted, GmText *out);
  /* No role: n buffers arrived at cx.pad in one go. Takes the buffers, not the array. Streaming.
     Flow code. Default: chain for each. */
  int32_t (*chain_list) (void *obj, const GmCx *cx, GmBuffer *const *bufs, uint32_t n);
  /* Any role: writes the name of the clock the element can provide now, and gives 1; 0: none.
     Any. */
  uint8_t (*provide_clock) (void *obj, GmText *out);
  /* Any role: what that clock reads, in nanoseconds. Any, also beside every other call. */
  uint64_t (*clock_now) (void *obj);
  /* Transform: as transform_caps, and asked instead of it, with what the instance knows. Any,
     also beside every other call. */
  uint8_t (*instance_caps) (void *obj, const GmCx *cx, uint32_t direction, GmStr caps, GmText *out);
  /* Source role: the range of size bytes from offset, shorter at the end; behind it the code of
     EOS. Streaming, may block if unlock breaks it. Null: nobody can pull. */
  GmFlowBuf (*get_range) (void *obj, const GmCx *cx, uint64_t offset, uint32_t size);
  /* Transform role: which range it wants next; the places hold the default, the bytes behind the
     last range. Streaming. Flow code. Null: it does not pull. */
  int32_t (*next_range) (void *obj, const GmCx *cx, uint64_t *offset, uint32_t *size);
  /* Source and sink role: the modes its pad can be used in, GM_MODE_..., with the present
     property values. Class function. Any. Null: push. */
  uint32_t (*modes) (const GmCx *cx);
  /* Transform role: whether the host may pass on by itself what comes next, unchanged and
     without asking, until it calls a streaming function of the element again. That it does for
     each event, each property that is set, each change of format or state, and with the next
     buffer when a handler was connected to a signal. What it passed on it counts in what is
     given, which stays valid until the next call of this function, or not, where that is
     GM_PASSED_UNCOUNTED. No role: whether what arrives at sink pad cx.pad goes on so through the
     only source pad there is, and what comes of that push is what chain would give; counted is
     nothing. Streaming, must not call the host. Null, or null given: no. */
  GmPassed * (*passes) (void *obj, const GmCx *cx);
};

/* What a source's stream is. */
struct GmSourceInfo {
  /* Of this struct; set by the host. */
  uint32_t struct_size;
  /* GStreamer's number of the format that its segments count in: 2 bytes, 3 time. */
  uint32_t format;
  /* 1 if seek does anything. */
  uint32_t seekable;
  /* Zero. */
  uint32_t reserved;
  /* Length in that format; all ones if unknown. */
  uint64_t duration;
};

/* A pad before it exists. */
struct GmPadTemplate {
  /* Of this struct. */
  uint32_t struct_size;
  /* GM_PAD_SRC or GM_PAD_SINK. */
  uint32_t direction;
  /* GM_PRESENCE_.... */
  uint32_t presence;
  /* GM_TEMPLATE_.... */
  uint32_t flags;
  /* Name, with %u for a number in request pads. */
  GmStr name;
  /* Caps text. */
  GmStr caps;
  /* What GStreamer calls such a pad; empty: GstPad. */
  GmStr pad_type;
};

/* A property's specification. Bounds and default are texts; an empty one is absent, an absent
   default is read from a fresh instance. */
struct GmPropSpec {
  /* Of this struct. */
  uint32_t struct_size;
  /* GM_PROP_.... */
  uint32_t flags;
  /* Name, kebab-case. */
  GmStr name;
  /* boolean int uint int64 uint64 double float string fraction caps structure pad, or
     enum:nick,nick,.... */
  GmStr type_name;
  /* One sentence. */
  GmStr blurb;
  /* Unit: ns, bytes, bit/s, or empty. */
  GmStr unit;
  /* Smallest value. */
  GmStr min;
  /* Largest value. */
  GmStr max;
  /* Default. */
  GmStr default_value;
};

/* A signal or an action an element has. */
struct GmSignalSpec {
  /* Of this struct. */
  uint32_t struct_size;
  /* 1 for an action. */
  uint32_t action;
  /* Name, kebab-case. */
  GmStr name;
  /* One sentence. */
  GmStr blurb;
};

/* What can make elements of one kind. Lists are lists of pointers. */
struct GmFactory {
  /* Of this struct. */
  uint32_t struct_size;
  /* GM_ROLE_.... */
  uint32_t role;
  /* Rank. */
  uint32_t rank;
  /* GM_ROLE_SYNC and the like. */
  uint32_t role_flags;
  /* Factory name. */
  GmStr name;
  /* A few words. */
  GmStr long_name;
  /* Source/Video and the like. */
  GmStr klass;
  /* One sentence. */
  GmStr description;
  /* Who wrote it. */
  GmStr author;
  /* Names of upstream events a role element takes, separated by commas. */
  GmStr upstream_events;
  /* How many pad templates. */
  uint32_t n_pads;
  /* How many properties. */
  uint32_t n_props;
  /* How many signals and actions. */
  uint32_t n_signals;
  /* Zero. */
  uint32_t reserved;
  /* Pad templates. */
  const GmPadTemplate *const *pads;
  /* Properties. */
  const GmPropSpec *const *props;
  /* Signals and actions. */
  const GmSignalSpec *const *signals;
  /* Makes an instance; 1 on success, else the reason is written. */
  uint8_t (*create) (const GmHost *host, GmElement *out, GmText *why);
  /* Class functions callable without an instance; valid for ever. */
  const GmElementVTable *vtable;
  /* Writes what GStreamer calls such an element, as GstFakeSink. */
  void (*type_name) (GmText *out);
};

/* What the host gives a plugin once, valid for the process. */
struct GmHost {
  /* Of this struct. */
  uint32_t struct_size;
  /* The host's ABI. */
  uint16_t abi_major;
  /* The host's ABI. */
  uint16_t abi_minor;
  /* Writes to the host's log under a category. */
  void (*log) (uint32_t level, GmStr category, GmStr text);
  /* Extensions by id; null if unknown. */
  const void * (*get_extension) (GmStr id);
  /* A buffer of len bytes, all zero, without times. Any thread. */
  GmBuffer * (*buffer_new) (size_t len);
  /* Takes a buffer and gives back one whose header and data nobody else sees: the same, or a
     copy. Any thread. */
  GmBuffer * (*buffer_writable) (GmBuffer *buf);
  /* Adds a meta of len bytes, which are copied, to a buffer nobody else sees. Any thread. */
  void (*buffer_add_meta) (GmBuffer *buf, GmStr id, const void *data, size_t len);
  /* A pool of buffers of len bytes that keeps keep of them when they come back. Any thread. */
  void * (*pool_new) (size_t len, size_t keep);
  /* A buffer of the pool; its bytes are those of its last use. Any thread. */
  GmBuffer * (*pool_acquire) (void *pool);
  /* Gives the pool back; buffers that are out live on. Any thread, once. */
  void (*pool_free) (void *pool);
};

/* Exported as data under gst_mini_plugin_<name>. The first four fields are frozen for ever. */
struct GmPluginDesc {
  /* GM_MAGIC. */
  uint64_t magic;
  /* Built against. */
  uint16_t abi_major;
  /* Built against. */
  uint16_t abi_minor;
  /* Of this struct. */
  uint32_t struct_size;
  /* Oldest minor of a host it works with. */
  uint32_t min_host_minor;
  /* GM_PLUGIN_.... */
  uint32_t flags;
  /* As in the symbol. */
  GmStr name;
  /* Of the plugin. */
  GmStr version;
  /* SPDX. */
  GmStr license;
  /* Where it comes from. */
  GmStr source;
  /* Compiler and target. */
  GmStr build_info;
  /* One sentence. */
  GmStr description;
  /* How many factories. */
  uint32_t n_factories;
  /* Zero. */
  uint32_t reserved;
  /* Pointers to factories. */
  const GmFactory *const *factories;
  /* Called once before the first create; 1 on success, else the reason is written. */
  uint8_t (*init) (const GmHost *host, GmText *why);
  /* Reserved; null. */
  void (*deinit) (void);
};

#if UINTPTR_MAX == UINT64_MAX
GM_ASSERT (sizeof (struct GmStr) == 16, "GmStr");
GM_ASSERT (offsetof (struct GmStr, ptr) == 0, "GmStr.ptr");
GM_ASSERT (offsetof (struct GmStr, len) == 8, "GmStr.len");
GM_ASSERT (sizeof (struct GmText) == 16, "GmText");
GM_ASSERT (offsetof (struct GmText, obj) == 0, "GmText.obj");
GM_ASSERT (offsetof (struct GmText, write) == 8, "GmText.write");
GM_ASSERT (sizeof (struct GmBuffer) == 144, "GmBuffer");
GM_ASSERT (offsetof (struct GmBuffer, refcount) == 0, "GmBuffer.refcount");
GM_ASSERT (offsetof (struct GmBuffer, flags) == 8, "GmBuffer.flags");
GM_ASSERT (offsetof (struct GmBuffer, reserved0) == 12, "GmBuffer.reserved0");
GM_ASSERT (offsetof (struct GmBuffer, free) == 16, "GmBuffer.free");
GM_ASSERT (offsetof (struct GmBuffer, owner) == 24, "GmBuffer.owner");
GM_ASSERT (offsetof (struct GmBuffer, parent) == 32, "GmBuffer.parent");
GM_ASSERT (offsetof (struct GmBuffer, data) == 40, "GmBuffer.data");
GM_ASSERT (offsetof (struct GmBuffer, len) == 48, "GmBuffer.len");
GM_ASSERT (offsetof (struct GmBuffer, cap) == 56, "GmBuffer.cap");
GM_ASSERT (offsetof (struct GmBuffer, pts) == 64, "GmBuffer.pts");
GM_ASSERT (offsetof (struct GmBuffer, dts) == 72, "GmBuffer.dts");
GM_ASSERT (offsetof (struct GmBuffer, duration) == 80, "GmBuffer.duration");
GM_ASSERT (offsetof (struct GmBuffer, offset) == 88, "GmBuffer.offset");
GM_ASSERT (offsetof (struct GmBuffer, offset_end) == 96, "GmBuffer.offset_end");
GM_ASSERT (offsetof (struct GmBuffer, metas) == 104, "GmBuffer.metas");
GM_ASSERT (offsetof (struct GmBuffer, reserved) == 112, "GmBuffer.reserved");
GM_ASSERT (sizeof (struct GmMeta) == 56, "GmMeta");
GM_ASSERT (offsetof (struct GmMeta, struct_size) == 0, "GmMeta.struct_size");
GM_ASSERT (offsetof (struct GmMeta, flags) == 4, "GmMeta.flags");
GM_ASSERT (offsetof (struct GmMeta, id) == 8, "GmMeta.id");
GM_ASSERT (offsetof (struct GmMeta, data) == 24, "GmMeta.data");
GM_ASSERT (offsetof (struct GmMeta, free) == 40, "GmMeta.free");
GM_ASSERT (offsetof (struct GmMeta, next) == 48, "GmMeta.next");
GM_ASSERT (sizeof (struct GmFlowBuf) == 16, "GmFlowBuf");
GM_ASSERT (offsetof (struct GmFlowBuf, code) == 0, "GmFlowBuf.code");
GM_ASSERT (offsetof (struct GmFlowBuf, buf) == 8, "GmFlowBuf.buf");
GM_ASSERT (sizeof (struct GmPassed) == 64, "GmPassed");
GM_ASSERT (offsetof (struct GmPassed, buffers) == 0, "GmPassed.buffers");
GM_ASSERT (offsetof (struct GmPassed, bytes) == 8, "GmPassed.bytes");
GM_ASSERT (offsetof (struct GmPassed, pts) == 16, "GmPassed.pts");
GM_ASSERT (offsetof (struct GmPassed, dts) == 24, "GmPassed.dts");
GM_ASSERT (offsetof (struct GmPassed, duration) == 32, "GmPassed.duration");
GM_ASSERT (offsetof (struct GmPassed, offset) == 40, "GmPassed.offset");
GM_ASSERT (offsetof (struct GmPassed, offset_end) == 48, "GmPassed.offset_end");
GM_ASSERT (offsetof (struct GmPassed, reserved) == 56, "GmPassed.reserved");
GM_ASSERT (sizeof (struct GmCx) == 32, "GmCx");
GM_ASSERT (offsetof (struct GmCx, struct_size) == 0, "GmCx.struct_size");
GM_ASSERT (offsetof (struct GmCx, pad) == 4, "GmCx.pad");
GM_ASSERT (offsetof (struct GmCx, obj) == 8, "GmCx.obj");
GM_ASSERT (offsetof (struct GmCx, vtable) == 16, "GmCx.vtable");
GM_ASSERT (offsetof (struct GmCx, listeners) == 24, "GmCx.listeners");
GM_ASSERT (sizeof (struct GmCxVTable) == 336, "GmCxVTable");
GM_ASSERT (offsetof (struct GmCxVTable, struct_size) == 0, "GmCxVTable.struct_size");
GM_ASSERT (offsetof (struct GmCxVTable, reserved) == 4, "GmCxVTable.reserved");
GM_ASSERT (offsetof (struct GmCxVTable, output) == 8, "GmCxVTable.output");
GM_ASSERT (offsetof (struct GmCxVTable, output_event) == 16, "GmCxVTable.output_event");
GM_ASSERT (offsetof (struct GmCxVTable, push) == 24, "GmCxVTable.push");
GM_ASSERT (offsetof (struct GmCxVTable, push_event) == 32, "GmCxVTable.push_event");
GM_ASSERT (offsetof (struct GmCxVTable, event_default) == 40, "GmCxVTable.event_default");
GM_ASSERT (offsetof (struct GmCxVTable, peer_query) == 48, "GmCxVTable.peer_query");
GM_ASSERT (offsetof (struct GmCxVTable, query_default) == 56, "GmCxVTable.query_default");
GM_ASSERT (offsetof (struct GmCxVTable, post) == 64, "GmCxVTable.post");
GM_ASSERT (offsetof (struct GmCxVTable, log) == 72, "GmCxVTable.log");
GM_ASSERT (offsetof (struct GmCxVTable, log_enabled) == 80, "GmCxVTable.log_enabled");
GM_ASSERT (offsetof (struct GmCxVTable, property) == 88, "GmCxVTable.property");
GM_ASSERT (offsetof (struct GmCxVTable, publish) == 96, "GmCxVTable.publish");
GM_ASSERT (offsetof (struct GmCxVTable, emit) == 104, "GmCxVTable.emit");
GM_ASSERT (offsetof (struct GmCxVTable, clock_now) == 112, "GmCxVTable.clock_now");
GM_ASSERT (offsetof (struct GmCxVTable, base_time) == 120, "GmCxVTable.base_time");
GM_ASSERT (offsetof (struct GmCxVTable, utc_now) == 128, "GmCxVTable.utc_now");
GM_ASSERT (offsetof (struct GmCxVTable, simulated) == 136, "GmCxVTable.simulated");
GM_ASSERT (offsetof (struct GmCxVTable, clock_wait) == 144, "GmCxVTable.clock_wait");
GM_ASSERT (offsetof (struct GmCxVTable, sleep) == 152, "GmCxVTable.sleep");
GM_ASSERT (offsetof (struct GmCxVTable, ticket) == 160, "GmCxVTable.ticket");
GM_ASSERT (offsetof (struct GmCxVTable, wait) == 168, "GmCxVTable.wait");
GM_ASSERT (offsetof (struct GmCxVTable, wake) == 176, "GmCxVTable.wake");
GM_ASSERT (offsetof (struct GmCxVTable, runtime_now) == 184, "GmCxVTable.runtime_now");
GM_ASSERT (offsetof (struct GmCxVTable, pad_caps) == 192, "GmCxVTable.pad_caps");
GM_ASSERT (offsetof (struct GmCxVTable, pad_segment) == 200, "GmCxVTable.pad_segment");
GM_ASSERT (offsetof (struct GmCxVTable, pads) == 208, "GmCxVTable.pads");
GM_ASSERT (offsetof (struct GmCxVTable, set_latency) == 216, "GmCxVTable.set_latency");
GM_ASSERT (offsetof (struct GmCxVTable, flushing) == 224, "GmCxVTable.flushing");
GM_ASSERT (offsetof (struct GmCxVTable, foreign) == 232, "GmCxVTable.foreign");
GM_ASSERT (offsetof (struct GmCxVTable, poster) == 240, "GmCxVTable.poster");
GM_ASSERT (offsetof (struct GmCxVTable, add_pad) == 248, "GmCxVTable.add_pad");
GM_ASSERT (offsetof (struct GmCxVTable, remove_pad) == 256, "GmCxVTable.remove_pad");
GM_ASSERT (offsetof (struct GmCxVTable, no_more_pads) == 264, "GmCxVTable.no_more_pads");
GM_ASSERT (offsetof (struct GmCxVTable, emit_for) == 272, "GmCxVTable.emit_for");
GM_ASSERT (offsetof (struct GmCxVTable, sync) == 280, "GmCxVTable.sync");
GM_ASSERT (offsetof (struct GmCxVTable, sticky_event) == 288, "GmCxVTable.sticky_event");
GM_ASSERT (offsetof (struct GmCxVTable, push_list) == 296, "GmCxVTable.push_list");
GM_ASSERT (offsetof (struct GmCxVTable, store_event) == 304, "GmCxVTable.store_event");
GM_ASSERT (offsetof (struct GmCxVTable, start_task) == 312, "GmCxVTable.start_task");
GM_ASSERT (offsetof (struct GmCxVTable, dropped) == 320, "GmCxVTable.dropped");
GM_ASSERT (offsetof (struct GmCxVTable, acquire) == 328, "GmCxVTable.acquire");
GM_ASSERT (sizeof (struct GmPoster) == 16, "GmPoster");
GM_ASSERT (offsetof (struct GmPoster, obj) == 0, "GmPoster.obj");
GM_ASSERT (offsetof (struct GmPoster, vtable) == 8, "GmPoster.vtable");
GM_ASSERT (sizeof (struct GmPosterVTable) == 56, "GmPosterVTable");
GM_ASSERT (offsetof (struct GmPosterVTable, struct_size) == 0, "GmPosterVTable.struct_size");
GM_ASSERT (offsetof (struct GmPosterVTable, reserved) == 4, "GmPosterVTable.reserved");
GM_ASSERT (offsetof (struct GmPosterVTable, post) == 8, "GmPosterVTable.post");
GM_ASSERT (offsetof (struct GmPosterVTable, log) == 16, "GmPosterVTable.log");
GM_ASSERT (offsetof (struct GmPosterVTable, publish) == 24, "GmPosterVTable.publish");
GM_ASSERT (offsetof (struct GmPosterVTable, wake) == 32, "GmPosterVTable.wake");
GM_ASSERT (offsetof (struct GmPosterVTable, clone) == 40, "GmPosterVTable.clone");
GM_ASSERT (offsetof (struct GmPosterVTable, unref) == 48, "GmPosterVTable.unref");
GM_ASSERT (sizeof (struct GmAction) == 56, "GmAction");
GM_ASSERT (offsetof (struct GmAction, struct_size) == 0, "GmAction.struct_size");
GM_ASSERT (offsetof (struct GmAction, reserved) == 4, "GmAction.reserved");
GM_ASSERT (offsetof (struct GmAction, name) == 8, "GmAction.name");
GM_ASSERT (offsetof (struct GmAction, args) == 24, "GmAction.args");
GM_ASSERT (offsetof (struct GmAction, buf) == 40, "GmAction.buf");
GM_ASSERT (offsetof (struct GmAction, answer) == 48, "GmAction.answer");
GM_ASSERT (sizeof (struct GmElement) == 16, "GmElement");
GM_ASSERT (offsetof (struct GmElement, obj) == 0, "GmElement.obj");
GM_ASSERT (offsetof (struct GmElement, vtable) == 8, "GmElement.vtable");
GM_ASSERT (sizeof (struct GmElementVTable) == 328, "GmElementVTable");
GM_ASSERT (offsetof (struct GmElementVTable, struct_size) == 0, "GmElementVTable.struct_size");
GM_ASSERT (offsetof (struct GmElementVTable, reserved) == 4, "GmElementVTable.reserved");
GM_ASSERT (offsetof (struct GmElementVTable, destroy) == 8, "GmElementVTable.destroy");
GM_ASSERT (offsetof (struct GmElementVTable, start) == 16, "GmElementVTable.start");
GM_ASSERT (offsetof (struct GmElementVTable, stop) == 24, "GmElementVTable.stop");
GM_ASSERT (offsetof (struct GmElementVTable, unlock) == 32, "GmElementVTable.unlock");
GM_ASSERT (offsetof (struct GmElementVTable, set_property) == 40, "GmElementVTable.set_property");
GM_ASSERT (offsetof (struct GmElementVTable, get_property) == 48, "GmElementVTable.get_property");
GM_ASSERT (offsetof (struct GmElementVTable, pad_caps) == 56, "GmElementVTable.pad_caps");
GM_ASSERT (offsetof (struct GmElementVTable, transform_caps) == 64, "GmElementVTable.transform_caps");
GM_ASSERT (offsetof (struct GmElementVTable, fixate) == 72, "GmElementVTable.fixate");
GM_ASSERT (offsetof (struct GmElementVTable, set_caps) == 80, "GmElementVTable.set_caps");
GM_ASSERT (offsetof (struct GmElementVTable, create) == 88, "GmElementVTable.create");
GM_ASSERT (offsetof (struct GmElementVTable, seek) == 96, "GmElementVTable.seek");
GM_ASSERT (offsetof (struct GmElementVTable, transform) == 104, "GmElementVTable.transform");
GM_ASSERT (offsetof (struct GmElementVTable, preroll) == 112, "GmElementVTable.preroll");
GM_ASSERT (offsetof (struct GmElementVTable, render) == 120, "GmElementVTable.render");
GM_ASSERT (offsetof (struct GmElementVTable, chain) == 128, "GmElementVTable.chain");
GM_ASSERT (offsetof (struct GmElementVTable, produce) == 136, "GmElementVTable.produce");
GM_ASSERT (offsetof (struct GmElementVTable, stopped) == 144, "GmElementVTable.stopped");
GM_ASSERT (offsetof (struct GmElementVTable, sink_event) == 152, "GmElementVTable.sink_event");
GM_ASSERT (offsetof (struct GmElementVTable, src_event) == 160, "GmElementVTable.src_event");
GM_ASSERT (offsetof (struct GmElementVTable, query) == 168, "GmElementVTable.query");
GM_ASSERT (offsetof (struct GmElementVTable, flush) == 176, "GmElementVTable.flush");
GM_ASSERT (offsetof (struct GmElementVTable, action) == 184, "GmElementVTable.action");
GM_ASSERT (offsetof (struct GmElementVTable, pad_added) == 192, "GmElementVTable.pad_added");
GM_ASSERT (offsetof (struct GmElementVTable, pad_removed) == 200, "GmElementVTable.pad_removed");
GM_ASSERT (offsetof (struct GmElementVTable, is_live) == 208, "GmElementVTable.is_live");
GM_ASSERT (offsetof (struct GmElementVTable, source_info) == 216, "GmElementVTable.source_info");
GM_ASSERT (offsetof (struct GmElementVTable, seek_through) == 224, "GmElementVTable.seek_through");
GM_ASSERT (offsetof (struct GmElementVTable, event_arrives) == 232, "GmElementVTable.event_arrives");
GM_ASSERT (offsetof (struct GmElementVTable, oob_event) == 240, "GmElementVTable.oob_event");
GM_ASSERT (offsetof (struct GmElementVTable, change_state) == 248, "GmElementVTable.change_state");
GM_ASSERT (offsetof (struct GmElementVTable, pad_name) == 256, "GmElementVTable.pad_name");
GM_ASSERT (offsetof (struct GmElementVTable, chain_list) == 264, "GmElementVTable.chain_list");
GM_ASSERT (offsetof (struct GmElementVTable, provide_clock) == 272, "GmElementVTable.provide_clock");
GM_ASSERT (offsetof (struct GmElementVTable, clock_now) == 280, "GmElementVTable.clock_now");
GM_ASSERT (offsetof (struct GmElementVTable, instance_caps) == 288, "GmElementVTable.instance_caps");
GM_ASSERT (offsetof (struct GmElementVTable, get_range) == 296, "GmElementVTable.get_range");
GM_ASSERT (offsetof (struct GmElementVTable, next_range) == 304, "GmElementVTable.next_range");
GM_ASSERT (offsetof (struct GmElementVTable, modes) == 312, "GmElementVTable.modes");
GM_ASSERT (offsetof (struct GmElementVTable, passes) == 320, "GmElementVTable.passes");
GM_ASSERT (sizeof (struct GmSourceInfo) == 24, "GmSourceInfo");
GM_ASSERT (offsetof (struct GmSourceInfo, struct_size) == 0, "GmSourceInfo.struct_size");
GM_ASSERT (offsetof (struct GmSourceInfo, format) == 4, "GmSourceInfo.format");
GM_ASSERT (offsetof (struct GmSourceInfo, seekable) == 8, "GmSourceInfo.seekable");
GM_ASSERT (offsetof (struct GmSourceInfo, reserved) == 12, "GmSourceInfo.reserved");
GM_ASSERT (offsetof (struct GmSourceInfo, duration) == 16, "GmSourceInfo.duration");
GM_ASSERT (sizeof (struct GmPadTemplate) == 64, "GmPadTemplate");
GM_ASSERT (offsetof (struct GmPadTemplate, struct_size) == 0, "GmPadTemplate.struct_size");
GM_ASSERT (offsetof (struct GmPadTemplate, direction) == 4, "GmPadTemplate.direction");
GM_ASSERT (offsetof (struct GmPadTemplate, presence) == 8, "GmPadTemplate.presence");
GM_ASSERT (offsetof (struct GmPadTemplate, flags) == 12, "GmPadTemplate.flags");
GM_ASSERT (offsetof (struct GmPadTemplate, name) == 16, "GmPadTemplate.name");
GM_ASSERT (offsetof (struct GmPadTemplate, caps) == 32, "GmPadTemplate.caps");
GM_ASSERT (offsetof (struct GmPadTemplate, pad_type) == 48, "GmPadTemplate.pad_type");
GM_ASSERT (sizeof (struct GmPropSpec) == 120, "GmPropSpec");
GM_ASSERT (offsetof (struct GmPropSpec, struct_size) == 0, "GmPropSpec.struct_size");
GM_ASSERT (offsetof (struct GmPropSpec, flags) == 4, "GmPropSpec.flags");
GM_ASSERT (offsetof (struct GmPropSpec, name) == 8, "GmPropSpec.name");
GM_ASSERT (offsetof (struct GmPropSpec, type_name) == 24, "GmPropSpec.type_name");
GM_ASSERT (offsetof (struct GmPropSpec, blurb) == 40, "GmPropSpec.blurb");
GM_ASSERT (offsetof (struct GmPropSpec, unit) == 56, "GmPropSpec.unit");
GM_ASSERT (offsetof (struct GmPropSpec, min) == 72, "GmPropSpec.min");
GM_ASSERT (offsetof (struct GmPropSpec, max) == 88, "GmPropSpec.max");
GM_ASSERT (offsetof (struct GmPropSpec, default_value) == 104, "GmPropSpec.default_value");
GM_ASSERT (sizeof (struct GmSignalSpec) == 40, "GmSignalSpec");
GM_ASSERT (offsetof (struct GmSignalSpec, struct_size) == 0, "GmSignalSpec.struct_size");
GM_ASSERT (offsetof (struct GmSignalSpec, action) == 4, "GmSignalSpec.action");
GM_ASSERT (offsetof (struct GmSignalSpec, name) == 8, "GmSignalSpec.name");
GM_ASSERT (offsetof (struct GmSignalSpec, blurb) == 24, "GmSignalSpec.blurb");
GM_ASSERT (sizeof (struct GmFactory) == 176, "GmFactory");
GM_ASSERT (offsetof (struct GmFactory, struct_size) == 0, "GmFactory.struct_size");
GM_ASSERT (offsetof (struct GmFactory, role) == 4, "GmFactory.role");
GM_ASSERT (offsetof (struct GmFactory, rank) == 8, "GmFactory.rank");
GM_ASSERT (offsetof (struct GmFactory, role_flags) == 12, "GmFactory.role_flags");
GM_ASSERT (offsetof (struct GmFactory, name) == 16, "GmFactory.name");
GM_ASSERT (offsetof (struct GmFactory, long_name) == 32, "GmFactory.long_name");
GM_ASSERT (offsetof (struct GmFactory, klass) == 48, "GmFactory.klass");
GM_ASSERT (offsetof (struct GmFactory, description) == 64, "GmFactory.description");
GM_ASSERT (offsetof (struct GmFactory, author) == 80, "GmFactory.author");
GM_ASSERT (offsetof (struct GmFactory, upstream_events) == 96, "GmFactory.upstream_events");
GM_ASSERT (offsetof (struct GmFactory, n_pads) == 112, "GmFactory.n_pads");
GM_ASSERT (offsetof (struct GmFactory, n_props) == 116, "GmFactory.n_props");
GM_ASSERT (offsetof (struct GmFactory, n_signals) == 120, "GmFactory.n_signals");
GM_ASSERT (offsetof (struct GmFactory, reserved) == 124, "GmFactory.reserved");
GM_ASSERT (offsetof (struct GmFactory, pads) == 128, "GmFactory.pads");
GM_ASSERT (offsetof (struct GmFactory, props) == 136, "GmFactory.props");
GM_ASSERT (offsetof (struct GmFactory, signals) == 144, "GmFactory.signals");
GM_ASSERT (offsetof (struct GmFactory, create) == 152, "GmFactory.create");
GM_ASSERT (offsetof (struct GmFactory, vtable) == 160, "GmFactory.vtable");
GM_ASSERT (offsetof (struct GmFactory, type_name) == 168, "GmFactory.type_name");
GM_ASSERT (sizeof (struct GmHost) == 72, "GmHost");
GM_ASSERT (offsetof (struct GmHost, struct_size) == 0, "GmHost.struct_size");
GM_ASSERT (offsetof (struct GmHost, abi_major) == 4, "GmHost.abi_major");
GM_ASSERT (offsetof (struct GmHost, abi_minor) == 6, "GmHost.abi_minor");
GM_ASSERT (offsetof (struct GmHost, log) == 8, "GmHost.log");
GM_ASSERT (offsetof (struct GmHost, get_extension) == 16, "GmHost.get_extension");
GM_ASSERT (offsetof (struct GmHost, buffer_new) == 24, "GmHost.buffer_new");
GM_ASSERT (offsetof (struct GmHost, buffer_writable) == 32, "GmHost.buffer_writable");
GM_ASSERT (offsetof (struct GmHost, buffer_add_meta) == 40, "GmHost.buffer_add_meta");
GM_ASSERT (offsetof (struct GmHost, pool_new) == 48, "GmHost.pool_new");
GM_ASSERT (offsetof (struct GmHost, pool_acquire) == 56, "GmHost.pool_acquire");
GM_ASSERT (offsetof (struct GmHost, pool_free) == 64, "GmHost.pool_free");
GM_ASSERT (sizeof (struct GmPluginDesc) == 152, "GmPluginDesc");
GM_ASSERT (offsetof (struct GmPluginDesc, magic) == 0, "GmPluginDesc.magic");
GM_ASSERT (offsetof (struct GmPluginDesc, abi_major) == 8, "GmPluginDesc.abi_major");
GM_ASSERT (offsetof (struct GmPluginDesc, abi_minor) == 10, "GmPluginDesc.abi_minor");
GM_ASSERT (offsetof (struct GmPluginDesc, struct_size) == 12, "GmPluginDesc.struct_size");
GM_ASSERT (offsetof (struct GmPluginDesc, min_host_minor) == 16, "GmPluginDesc.min_host_minor");
GM_ASSERT (offsetof (struct GmPluginDesc, flags) == 20, "GmPluginDesc.flags");
GM_ASSERT (offsetof (struct GmPluginDesc, name) == 24, "GmPluginDesc.name");
GM_ASSERT (offsetof (struct GmPluginDesc, version) == 40, "GmPluginDesc.version");
GM_ASSERT (offsetof (struct GmPluginDesc, license) == 56, "GmPluginDesc.license");
GM_ASSERT (offsetof (struct GmPluginDesc, source) == 72, "GmPluginDesc.source");
GM_ASSERT (offsetof (struct GmPluginDesc, build_info) == 88, "GmPluginDesc.build_info");
GM_ASSERT (offsetof (struct GmPluginDesc, description) == 104, "GmPluginDesc.description");
GM_ASSERT (offsetof (struct GmPluginDesc, n_factories) == 120, "GmPluginDesc.n_factories");
GM_ASSERT (offsetof (struct GmPluginDesc, reserved) == 124, "GmPluginDesc.reserved");
GM_ASSERT (offsetof (struct GmPluginDesc, factories) == 128, "GmPluginDesc.factories");
GM_ASSERT (offsetof (struct GmPluginDesc, init) == 136, "GmPluginDesc.init");
GM_ASSERT (offsetof (struct GmPluginDesc, deinit) == 144, "GmPluginDesc.deinit");
#endif

/* What follows is for convenience and is no part of the boundary. */

/* A text literal, as an initializer and as a value. */
#define GM_STR(literal) { literal, sizeof (literal) - 1 }

/* Whether a struct that somebody else made is new enough to have that field. */
#define GM_HAS(type, table, field) \
  (offsetof (type, field) + sizeof ((table)->field) <= (table)->struct_size)

/* Before the definition of a plugin's descriptor: GM_PLUGIN (name) = { GM_PLUGIN_HEAD, ... }; in the file
 * libgstmini<name>.so, where `name` has underscores for dashes. */
#define GM_PLUGIN(name) \
  GM_EXTERN __attribute__ ((visibility ("default"))) const GmPluginDesc gst_mini_plugin_##name; \
  const GmPluginDesc gst_mini_plugin_##name
#define GM_PLUGIN_HEAD GM_MAGIC, GM_ABI_MAJOR, GM_ABI_MINOR, sizeof (GmPluginDesc), GM_ABI_MINOR, 0

/* What a plugin says it was built by. */
#if defined(__VERSION__)
#define GM_COMPILER "C, " __VERSION__
#else
#define GM_COMPILER "C"
#endif

static inline GmStr
gm_str (const char *text)
{
  GmStr str;
  str.ptr = text;
  str.len = strlen (text);
  return str;
}

static inline int
gm_str_is (GmStr str, const char *text)
{
  return str.len == strlen (text) && (str.len == 0 || memcmp (str.ptr, text, str.len) == 0);
}

/* Whether a text begins with another one: "eos", or "segment, rate=..." for the word "segment". */
static inline int
gm_str_begins (GmStr str, const char *text)
{
  return str.len >= strlen (text) && memcmp (str.ptr, text, strlen (text)) == 0;
}

/* Writes a text to a place that was lent for it. */
static inline void
gm_text_put (GmText *place, const char *text, size_t len)
{
  if (place && place->write)
    place->write (place->obj, text, len);
}

static inline GmBuffer *
gm_buffer_ref (GmBuffer *buf)
{
  __atomic_fetch_add (&buf->refcount, 1, __ATOMIC_RELAXED);
  return buf;
}

static inline void
gm_buffer_unref (GmBuffer *buf)
{
  if (__atomic_fetch_sub (&buf->refcount, 1, __ATOMIC_RELEASE) != 1)
    return;
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
  if (buf->free)
    buf->free (buf);
}

/* Whether nobody else sees this header; GmHost.buffer_writable sees to that, for the data too. */
static inline int
gm_buffer_is_sole (const GmBuffer *buf)
{
  return __atomic_load_n (&buf->refcount, __ATOMIC_ACQUIRE) == 1;
}

/* What a streaming callback gives back. */
static inline GmFlowBuf
gm_flow (int32_t code, GmBuffer *buf)
{
  GmFlowBuf flow;
  flow.code = code;
  flow.buf = buf;
  return flow;
}

#ifdef __cplusplus
}
#endif

#endif
