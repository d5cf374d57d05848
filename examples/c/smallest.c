/* cthrough: hands every buffer on. The smallest plugin there is. */
#include "gst_mini.h"

static GmFlowBuf
transform (void *obj, const GmCx *cx, GmBuffer *buf)
{
  (void) obj, (void) cx;
  return gm_flow (GM_FLOW_OK, buf);
}

static const GmElementVTable functions = { .struct_size = sizeof functions, .transform = transform };

static uint8_t
create (const GmHost *host, GmElement *out, GmText *why)
{
  (void) host, (void) why;
  out->vtable = &functions;
  return 1;
}

static const GmPadTemplate sink = {
  .struct_size = sizeof sink, .direction = GM_PAD_SINK, .name = GM_STR ("sink"), .caps = GM_STR ("ANY"),
};
static const GmPadTemplate src = {
  .struct_size = sizeof src, .direction = GM_PAD_SRC, .name = GM_STR ("src"), .caps = GM_STR ("ANY"),
};
static const GmPadTemplate *const pads[] = { &sink, &src };

static const GmFactory through = {
  .struct_size = sizeof through, .role = GM_ROLE_TRANSFORM, .name = GM_STR ("cthrough"),
  .n_pads = 2, .pads = pads, .create = create, .vtable = &functions,
};
static const GmFactory *const factories[] = { &through };

GM_PLUGIN (cthrough) = { GM_PLUGIN_HEAD, .name = GM_STR ("cthrough"), .n_factories = 1, .factories = factories };
