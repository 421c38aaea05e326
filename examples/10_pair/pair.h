/*
 * What writers and readers share, in C and in TypeScript (pair.ts): a ring of four messages, in a
 * segment of 264 bytes.
 *
 *     byte   0            4            8            72                   264
 *            +------------+------------+------------+--- ... ------------+
 *            | written    | taken      | message 0  | message 1, 2, 3    |
 *            +------------+------------+------------+--- ... ------------+
 *
 * written and taken count messages: number n is in slot n % 4, UTF-8, with a NUL at its end. The empty
 * one is the last. Two POSIX semaphores say who may go on:
 *
 *     NAME-free    the slots that may be written to: 4 at first. Writers wait for it, readers post it.
 *     NAME-full    the slots that may be read: 0 at first. Readers wait for it, writers post it.
 */
#include <stdatomic.h>
#include <stdint.h>

enum { SLOTS = 4, TEXT_BYTES = 64 };

struct ring {
    _Atomic uint32_t written;
    _Atomic uint32_t taken;
    char messages[SLOTS][TEXT_BYTES];
};
