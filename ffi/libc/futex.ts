/**
 * `<linux/futex.h>`, over syscall(2) of `<unistd.h>`, since no C library has a function for it:
 * futex(2). Always the shared operations, which find others that wait in other processes.
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { platform, runtime } from "../select.ts";
import { bind, errno, settle } from "./library.ts";
import { scratchMemory } from "./scratch.ts";

// 64-bit integers cost 0.3 us more in Deno. The number is positive, what loads 32 bits of it into a
// register clears the rest, and no result has more.
const c = bind({
  // long syscall(long number, void *uaddr, int op, int val, void *timeout);   (variadic in C, 32 bits do)
  syscall: ["i32", "u32", "address", "i32", "i32", "address"],
});

/** Seconds are bounded, because the kernel refuses what it cannot add to its clock. */
const MAX_SECONDS = 2 ** 31 - 1;

/**
 * Blocks while a word has a value.
 *
 * @param timeoutMs More than 0, and finite.
 * @returns 0, or a negative error number.
 */
export function futexWait(word: Address, expected: number, timeoutMs: number): number {
  const { SYS_futex, FUTEX_WAIT } = platform().constants;
  const { tv_sec, tv_nsec } = platform().timespec.offsets;
  const { view, struct } = scratchMemory();
  const seconds = Math.min(Math.floor(timeoutMs / 1000), MAX_SECONDS);
  // As 32-bit words, because a 64-bit one would be a bigint.
  view.setInt32(tv_sec, seconds, true);
  view.setInt32(tv_sec + 4, 0, true);
  view.setInt32(tv_nsec, Math.min((timeoutMs - seconds * 1000) * 1e6, 999_999_999), true);
  view.setInt32(tv_nsec + 4, 0, true);
  return settle(c().syscall(SYS_futex, word, FUTEX_WAIT, expected | 0, struct), errno[0]);
}

/** Wakes threads that are blocked on a word. @returns How many, or a negative error number. */
export function futexWake(word: Address, count: number): number {
  const { SYS_futex, FUTEX_WAKE } = platform().constants;
  const { nullAddress } = runtime();
  return settle(c().syscall(SYS_futex, word, FUTEX_WAKE, count, nullAddress), errno[0]);
}
