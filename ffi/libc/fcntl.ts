/**
 * `<fcntl.h>`: open(2), fallocate(2).
 *
 * @module
 */

import { bind, errno, settle } from "./library.ts";
import { cString } from "./scratch.ts";

const c = bind({
  // int open(const char *pathname, int flags, mode_t mode);      (variadic in C)
  open: ["i32", "address", "i32", "u32"],
  // int fallocate(int fd, int mode, off_t offset, off_t len);
  fallocate: ["i32", "i32", "i32", "i64", "i64"],
});

/** Opens a path. @returns A descriptor, or a negative error number. */
export function open(path: string, flags: number, mode: number): number {
  return settle(c().open(cString(path), flags, mode), errno[0]);
}

/** Reserves the pages of a range of a file. @returns 0, or a negative error number. */
export function fallocate(
  fd: number,
  mode: number,
  byteOffset: number,
  byteLength: number,
): number {
  return settle(c().fallocate(fd, mode, byteOffset, byteLength), errno[0]);
}
