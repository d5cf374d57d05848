/* The measurements of ../src/measure.rs in GStreamer: same words, same figures. Built by `cargo xtask bench`
 * where GStreamer's headers are installed; nothing of the project depends on it. */

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static gint64 now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * G_GINT64_CONSTANT(1000000000) + time.tv_nsec;
}

static void fail(const char *sentence) {
    fprintf(stderr, "measure: %s\n", sentence);
    exit(2);
}

static GstElement *parsed(const char *line) {
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(line, &error);
    if (pipeline == NULL || error != NULL)
        fail(error ? error->message : "the line makes no pipeline");
    return pipeline;
}

static GstPad *pad_of(GstElement *pipeline, const char *element, const char *pad) {
    GstElement *found = gst_bin_get_by_name(GST_BIN(pipeline), element);
    if (found == NULL)
        fail("an element that the measurement needs is not in the line");
    return gst_element_get_static_pad(found, pad);
}

static void finish(GstElement *pipeline) {
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        fail("the pipeline ended with an error");
    gst_message_unref(message);
    gst_object_unref(bus);
}

static void paused(GstElement *pipeline) {
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    if (gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE) == GST_STATE_CHANGE_FAILURE)
        fail("the pipeline does not go to PAUSED");
}

/* Values in one array; no allocation while it is filled. */
static double values[4000000];
static gint count;

static int ascending(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static double percentile(int from, double share) {
    int length = count - from;
    if (length <= 0)
        return 0.0;
    qsort(values + from, length, sizeof(double), ascending);
    int index = (int) (length * share);
    return values[from + (index < length ? index : length - 1)];
}

static void measure(double buffers, GstElement *pipeline) {
    paused(pipeline);
    gint64 before = now_ns();
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    finish(pipeline);
    gint64 took = now_ns() - before;
    gst_element_set_state(pipeline, GST_STATE_NULL);
    printf("ns %.3f\n", took / buffers);
}

static void measure_run(double buffers, const char *line) {
    measure(buffers, parsed(line));
}

static GstPadProbeReturn let_pass(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    return GST_PAD_PROBE_OK;
}

static void measure_probed(double buffers, const char *line) {
    GstElement *pipeline = parsed(line);
    for (int number = 0;; number++) {
        char name[32];
        g_snprintf(name, sizeof name, "identity%d", number);
        GstElement *identity = gst_bin_get_by_name(GST_BIN(pipeline), name);
        if (identity == NULL)
            break;
        GstPad *pad = gst_element_get_static_pad(identity, "src");
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, let_pass, NULL, NULL);
        gst_object_unref(pad);
        gst_object_unref(identity);
    }
    measure(buffers, pipeline);
}

static void measure_states(int rounds, const char *line) {
    GstElement *pipeline = parsed(line);
    for (int round = 0; round < rounds; round++) {
        gint64 before = now_ns();
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
        gst_element_set_state(pipeline, GST_STATE_NULL);
        values[count++] = (now_ns() - before) / 1e3;
    }
    printf("us %.3f\n", percentile(0, 0.5));
}

static gint64 first;

static GstPadProbeReturn note_first(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    if (first == 0)
        first = now_ns();
    return GST_PAD_PROBE_OK;
}

static void measure_negotiate(int rounds, const char *line) {
    GstElement *pipeline = parsed(line);
    gst_pad_add_probe(pad_of(pipeline, "s", "sink"), GST_PAD_PROBE_TYPE_BUFFER, note_first, NULL, NULL);
    for (int round = 0; round < rounds; round++) {
        gst_element_set_state(pipeline, GST_STATE_READY);
        first = 0;
        gint64 before = now_ns();
        paused(pipeline);
        values[count++] = (first - before) / 1e3;
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    printf("us %.3f\n", percentile(0, 0.5));
}

static gint64 entered;

static GstPadProbeReturn note_entry(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    __atomic_store_n(&entered, now_ns(), __ATOMIC_RELEASE);
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn note_exit(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    values[count++] = (now_ns() - __atomic_load_n(&entered, __ATOMIC_ACQUIRE)) / 1e3;
    return GST_PAD_PROBE_OK;
}

static void print_both(int from) {
    printf("p50_us %.3f\n", percentile(from, 0.5));
    printf("p99_us %.3f\n", percentile(from, 0.99));
}

static void measure_handoff(const char *line) {
    GstElement *pipeline = parsed(line);
    gst_pad_add_probe(pad_of(pipeline, "q", "sink"), GST_PAD_PROBE_TYPE_BUFFER, note_entry, NULL, NULL);
    gst_pad_add_probe(pad_of(pipeline, "q", "src"), GST_PAD_PROBE_TYPE_BUFFER, note_exit, NULL, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    finish(pipeline);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    print_both(0);
}

static gint64 due;

static GstPadProbeReturn note_due(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    due = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
}

static void note_rendered(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer pipeline) {
    GstClock *clock = gst_element_get_clock(pipeline);
    if (clock == NULL)
        return;
    gint64 now = gst_clock_get_time(clock) - gst_element_get_base_time(pipeline);
    values[count++] = (now - due) / 1e3;
    gst_object_unref(clock);
}

static void measure_lateness(const char *line) {
    GstElement *pipeline = parsed(line);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "s");
    if (sink == NULL)
        fail("no sink \"s\" in the line");
    g_object_set(sink, "signal-handoffs", TRUE, NULL);
    gst_pad_add_probe(pad_of(pipeline, "s", "sink"), GST_PAD_PROBE_TYPE_BUFFER, note_due, NULL, NULL);
    paused(pipeline);
    g_signal_connect(sink, "handoff", G_CALLBACK(note_rendered), pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    finish(pipeline);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    print_both(1); /* the first one was prerolled */
}

static gint64 rendered;

static GstPadProbeReturn count_one(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    __atomic_fetch_add(&rendered, 1, __ATOMIC_RELAXED);
    return GST_PAD_PROBE_OK;
}

static double processor_time(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 + usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

static double resident_megabytes(void) {
    char line[256];
    double kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %lf", &kilobytes) == 1)
            break;
    if (status)
        fclose(status);
    return kilobytes / 1024;
}

static void measure_streams(int number, int seconds, const char *line) {
    GstElement **all = g_new0(GstElement *, number);
    for (int i = 0; i < number; i++) {
        all[i] = parsed(line);
        gst_pad_add_probe(pad_of(all[i], "s", "sink"), GST_PAD_PROBE_TYPE_BUFFER, count_one, NULL, NULL);
        if (gst_element_set_state(all[i], GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
            fail("a pipeline does not play");
    }
    g_usleep(2 * G_USEC_PER_SEC);
    gint64 before = now_ns(), had = __atomic_load_n(&rendered, __ATOMIC_RELAXED);
    double cpu = processor_time();
    g_usleep((gulong) seconds * G_USEC_PER_SEC);
    double took = now_ns() - before;
    double used = processor_time() - cpu;
    gint64 made = __atomic_load_n(&rendered, __ATOMIC_RELAXED) - had;
    double memory = resident_megabytes();
    for (int i = 0; i < number; i++)
        gst_element_set_state(all[i], GST_STATE_NULL);
    printf("cpu_percent %.3f\nrss_mb %.3f\nper_second %.3f\n", used * 1e9 / took * 100, memory, made * 1e9 / took);
}

int main(int argc, char **argv) {
    gst_init(NULL, NULL);
    const char *what = argc > 1 ? argv[1] : "";
    if (argc == 4 && !strcmp(what, "run"))
        measure_run(atof(argv[2]), argv[3]);
    else if (argc == 4 && !strcmp(what, "probed"))
        measure_probed(atof(argv[2]), argv[3]);
    else if (argc == 4 && !strcmp(what, "states"))
        measure_states(atoi(argv[2]), argv[3]);
    else if (argc == 4 && !strcmp(what, "negotiate"))
        measure_negotiate(atoi(argv[2]), argv[3]);
    else if (argc == 3 && !strcmp(what, "handoff"))
        measure_handoff(argv[2]);
    else if (argc == 4 && !strcmp(what, "lateness"))
        measure_lateness(argv[3]); /* GStreamer's clock does not spin */
    else if (argc == 6 && !strcmp(what, "streams"))
        measure_streams(atoi(argv[2]), atoi(argv[3]), argv[5]); /* nor does it have a grid */
    else
        fail("no such measurement, or too few words; see gst-mini-bench");
    return 0;
}
