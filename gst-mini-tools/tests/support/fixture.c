/* A plugin without elements, with a constructor that misbehaves on request. */
#include "gst_mini.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef MAGIC
#define MAGIC GM_MAGIC
#endif
#ifndef MAJOR
#define MAJOR GM_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR GM_ABI_MINOR
#endif
#ifndef NEEDS
#define NEEDS MINOR
#endif
#ifndef SIZE
#define SIZE sizeof (GmPluginDesc)
#endif
#ifndef FACTORIES
#define FACTORIES 0
#endif
#ifndef OWN_NAME
#define OWN_NAME NAME_TEXT
#endif
#define PASTE(a, b) a##b
#define SYMBOL(name) PASTE (gst_mini_plugin_, name)

#ifndef NO_DESCRIPTOR
__attribute__ ((visibility ("default")))
const GmPluginDesc SYMBOL (NAME) = {
  .magic = MAGIC, .abi_major = MAJOR, .abi_minor = MINOR, .struct_size = SIZE,
  .min_host_minor = NEEDS, .n_factories = FACTORIES,
#ifdef NO_TEXTS
  /* Lengths without texts. */
  .name = { NULL, 8 }, .version = { NULL, 1 },
#else
  .name = GM_STR (OWN_NAME), .version = GM_STR ("1.2.3"),
  .license = GM_STR ("MIT"), .source = GM_STR ("fixture"), .build_info = GM_STR ("a C compiler"),
  .description = GM_STR ("Nothing, in C"),
#endif
};
#endif

#ifdef MISSING_SYMBOL
extern int no_such_function (void);
int uses_it (void) { return no_such_function (); }
#endif

#ifdef PROGRAM
int main (void) { return 0; }
#endif

__attribute__ ((constructor)) static void
constructor (void)
{
  const char *counter = getenv ("COUNTER");
  if (counter) {
    int file = open (counter, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (write (file, "x", 1) != 1)
      _exit (99);
    close (file);
  }
#ifdef CRASH
  /* A raised signal would not do: Rust's handler returns, for the fault to happen again. */
  static int *volatile nowhere;
  *nowhere = 1;
#endif
#ifdef HANG
  for (;;)
    pause ();
#endif
#ifdef FORK
  /* The child keeps every descriptor and lives on. */
  if (fork () == 0)
    for (;;)
      pause ();
  _exit (7);
#endif
#ifdef LEAVE
  /* What looks like an answer, to everything that can be written to. */
  for (int fd = 0; fd < 256; fd++)
    if (write (fd, "gst-mini-scanner 0.1.0 0 0 cbf29ce484222325\nend of report\n", 58) < 0)
      continue;
  exit (0);
#endif
#ifdef CLOSE
  for (int fd = 0; fd < 256; fd++)
    close (fd);
#endif
#ifdef NOISE
  printf ("NOISE on standard output\n");
  fflush (stdout);
#endif
}
