/**
 * `<unistd.h>`: close(2), ftruncate(2), linkat(2), pread(2), geteuid(2).
 *
 * @module
 */

import { platform } from "../select.ts";
import { open } from "./fcntl.ts";
import { bind, errno, settle } from "./library.ts";
import { cString, scratchMemory } from "./scratch.ts";

const c = bind({
  // int close(int fd);
  close: ["i32", "i32"],
  // int ftruncate(int fd, off_t length);
  ftruncate: ["i32", "i32", "i64"],
  // int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags);
  linkat: ["i32", "i32", "address", "i32", "address", "i32"],
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  pread: ["i64", "i32", "address", "i64", "i64"],
  // uid_t geteuid(void);
  geteuid: ["u32"],
});

/** Closes a descriptor. Its result says nothing of use: Linux closes it whatever happens. */
export function close(fd: number): void {
  c().close(fd);
}

/** Sets the size of a file. @returns 0, or a negative error number. */
export function ftruncate(fd: number, byteLength: number): number {
  return settle(c().ftruncate(fd, byteLength), errno[0]);
}

/** Where the descriptors of this process have paths. A container may lack it. */
const DESCRIPTORS = "/proc/self/fd";

/** Whether {@linkcode linkDescriptor} can work here. @returns 0, or a negative error number. */
export function canLinkDescriptors(): number {
  const fd = open(DESCRIPTORS, platform().constants.O_CLOEXEC, 0);
  if (fd < 0) return fd;
  close(fd);
  return 0;
}

/**
 * Gives an open file a name. Fails when the name exists, so that a file appears complete or not
 * at all. @returns 0, or a negative error number.
 */
export function linkDescriptor(fd: number, path: string): number {
  const { AT_FDCWD, AT_SYMLINK_FOLLOW } = platform().constants;
  const from = cString(`${DESCRIPTORS}/${fd}`, 0);
  return settle(
    c().linkat(AT_FDCWD, from, AT_FDCWD, cString(path, 1), AT_SYMLINK_FOLLOW),
    errno[0],
  );
}

/**
 * Reads the start of a file into the struct of scratch memory, of which it fills 256 bytes at most.
 * @returns The number of bytes, or a negative error number.
 */
export function readStart(fd: number, byteLength: number): number {
  return settle(c().pread(fd, scratchMemory().struct, byteLength, 0), errno[0]);
}

/** The effective user of this process. */
export function geteuid(): number {
  return c().geteuid();
}
