/* A plugin with one filter whose every field, and every answer, can be made wrong. */
#include "gst_mini.h"

#include <stdlib.h>

#ifndef ROLE
#define ROLE GM_ROLE_TRANSFORM
#endif
#ifndef FACTORY_NAME
#define FACTORY_NAME NAME_TEXT
#endif
#ifndef FACTORY_SIZE
#define FACTORY_SIZE sizeof (GmFactory)
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof (GmElementVTable)
#endif
#ifndef TEMPLATE_SIZE
#define TEMPLATE_SIZE sizeof (GmPadTemplate)
#endif
#ifndef PROP_SIZE
#define PROP_SIZE sizeof (GmPropSpec)
#endif
#ifndef SIGNAL_SIZE
#define SIGNAL_SIZE sizeof (GmSignalSpec)
#endif
#ifndef DIRECTION
#define DIRECTION GM_PAD_SINK
#endif
#ifndef PRESENCE
#define PRESENCE GM_PRESENCE_ALWAYS
#endif
#ifndef PAD_NAME
#define PAD_NAME "sink"
#endif
#ifndef CAPS
#define CAPS "ANY"
#endif
#ifndef N_PADS
#define N_PADS 2
#endif
#ifndef N_PROPS
#define N_PROPS 1
#endif
#ifndef N_SIGNALS
#define N_SIGNALS 1
#endif
#ifndef N_FACTORIES
#define N_FACTORIES 1
#endif
#ifndef PROP_NAME
#define PROP_NAME "prop"
#endif
#ifndef PROP_TYPE
#define PROP_TYPE "int"
#endif
#ifndef SIGNAL_NAME
#define SIGNAL_NAME "signal"
#endif
#ifndef LONG_NAME
#define LONG_NAME GM_STR ("long")
#endif
#ifndef ANSWER
#define ANSWER gm_flow (GM_FLOW_OK, buf)
#endif
#ifndef START
#define START GM_FLOW_OK
#endif
#ifndef INIT
#define INIT return 1
#endif

static GmFlowBuf
transform (void *obj, const GmCx *cx, GmBuffer *buf)
{
  (void) obj, (void) cx, (void) buf;
  return ANSWER;
}

static int32_t
start (void *obj, const GmCx *cx)
{
  (void) obj, (void) cx;
#ifdef NONSENSE
  /* Everything at once that is no event, no message, no pad and no text. */
  GmStr bad = GM_STR ("\xff\xfe nonsense");
  cx->vtable->post (cx, bad);
  cx->vtable->output_event (cx, 77, bad);
  cx->vtable->output_event (cx, 0, gm_str ("segment, rate=(string)x"));
  cx->vtable->push_event (cx, 4000000000u, gm_str ("eos"));
  cx->vtable->store_event (cx, 9, bad);
  cx->vtable->publish (cx, bad, bad);
  cx->vtable->publish (cx, gm_str ("prop"), bad);
  cx->vtable->emit (cx, bad, bad);
  cx->vtable->log (cx, 99, bad);
  cx->vtable->peer_query (cx, 0, bad, NULL);
  cx->vtable->query_default (cx, 3, gm_str ("position"), NULL);
  cx->vtable->remove_pad (cx, 5);
  cx->vtable->add_pad (cx, bad, bad, NULL, 0);
  cx->vtable->start_task (cx, 6);
  cx->vtable->wake (cx, 1000);
  cx->vtable->ticket (cx, 1000);
  cx->vtable->push (cx, 0, NULL);
  cx->vtable->push_list (cx, 0, NULL, 0);
  cx->vtable->output (cx, 0, NULL);
  cx->vtable->dropped (cx, NULL, bad);
  cx->vtable->foreign (cx, 0, NULL, NULL);
  cx->vtable->set_latency (cx, 5, 1);
#endif
  return START;
}

static const GmElementVTable functions = {
  .struct_size = TABLE_SIZE, .start = start,
#ifndef NO_TRANSFORM
  .transform = transform,
#endif
};

static uint8_t
create (const GmHost *host, GmElement *out, GmText *why)
{
  (void) host, (void) why;
#ifdef CREATE_FAILS
  gm_text_put (why, CREATE_FAILS, sizeof CREATE_FAILS - 1);
  return 0;
#endif
#ifdef NO_TABLE
  out->vtable = NULL;
#elif defined OTHER_TABLE
  static GmElementVTable other = { .struct_size = 3 };
  out->vtable = &other;
#else
  out->vtable = &functions;
#endif
  return 1;
}

static uint8_t
init (const GmHost *host, GmText *why)
{
  (void) host, (void) why;
  INIT;
}

static const GmPadTemplate sink_pad = {
  .struct_size = TEMPLATE_SIZE, .direction = DIRECTION, .presence = PRESENCE, .name = GM_STR (PAD_NAME),
  .caps = GM_STR (CAPS),
};
static const GmPadTemplate src_pad = {
  .struct_size = sizeof src_pad, .direction = GM_PAD_SRC, .name = GM_STR ("src"), .caps = GM_STR ("ANY"),
};
static const GmPropSpec prop = {
  .struct_size = PROP_SIZE, .flags = GM_PROP_READABLE | GM_PROP_WRITABLE, .name = GM_STR (PROP_NAME),
  .type_name = GM_STR (PROP_TYPE), .default_value = GM_STR ("1"),
};
static const GmSignalSpec signal_spec = {
  .struct_size = SIGNAL_SIZE, .name = GM_STR (SIGNAL_NAME),
};
#ifdef NULL_PAD
static const GmPadTemplate *const pads[] = { &sink_pad, NULL };
#else
static const GmPadTemplate *const pads[] = { &sink_pad, &src_pad };
#endif
static const GmPropSpec *const props[] = { &prop, &prop };
static const GmSignalSpec *const signals[] = { &signal_spec, &signal_spec };

static const GmFactory factory = {
  .struct_size = FACTORY_SIZE, .role = ROLE, .name = GM_STR (FACTORY_NAME), .long_name = LONG_NAME,
  .n_pads = N_PADS, .n_props = N_PROPS, .n_signals = N_SIGNALS,
#ifndef NO_LISTS
  .pads = pads, .props = props, .signals = signals,
#endif
#ifndef NO_CREATE
  .create = create,
#endif
#ifndef NO_FUNCTIONS
  .vtable = &functions,
#endif
};
#ifdef NULL_FACTORY
static const GmFactory *const factories[] = { NULL };
#else
static const GmFactory *const factories[] = { &factory, &factory };
#endif

#define PASTE(a) GM_PLUGIN (a)
PASTE (NAME) = {
  GM_PLUGIN_HEAD, .name = GM_STR (NAME_TEXT), .version = GM_STR ("1"), .n_factories = N_FACTORIES,
  .factories = factories, .init = init,
};

/* All that this file has is used, whatever is left out. */
const void *gm_used[] = { (const void *) &functions, (const void *) &props, (const void *) &signals, (const void *) pads,
  (const void *) &factory, (const void *) &src_pad };
void *gm_uses (void);
void *
gm_uses (void)
{
  return (void *) (uintptr_t) &create + (uintptr_t) &transform % 2;
}
