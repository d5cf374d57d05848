/* A program in C over a static library of Rust: every built-in element must be there. */
#include <stdio.h>

unsigned linking_elements (void);
int linking_play (const char *line);

int
main (void)
{
  int ended = linking_play ("videotestsrc num-buffers=3 ! queue ! videoconvert ! fakesink");
  printf ("%u elements, %d\n", linking_elements (), ended);
  return ended;
}
