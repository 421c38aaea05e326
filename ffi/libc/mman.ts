/**
 * `<sys/mman.h>`: shm_open(3), shm_unlink(3), memfd_create(2), mmap(2), madvise(2), mlock(2),
 * msync(2).
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { runtime } from "../select.ts";
import { bind, errno, settle } from "./library.ts";
import { cString } from "./scratch.ts";

const c = bind({
  // int shm_open(const char *name, int oflag, mode_t mode);
  shm_open: ["i32", "address", "i32", "u32"],
  // int shm_unlink(const char *name);
  shm_unlink: ["i32", "address"],
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: ["i32", "address", "u32"],
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
  mmap: ["address", "address", "i64", "i32", "i32", "i32", "i64"],
  // int munmap(void *addr, size_t length);
  munmap: ["i32", "address", "i64"],
  // int madvise(void *addr, size_t length, int advice);
  madvise: ["i32", "address", "i64", "i32"],
  // int mlock(const void *addr, size_t len);
  mlock: ["i32", "address", "i64"],
  // int msync(void *addr, size_t length, int flags);
  msync: ["i32", "address", "i64", "i32"],
});

// #define MAP_FAILED ((void *) -1)
const MAP_FAILED = -1;

/** Opens the shared-memory object `/name`. @returns A descriptor, or a negative error number. */
export function shmOpen(name: string, flags: number, mode: number): number {
  return settle(c().shm_open(cString(`/${name}`), flags, mode), errno[0]);
}

/** Removes the name `/name`. @returns 0, or a negative error number. */
export function shmUnlink(name: string): number {
  return settle(c().shm_unlink(cString(`/${name}`)), errno[0]);
}

/** Makes a file that is memory. @returns A descriptor, or a negative error number. */
export function memfdCreate(label: string, flags: number): number {
  return settle(c().memfd_create(cString(label), flags), errno[0]);
}

/** Maps memory where the kernel likes. @returns Its start, or a negative error number. */
export function mmap(
  byteLength: number,
  protection: number,
  flags: number,
  fd: number,
  byteOffset: number = 0,
): { readonly start: Address } | number {
  return map(runtime().nullAddress, byteLength, protection, flags, fd, byteOffset);
}

/** Maps memory over an existing range (`MAP_FIXED`). @returns 0, or a negative error number. */
export function remap(
  start: Address,
  byteLength: number,
  protection: number,
  flags: number,
): number {
  const mapped = map(start, byteLength, protection, flags, -1, 0);
  return typeof mapped === "number" ? mapped : 0;
}

/** Unmaps a range. @returns 0, or a negative error number. */
export function munmap(start: Address, byteLength: number): number {
  return settle(c().munmap(start, byteLength), errno[0]);
}

/** Advises the kernel about a range. @returns 0, or a negative error number. */
export function madvise(start: Address, byteLength: number, advice: number): number {
  return settle(c().madvise(start, byteLength, advice), errno[0]);
}

/** Keeps a range in memory. @returns 0, or a negative error number. */
export function mlock(start: Address, byteLength: number): number {
  return settle(c().mlock(start, byteLength), errno[0]);
}

/** Writes the changes of a range to its file. @returns 0, or a negative error number. */
export function msync(start: Address, byteLength: number, flags: number): number {
  return settle(c().msync(start, byteLength, flags), errno[0]);
}

function map(
  hint: Address,
  byteLength: number,
  protection: number,
  flags: number,
  fd: number,
  byteOffset: number,
): { readonly start: Address } | number {
  const start = c().mmap(hint, byteLength, protection, flags, fd, byteOffset);
  const code = errno[0];
  return runtime().addressToNumber(start) === MAP_FAILED ? settle(-1, code) : { start };
}
