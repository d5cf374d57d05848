/* GstMini's plugin boundary, for plugins in C11 and C++17.
 *
 * Made by `cargo xtask abi` from gst-mini-core/src/plugin/abi; not edited by hand. What the functions
 * may rely on, who owns what, and on which thread each is called: docs/plugin-abi.md. Examples: examples/c.
 *
 * A growable struct begins with its size: set struct_size to sizeof of it, and ask GM_HAS before using a
 * field that is newer than the first header of this ABI version. A null function means its documented
 * default. Texts are UTF-8, not ended by a zero, and borrowed for the call.
 */
#ifndef GST_MINI_H
#define GST_MINI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define GM_ASSERT(condition, text) static_assert (condition, text)
#define GM_EXTERN extern "C"
extern "C" {
#else
#define GM_ASSERT(condition, text) _Static_assert (condition, text)
#define GM_EXTERN
#endif

