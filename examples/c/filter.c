/* cgain: makes sound louder or softer. One element, one property.
 *
 *   gst-mini launch audiotestsrc num-buffers=100 ! cgain gain=0.5 ! cpeaksink
 */
#include <stdlib.h>

#include "gst_mini.h"

#define CAPS "audio/x-raw, format=(string)S16LE, layout=(string)interleaved"

static const GmHost *the_host;

typedef struct { double gain; } Gain;

static uint8_t
set_property (void *obj, const GmCx *cx, GmStr name, GmStr value, GmText *why)
{
  (void) cx, (void) name, (void) why;
  /* The host has checked type and range; the text is not ended by a zero. */
  char text[64] = "";
  memcpy (text, value.ptr, value.len < 63 ? value.len : 63);
  ((Gain *) obj)->gain = strtod (text, NULL);
  return 1;
}

static GmFlowBuf
transform (void *obj, const GmCx *cx, GmBuffer *buf)
{
  (void) cx;
  double gain = ((Gain *) obj)->gain;
  buf = the_host->buffer_writable (buf);
  for (size_t at = 0; at + 1 < buf->len; at += 2) {
    int sample = (int16_t) (buf->data[at] | buf->data[at + 1] << 8);
    double louder = sample * gain;
    sample = louder > 32767 ? 32767 : louder < -32768 ? -32768 : (int) louder;
    buf->data[at] = (uint8_t) (sample & 255);
    buf->data[at + 1] = (uint8_t) (sample >> 8 & 255);
  }
  return gm_flow (GM_FLOW_OK, buf);
}

static const GmElementVTable functions = {
  .struct_size = sizeof functions,
  .destroy = free, .set_property = set_property, .transform = transform,
};

static uint8_t
create (const GmHost *host, GmElement *out, GmText *why)
{
  (void) why;
  the_host = host;
  Gain *gain = calloc (1, sizeof *gain);
  if (!gain)
    return 0;
  gain->gain = 1;
  out->obj = gain;
  out->vtable = &functions;
  return 1;
}

static const GmPadTemplate sink_pad = {
  .struct_size = sizeof sink_pad, .direction = GM_PAD_SINK, .name = GM_STR ("sink"), .caps = GM_STR (CAPS),
};
static const GmPadTemplate src_pad = {
  .struct_size = sizeof src_pad, .direction = GM_PAD_SRC, .name = GM_STR ("src"), .caps = GM_STR (CAPS),
};
static const GmPadTemplate *const pads[] = { &sink_pad, &src_pad };

static const GmPropSpec gain_property = {
  .struct_size = sizeof gain_property, .flags = GM_PROP_READABLE | GM_PROP_WRITABLE,
  .name = GM_STR ("gain"), .type_name = GM_STR ("double"), .blurb = GM_STR ("What each sample is multiplied with"),
  .min = GM_STR ("0"), .max = GM_STR ("100"), .default_value = GM_STR ("1"),
};
static const GmPropSpec *const properties[] = { &gain_property };

static const GmFactory gain_factory = {
  .struct_size = sizeof gain_factory, .role = GM_ROLE_TRANSFORM, .name = GM_STR ("cgain"),
  .long_name = GM_STR ("Gain, in C"), .klass = GM_STR ("Filter/Effect/Audio"),
  .description = GM_STR ("Makes sound louder or softer"), .author = GM_STR ("The GstMini developers"),
  .n_pads = 2, .pads = pads, .n_props = 1, .props = properties, .create = create, .vtable = &functions,
};
static const GmFactory *const factories[] = { &gain_factory };

GM_PLUGIN (cgain) = {
  GM_PLUGIN_HEAD, .name = GM_STR ("cgain"), .version = GM_STR ("1.0"), .license = GM_STR ("MIT"),
  .source = GM_STR ("examples/c"), .build_info = GM_STR (GM_COMPILER), .description = GM_STR ("A filter in C"),
  .n_factories = 1, .factories = factories,
};
