
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
