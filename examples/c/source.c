/* ctonesrc: a triangle tone, from a pool of buffers. A source that is asked for its next buffer.
 *
 *   gst-mini launch ctonesrc num-buffers=100 frequency=220 ! autoaudiosink
 */
#include <stdlib.h>

#include "gst_mini.h"

#define RATE 44100
#define SAMPLES 441             /* 10 ms */
#define CAPS "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int)44100, channels=(int)1"

typedef struct {
  const GmHost *host;
  void *pool;
  uint64_t next;                /* the first sample of the next buffer */
  uint32_t frequency;
} Tone;

static uint8_t
set_property (void *obj, const GmCx *cx, GmStr name, GmStr value, GmText *why)
{
  (void) cx, (void) name, (void) why;
  char text[16] = "";
  memcpy (text, value.ptr, value.len < 15 ? value.len : 15);
  ((Tone *) obj)->frequency = (uint32_t) strtoul (text, NULL, 10);
  return 1;
}

/* READY to PAUSED. */
static int32_t
start (void *obj, const GmCx *cx)
{
  Tone *tone = obj;
  tone->next = 0;
  tone->pool = tone->host->pool_new (SAMPLES * 2, 4);
  if (tone->pool)
    return GM_FLOW_OK;
  cx->vtable->post (cx, gm_str ("error, kind=(string)core, text=(string)\"no memory for a pool\""));
  return GM_FLOW_ERROR;
}

/* PAUSED to READY. Buffers that are still out come back by themselves. */
static int32_t
stop (void *obj, const GmCx *cx)
{
  (void) cx;
  Tone *tone = obj;
  tone->host->pool_free (tone->pool);
  tone->pool = NULL;
  return GM_FLOW_OK;
}

static uint64_t
time_of (uint64_t sample)
{
  return sample * 1000000000u / RATE;
}

/* On the streaming thread; the host counts num-buffers and waits for nothing here. */
static GmFlowBuf
create_buffer (void *obj, const GmCx *cx)
{
  (void) cx;
  Tone *tone = obj;
  GmBuffer *buf = tone->host->pool_acquire (tone->pool);
  if (!buf)
    return gm_flow (GM_FLOW_ERROR, NULL);
  for (uint64_t at = 0; at < SAMPLES; at++) {
    uint64_t phase = (tone->next + at) * tone->frequency % RATE * 4 * 16384 / RATE;
    int sample = (int) (phase < 16384 ? phase : phase < 49152 ? 32768 - phase : phase - 65536);
    buf->data[at * 2] = (uint8_t) (sample & 255);
    buf->data[at * 2 + 1] = (uint8_t) (sample >> 8 & 255);
  }
  buf->pts = time_of (tone->next);
  buf->duration = time_of (tone->next + SAMPLES) - buf->pts;
  buf->offset = tone->next;
  tone->next += SAMPLES;
  buf->offset_end = tone->next;
  return gm_flow (GM_FLOW_OK, buf);
}

static const GmElementVTable functions = {
  .struct_size = sizeof functions, .destroy = free, .start = start, .stop = stop,
  .set_property = set_property, .create = create_buffer,
};

static uint8_t
create (const GmHost *host, GmElement *out, GmText *why)
{
  Tone *tone = calloc (1, sizeof *tone);
  if (!tone) {
    gm_text_put (why, "no memory", 9);
    return 0;
  }
  tone->host = host;
  tone->frequency = 440;
  out->obj = tone;
  out->vtable = &functions;
  return 1;
}

static const GmPadTemplate src_pad = {
  .struct_size = sizeof src_pad, .direction = GM_PAD_SRC, .name = GM_STR ("src"), .caps = GM_STR (CAPS),
};
static const GmPadTemplate *const pads[] = { &src_pad };

static const GmPropSpec frequency = {
  .struct_size = sizeof frequency, .flags = GM_PROP_READABLE | GM_PROP_WRITABLE,
  .name = GM_STR ("frequency"), .type_name = GM_STR ("uint"), .blurb = GM_STR ("Of the tone, Hz"),
  .min = GM_STR ("1"), .max = GM_STR ("20000"), .default_value = GM_STR ("440"),
};
static const GmPropSpec *const properties[] = { &frequency };

static const GmFactory tone_factory = {
  .struct_size = sizeof tone_factory, .role = GM_ROLE_SOURCE, .name = GM_STR ("ctonesrc"),
  .long_name = GM_STR ("Tone, in C"), .klass = GM_STR ("Source/Audio"),
  .description = GM_STR ("Makes a triangle tone"), .author = GM_STR ("The GstMini developers"),
  .n_pads = 1, .pads = pads, .n_props = 1, .props = properties, .create = create, .vtable = &functions,
};
static const GmFactory *const factories[] = { &tone_factory };

GM_PLUGIN (ctone) = {
  GM_PLUGIN_HEAD, .name = GM_STR ("ctone"), .version = GM_STR ("1.0"), .license = GM_STR ("MIT"),
  .source = GM_STR ("examples/c"), .build_info = GM_STR (GM_COMPILER), .description = GM_STR ("A source in C"),
  .n_factories = 1, .factories = factories,
};
