/* cpeaksink: tells how loud the sound was, when it ends. A sink with a property that it publishes, an event
 * it looks at, and a message.
 *
 *   gst-mini launch -m audiotestsrc num-buffers=100 ! cpeaksink
 */
#include <stdio.h>
#include <stdlib.h>

#include "gst_mini.h"

#define CAPS "audio/x-raw, format=(string)S16LE, layout=(string)interleaved"

typedef struct {
  int peak;
  uint64_t buffers;
} Peak;

/* NULL to READY. */
static int32_t
start (void *obj, const GmCx *cx)
{
  (void) cx;
  *(Peak *) obj = (Peak) { 0, 0 };
  return GM_FLOW_OK;
}

/* The buffer's time has come; its reference is ours. */
static int32_t
render (void *obj, const GmCx *cx, GmBuffer *buf)
{
  Peak *peak = obj;
  int before = peak->peak;
  for (size_t at = 0; at + 1 < buf->len; at += 2) {
    int sample = abs ((int16_t) (buf->data[at] | buf->data[at + 1] << 8));
    if (sample > peak->peak)
      peak->peak = sample;
  }
  gm_buffer_unref (buf);
  peak->buffers++;
  if (peak->peak != before) {
    char text[16];
    snprintf (text, sizeof text, "%d", peak->peak);
    cx->vtable->publish (cx, gm_str ("peak"), gm_str (text));
  }
  return GM_FLOW_OK;
}

/* Events come as text: a name, and fields. */
static int32_t
sink_event (void *obj, const GmCx *cx, GmStr event)
{
  Peak *peak = obj;
  if (gm_str_begins (event, "eos")) {
    char text[128];
    snprintf (text, sizeof text, "element, structure=(string)\"peak\\,\\ value\\=\\(int\\)%d\\,\\ buffers\\=\\(int\\)%d\"",
        peak->peak, (int) peak->buffers);
    cx->vtable->post (cx, gm_str (text));
  }
  return GM_FLOW_OK;
}

static const GmElementVTable functions = {
  .struct_size = sizeof functions, .destroy = free, .start = start, .render = render, .sink_event = sink_event,
};

static uint8_t
create (const GmHost *host, GmElement *out, GmText *why)
{
  (void) host, (void) why;
  out->obj = calloc (1, sizeof (Peak));
  out->vtable = &functions;
  return out->obj != NULL;
}

static const GmPadTemplate sink_pad = {
  .struct_size = sizeof sink_pad, .direction = GM_PAD_SINK, .name = GM_STR ("sink"), .caps = GM_STR (CAPS),
};
static const GmPadTemplate *const pads[] = { &sink_pad };

/* Only shown: what publish says is kept by the host. */
static const GmPropSpec peak_property = {
  .struct_size = sizeof peak_property, .flags = GM_PROP_READABLE,
  .name = GM_STR ("peak"), .type_name = GM_STR ("int"), .blurb = GM_STR ("The loudest sample so far"),
  .default_value = GM_STR ("0"),
};
static const GmPropSpec *const properties[] = { &peak_property };

static const GmFactory peak_factory = {
  .struct_size = sizeof peak_factory, .role = GM_ROLE_SINK, .role_flags = GM_ROLE_SYNC | GM_ROLE_ASYNC,
  .name = GM_STR ("cpeaksink"), .long_name = GM_STR ("Peak meter, in C"), .klass = GM_STR ("Sink/Analyzer/Audio"),
  .description = GM_STR ("Tells how loud the sound was"), .author = GM_STR ("The GstMini developers"),
  .n_pads = 1, .pads = pads, .n_props = 1, .props = properties, .create = create, .vtable = &functions,
};
static const GmFactory *const factories[] = { &peak_factory };

GM_PLUGIN (cpeak) = {
  GM_PLUGIN_HEAD, .name = GM_STR ("cpeak"), .version = GM_STR ("1.0"), .license = GM_STR ("MIT"),
  .source = GM_STR ("examples/c"), .build_info = GM_STR (GM_COMPILER), .description = GM_STR ("A sink in C"),
  .n_factories = 1, .factories = factories,
};
