/* The elements a recording needs and Python cannot make: a source that seeks, a filter that adds
 * latency, elements that note their state changes, and a pad that answers LATENCY queries.
 * Built by scenarios.py. */
#include <gst/gst.h>
#include <gst/base/base.h>
#include <string.h>

static GMutex lock;
static GString *calls;
static char fail_element[64];
static int fail_transition = -1;

/* ---- state changes, noted ------------------------------------------------------------------ */

static GstStateChangeReturn
noted_change_state (GstElement * e, GstStateChange t)
{
  GstElementClass *parent = g_type_class_peek_parent (g_type_class_peek (G_OBJECT_TYPE (e)));
  GstStateChangeReturn ret;
  gsize at;
  g_mutex_lock (&lock);
  at = calls->len;
  g_string_append_printf (calls, "%s %d ?\n", GST_OBJECT_NAME (e), t);
  at = calls->len - 2;
  g_mutex_unlock (&lock);
  if (t == fail_transition && !strcmp (fail_element, GST_OBJECT_NAME (e)))
    ret = GST_STATE_CHANGE_FAILURE;
  else
    ret = parent->change_state (e, t);
  g_mutex_lock (&lock);
  calls->str[at] = '0' + ret;
  g_mutex_unlock (&lock);
  return ret;
}

static void
noted_class_init (gpointer klass, gpointer data)
{
  GST_ELEMENT_CLASS (klass)->change_state = noted_change_state;
}

GType
judge_noted (const char *factory)
{
  GstElementFactory *f = gst_element_factory_find (factory);
  f = GST_ELEMENT_FACTORY (gst_plugin_feature_load (GST_PLUGIN_FEATURE (f)));
  GType base = gst_element_factory_get_element_type (f);
  char *name = g_strdup_printf ("Judge-%s", factory);
  GType t = g_type_from_name (name);
  if (!t) {
    GTypeQuery q;
    g_type_query (base, &q);
    GTypeInfo info = { q.class_size, NULL, NULL, noted_class_init, NULL, NULL, q.instance_size, 0, NULL, NULL };
    t = g_type_register_static (base, name, &info, 0);
  }
  if (!calls) calls = g_string_new ("");
  return t;
}

void
judge_fail (const char *element, int transition)
{
  g_strlcpy (fail_element, element, sizeof fail_element);
  fail_transition = transition;
}

char *
judge_take_calls (void)
{
  static char out[65536];
  g_mutex_lock (&lock);
  g_strlcpy (out, calls ? calls->str : "", sizeof out);
  if (calls) g_string_truncate (calls, 0);
  g_mutex_unlock (&lock);
  return out;
}

/* ---- a source of timed buffers that seeks, or of one buffer with a latency ------------------- */

typedef struct { GstBaseSrc base; guint64 duration, step, next; gboolean seekable, once, sent, moved; gint64 grid;
  gboolean live; guint64 min, max; GMutex m; GCond c; gboolean unlocked; } JudgeSrc;
typedef struct { GstBaseSrcClass parent; } JudgeSrcClass;
G_DEFINE_TYPE (JudgeSrc, judge_src, GST_TYPE_BASE_SRC);

static gboolean src_start (GstBaseSrc * b)
{
  JudgeSrc *s = (JudgeSrc *) b;
  s->grid = 0; s->sent = FALSE; s->moved = TRUE;
  if (!s->once) b->segment.duration = s->duration;
  return TRUE;
}
static gboolean src_seekable (GstBaseSrc * b) { return ((JudgeSrc *) b)->seekable; }

static gboolean src_do_seek (GstBaseSrc * b, GstSegment * seg)
{
  JudgeSrc *s = (JudgeSrc *) b;
  seg->time = seg->start;
  if (s->once) return TRUE;
  if (seg->rate >= 0) s->grid = seg->position / s->step;
  else s->grid = ((gint64) ((seg->position + s->step - 1) / s->step)) - 1;
  s->moved = TRUE;
  return TRUE;
}

static GstFlowReturn src_create (GstBaseSrc * b, guint64 offset, guint size, GstBuffer ** out)
{
  JudgeSrc *s = (JudgeSrc *) b;
  if (s->once) {
    if (s->sent) {
      g_mutex_lock (&s->m);
      while (!s->unlocked) g_cond_wait (&s->c, &s->m);
      g_mutex_unlock (&s->m);
      return GST_FLOW_FLUSHING;
    }
    s->sent = TRUE;
    *out = gst_buffer_new_allocate (NULL, 4, NULL);
    GST_BUFFER_PTS (*out) = 0; GST_BUFFER_DURATION (*out) = 1000000;
    return GST_FLOW_OK;
  }
  guint64 stop = s->duration;
  if (GST_CLOCK_TIME_IS_VALID (b->segment.stop) && b->segment.stop < stop) stop = b->segment.stop;
  if (b->segment.rate >= 0) {
    if (s->grid * s->step >= stop) return GST_FLOW_EOS;
  } else if (s->grid < 0 || (s->grid + 1) * s->step <= b->segment.start) return GST_FLOW_EOS;
  *out = gst_buffer_new_allocate (NULL, 4, NULL);
  GST_BUFFER_PTS (*out) = s->grid * s->step;
  GST_BUFFER_DURATION (*out) = s->step;
  if (s->moved || b->segment.rate < 0) GST_BUFFER_FLAG_SET (*out, GST_BUFFER_FLAG_DISCONT);
  s->moved = FALSE;
  s->grid += b->segment.rate >= 0 ? 1 : -1;
  return GST_FLOW_OK;
}

static gboolean src_unlock (GstBaseSrc * b)
{ JudgeSrc *s = (JudgeSrc *) b; g_mutex_lock (&s->m); s->unlocked = TRUE; g_cond_broadcast (&s->c); g_mutex_unlock (&s->m); return TRUE; }
static gboolean src_unlock_stop (GstBaseSrc * b)
{ JudgeSrc *s = (JudgeSrc *) b; g_mutex_lock (&s->m); s->unlocked = FALSE; g_mutex_unlock (&s->m); return TRUE; }

static gboolean src_query (GstBaseSrc * b, GstQuery * q)
{
  JudgeSrc *s = (JudgeSrc *) b;
  if (s->once && GST_QUERY_TYPE (q) == GST_QUERY_LATENCY) { gst_query_set_latency (q, s->live, s->min, s->max); return TRUE; }
  if (!s->once && GST_QUERY_TYPE (q) == GST_QUERY_DURATION) {
    GstFormat f; gst_query_parse_duration (q, &f, NULL);
    if (f != GST_FORMAT_TIME) return FALSE;
    gst_query_set_duration (q, f, s->duration); return TRUE;
  }
  return GST_BASE_SRC_CLASS (judge_src_parent_class)->query (b, q);
}

static void judge_src_init (JudgeSrc * s) { g_mutex_init (&s->m); g_cond_init (&s->c); gst_base_src_set_format (GST_BASE_SRC (s), GST_FORMAT_TIME); }
static void judge_src_class_init (JudgeSrcClass * k)
{
  GstBaseSrcClass *b = (GstBaseSrcClass *) k;
  gst_element_class_add_pad_template (GST_ELEMENT_CLASS (k), gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));
  b->start = src_start; b->is_seekable = src_seekable; b->do_seek = src_do_seek; b->create = src_create; b->query = src_query;
  b->unlock = src_unlock; b->unlock_stop = src_unlock_stop;
}
GType judge_src (void) { return judge_src_get_type (); }
void judge_src_times (JudgeSrc * s, guint64 duration, guint64 step, int seekable) { s->duration = duration; s->step = step; s->seekable = seekable; }
void judge_src_latency (JudgeSrc * s, int live, guint64 min, guint64 max)
{ s->once = TRUE; s->live = live; s->min = min; s->max = max; gst_base_src_set_live (GST_BASE_SRC (s), live); }

/* ---- a filter that adds latency ------------------------------------------------------------ */

typedef struct { GstBaseTransform base; guint64 min, max; } JudgeFilter;
typedef struct { GstBaseTransformClass parent; } JudgeFilterClass;
G_DEFINE_TYPE (JudgeFilter, judge_filter, GST_TYPE_BASE_TRANSFORM);
static gboolean filter_query (GstBaseTransform * b, GstPadDirection dir, GstQuery * q)
{
  JudgeFilter *f = (JudgeFilter *) b;
  gboolean ok = GST_BASE_TRANSFORM_CLASS (judge_filter_parent_class)->query (b, dir, q);
  if (ok && dir == GST_PAD_SRC && GST_QUERY_TYPE (q) == GST_QUERY_LATENCY) {
    gboolean live; GstClockTime min, max;
    gst_query_parse_latency (q, &live, &min, &max);
    min += f->min;
    max = (max == GST_CLOCK_TIME_NONE || f->max == GST_CLOCK_TIME_NONE) ? GST_CLOCK_TIME_NONE : max + f->max;
    gst_query_set_latency (q, live, min, max);
  }
  return ok;
}
static void judge_filter_init (JudgeFilter * s) { gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (s), TRUE); }
static void judge_filter_class_init (JudgeFilterClass * k)
{
  gst_element_class_add_pad_template (GST_ELEMENT_CLASS (k), gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_add_pad_template (GST_ELEMENT_CLASS (k), gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
  ((GstBaseTransformClass *) k)->query = filter_query;
}
GType judge_filter (void) { return judge_filter_get_type (); }
void judge_filter_latency (JudgeFilter * f, guint64 min, guint64 max) { f->min = min; f->max = max; }

/* ---- pads ---------------------------------------------------------------------------------- */

static gboolean up_live; static guint64 up_min, up_max;
static gboolean pad_query (GstPad * pad, GstObject * parent, GstQuery * q)
{
  if (GST_QUERY_TYPE (q) == GST_QUERY_LATENCY) { gst_query_set_latency (q, up_live, up_min, up_max); return TRUE; }
  return gst_pad_query_default (pad, parent, q);
}
void judge_pad_latency (GstPad * pad, int live, guint64 min, guint64 max)
{ up_live = live; up_min = min; up_max = max; gst_pad_set_query_function (pad, pad_query); }

static gboolean sticky_one (GstPad * pad, GstEvent ** e, gpointer data)
{ g_string_append_printf (data, "%s\n", GST_EVENT_TYPE_NAME (*e)); return TRUE; }
char *judge_sticky (GstPad * pad)
{
  static char out[4096]; GString *s = g_string_new ("");
  gst_pad_sticky_events_foreach (pad, sticky_one, s);
  g_strlcpy (out, s->str, sizeof out); g_string_free (s, TRUE);
  return out;
}
