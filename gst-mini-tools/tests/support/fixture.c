/* A plugin without elements, with a constructor that misbehaves on request. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct text { const char *ptr; size_t len; };
#define TEXT(literal) { literal, sizeof literal - 1 }

struct descriptor {
  uint64_t magic;
  uint16_t abi_major, abi_minor;
  uint32_t struct_size, min_host_minor, flags;
  struct text name, version, license, source, build_info, description;
  uint32_t n_factories, reserved;
  const void *const *factories;
  uint8_t (*init) (const void *host);
  void (*deinit) (void);
};

#ifndef MAGIC
#define MAGIC 0x00494e494d545347u
#endif
#ifndef MAJOR
#define MAJOR 0
#endif
#ifndef MINOR
#define MINOR 2
#endif
#ifndef NEEDS
#define NEEDS MINOR
#endif
#ifndef SIZE
#define SIZE sizeof (struct descriptor)
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
const struct descriptor SYMBOL (NAME) = {
  .magic = MAGIC, .abi_major = MAJOR, .abi_minor = MINOR, .struct_size = SIZE,
  .min_host_minor = NEEDS, .name = TEXT (OWN_NAME), .version = TEXT ("1.2.3"),
  .license = TEXT ("MIT"), .source = TEXT ("fixture"), .build_info = TEXT ("a C compiler"),
  .description = TEXT ("Nothing, in C"), .n_factories = FACTORIES,
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
