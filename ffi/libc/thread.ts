/**
 * Threads, over syscall(2) of `<unistd.h>`: gettid(2) and tgkill(2), which glibc has no functions for
 * before 2.30; and what the kernel tells of them in files.
 *
 * @module
 */

import { platform } from "../select.ts";
import { bind, errno, settle } from "./library.ts";
import { statusOfTarget } from "./stat.ts";
import { readTextFile } from "./unistd.ts";

const c = bind({
  // long syscall(long number, int tgid, int tid, int sig);      (variadic in C)
  syscall: ["i64", "i64", "i32", "i32", "i32"],
});

/** The number of this thread, in the PID namespace of its process. */
export function gettid(): number {
  return c().syscall(platform().constants.SYS_gettid, 0, 0, 0); // which takes no arguments
}

/**
 * Whether a thread of a process is no more, in the PID namespace of this one. Sends nothing: it is
 * there as well when it may not be sent anything.
 *
 * A zombie is there, until its parent knows of its end. So is the main thread of a process that
 * ended before the others.
 *
 * @returns False for numbers that are none of threads.
 */
export function isThreadGone(pid: number, thread: number): boolean {
  if (!(isPositiveInt(pid) && isPositiveInt(thread))) return false; // groups, or nonsense
  const { SYS_tgkill } = platform().constants;
  const result = settle(c().syscall(SYS_tgkill, pid, thread, 0), errno[0]);
  return result < 0 && platform().errorCodes[-result] === "ESRCH";
}

const isPositiveInt = (value: number): boolean => (value | 0) === value && value > 0;

/** Which field of proc_pid_stat(5) tells the start, counted from behind the name of the program. */
const START_FIELD = 22 - 3;

/** When this thread started, in clock ticks since boot; 0 when that is not known. */
export function threadStart(): number {
  const text = readTextFile(`${platform().processDirectory}/thread-self/stat`);
  if (typeof text === "number") return 0;
  // The name is in parentheses, and may have some of its own, and spaces.
  const start = Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[START_FIELD]);
  return Number.isSafeInteger(start) ? start : 0;
}

/** The inode number of the PID namespace of this process; 0 when that is not known. */
export function pidNamespace(): number {
  const status = statusOfTarget(`${platform().processDirectory}/self/ns/pid`);
  return typeof status === "number" ? 0 : status.inode;
}
