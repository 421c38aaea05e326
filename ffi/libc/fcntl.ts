/**
 * `<fcntl.h>`: open(2), fallocate(2), fcntl(2).
 *
 * @module
 */

import { errorNumber } from "../errno.ts";
import type { Address } from "../runtimes/runtime.ts";
import { platform } from "../select.ts";
import { bind, errno, settle } from "./library.ts";
import { cString, scratchMemory } from "./scratch.ts";

const c = bind({
  // int open(const char *pathname, int flags, mode_t mode);      (variadic in C)
  open: ["i32", "address", "i32", "u32"],
  // int fallocate(int fd, int mode, off_t offset, off_t len);
  fallocate: ["i32", "i32", "i32", "i64", "i64"],
  // int fcntl(int fd, int cmd, int arg);      (variadic in C)
  fcntl: ["i32", "i32", "i32", "i32"],
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

/** Duplicates a descriptor; children do not get it. @returns It, or a negative error number. */
export function duplicate(fd: number): number {
  return settle(c().fcntl(fd, platform().constants.F_DUPFD_CLOEXEC, 0), errno[0]);
}

/** How a file was opened: `O_RDONLY`, `O_WRONLY`, `O_RDWR`. @returns It, or a negative number. */
export function accessModeOf(fd: number): number {
  const flags = settle(c().fcntl(fd, platform().constants.F_GETFL, 0), errno[0]);
  return flags < 0 ? flags : flags & platform().constants.O_ACCMODE;
}

/** Adds seals to a file. @returns 0, or a negative error number. */
export function addSeals(fd: number, seals: number): number {
  return settle(c().fcntl(fd, platform().constants.F_ADD_SEALS, seals), errno[0]);
}

/** The seals of a file. @returns Them, or a negative error number: `-EINVAL` where none can be. */
export function sealsOf(fd: number): number {
  return settle(c().fcntl(fd, platform().constants.F_GET_SEALS, 0), errno[0]);
}

/**
 * Whether any other open file leads to the file of this descriptor, or any mapping: of whatever
 * process, in whatever container. The kernel grants a write lease to nobody else's only then; it is
 * given back at once. Whoever opens the file in between waits for that, or fails with `EAGAIN` when
 * it would not wait.
 *
 * @returns 1 or 0, or a negative error number: `-EACCES` for another user's file, `-EINVAL` where
 * the file system has no leases.
 */
export function isOpenElsewhere(fd: number): number {
  const { F_SETLEASE, F_SETSIG, F_UNLCK, F_WRLCK, SIGURG } = platform().constants;
  // Who opens it in between has the kernel send a signal, which by default would end this process.
  const prepared = settle(c().fcntl(fd, F_SETSIG, SIGURG), errno[0]);
  if (prepared < 0) return prepared;
  const leased = settle(c().fcntl(fd, F_SETLEASE, F_WRLCK), errno[0]);
  if (leased < 0) return platform().errorCodes[-leased] === "EAGAIN" ? 1 : leased;
  c().fcntl(fd, F_SETLEASE, F_UNLCK);
  return 0;
}

const locks = bind({
  // int fcntl(int fd, int cmd, struct flock *lock);      (variadic in C)
  fcntl: ["i32", "i32", "i32", "address"],
});

/** What can be done to a byte of a file that others may lock. It need not exist. */
export type ByteLock = "shared" | "exclusive" | "none";

/**
 * Locks a byte of an open file, or unlocks it, without waiting. The lock belongs to the open file
 * description, and not to the process: it ends when that is closed and unmapped everywhere, by
 * whatever death. So the descriptor must not be an inherited or duplicated one.
 *
 * @returns 0, or a negative error number: `-EAGAIN` when another description has a lock that is in
 * the way, `-EBADF` for an exclusive lock by a descriptor that only reads.
 */
export function lockByte(fd: number, lock: ByteLock, byteOffset: number): number {
  const struct = lockStruct(lock, byteOffset);
  const result = settle(locks().fcntl(fd, platform().constants.F_OFD_SETLK, struct), errno[0]);
  // POSIX lets a kernel say either.
  return platform().errorCodes[-result] === "EACCES" ? errorNumber("EAGAIN") : result;
}

/**
 * Whether any other open file description has locked a byte.
 *
 * @returns 1 or 0, or a negative error number.
 */
export function isByteLocked(fd: number, byteOffset: number): number {
  const struct = lockStruct("exclusive", byteOffset);
  const { F_OFD_GETLK, F_UNLCK } = platform().constants;
  const result = settle(locks().fcntl(fd, F_OFD_GETLK, struct), errno[0]);
  if (result < 0) return result;
  const type = scratchMemory().view.getInt16(platform().flock.offsets.l_type, true);
  return type === F_UNLCK ? 0 : 1;
}

/** Fills the struct of scratch memory. */
function lockStruct(lock: ByteLock, byteOffset: number): Address {
  const { F_RDLCK, F_WRLCK, F_UNLCK } = platform().constants;
  const { offsets: at, byteLength } = platform().flock;
  const { view, struct } = scratchMemory();
  new Uint8Array(view.buffer, 0, byteLength).fill(0); // SEEK_SET, and no process
  const type = { shared: F_RDLCK, exclusive: F_WRLCK, none: F_UNLCK }[lock];
  view.setInt16(at.l_type, type, true);
  view.setBigInt64(at.l_start, BigInt(byteOffset), true);
  view.setBigInt64(at.l_len, 1n, true);
  return struct;
}
