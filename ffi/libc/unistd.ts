/**
 * `<unistd.h>`: close(2), ftruncate(2), fchown(2), linkat(2), unlink(2), read(2), write(2), pread(2),
 * pwrite(2), readlink(2), geteuid(2), getpid(2), getpagesize(2), and syscall(2) for getdents64(2),
 * which glibc has no function for before 2.30.
 *
 * @module
 */

import { platform } from "../select.ts";
import { decodeText } from "../text.ts";
import { open } from "./fcntl.ts";
import { ioBuffer } from "./io_buffer.ts";
import { bind, errno, settle } from "./library.ts";
import { cString, scratchMemory } from "./scratch.ts";

const c = bind({
  // int close(int fd);
  close: ["i32", "i32"],
  // int ftruncate(int fd, off_t length);
  ftruncate: ["i32", "i32", "i64"],
  // int fchown(int fd, uid_t owner, gid_t group);
  fchown: ["i32", "i32", "u32", "u32"],
  // int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags);
  linkat: ["i32", "i32", "address", "i32", "address", "i32"],
  // int unlink(const char *pathname);
  unlink: ["i32", "address"],
  // ssize_t read(int fd, void *buf, size_t count);
  read: ["i64", "i32", "address", "i64"],
  // ssize_t write(int fd, const void *buf, size_t count);
  write: ["i64", "i32", "address", "i64"],
  // ssize_t readlink(const char *pathname, char *buf, size_t bufsiz);
  readlink: ["i64", "address", "address", "i64"],
  // long syscall(long number, int fd, void *dirp, size_t count);      (variadic in C)
  syscall: ["i64", "i64", "i32", "address", "i64"],
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  pread: ["i64", "i32", "address", "i64", "i64"],
  // ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset);
  pwrite: ["i64", "i32", "address", "i64", "i64"],
  // uid_t geteuid(void);
  geteuid: ["u32"],
  // pid_t getpid(void);
  getpid: ["i32"],
  // int getpagesize(void);
  getpagesize: ["i32"],
});

/** `(uid_t) -1`: the owner stays who it is. */
const UNCHANGED = 0xffffffff;

/** Closes a descriptor. Its result says nothing of use: Linux closes it whatever happens. */
export function close(fd: number): void {
  c().close(fd);
}

/** Sets the size of a file. @returns 0, or a negative error number. */
export function ftruncate(fd: number, byteLength: number): number {
  return settle(c().ftruncate(fd, byteLength), errno[0]);
}

/** Gives an open file to a group. @returns 0, or a negative error number. */
export function changeGroup(fd: number, gid: number): number {
  return settle(c().fchown(fd, UNCHANGED, gid), errno[0]);
}

/** Where the descriptors of this process have paths. A container may lack it. */
const descriptors = (): string => `${platform().processDirectory}/self/fd`;

/** Whether {@linkcode linkDescriptor} can work here. @returns 0, or a negative error number. */
export function canLinkDescriptors(): number {
  const fd = open(descriptors(), platform().constants.O_CLOEXEC, 0);
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
  const from = cString(`${descriptors()}/${fd}`, 0);
  return settle(
    c().linkat(AT_FDCWD, from, AT_FDCWD, cString(path, 1), AT_SYMLINK_FOLLOW),
    errno[0],
  );
}

/** Removes the name of a file. @returns 0, or a negative error number. */
export function unlink(path: string): number {
  return settle(c().unlink(cString(path)), errno[0]);
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

/** The number of this process. */
export function getpid(): number {
  return c().getpid();
}

let pageByteLength: number | undefined;

/** The size of a page of memory, in bytes. */
export function pageSize(): number {
  return pageByteLength ??= c().getpagesize();
}

/**
 * A path by which this process opens a descriptor of its own again.
 *
 * Not by its number: in a PID namespace of its own, that is another process's for the outer `/proc`.
 */
export function ownDescriptorPath(fd: number): string {
  return `${descriptors()}/${fd}`;
}

/**
 * A path by which other processes reach a descriptor.
 *
 * @param pid This process by default.
 */
export function descriptorPath(fd: number, pid: number = c().getpid()): string {
  return `${platform().processDirectory}/${pid}/fd/${fd}`;
}

/**
 * Reads a file from where its descriptor stands to its end. The files of the kernel have no size,
 * so it is read until there is no more. @returns Its bytes, or a negative error number.
 */
export function readAll(fd: number): Uint8Array<ArrayBuffer> | number {
  const { address, bytes } = ioBuffer();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  while (true) {
    const count = settle(c().read(fd, address, bytes.length), errno[0]);
    if (isInterrupted(count)) continue;
    if (count < 0) return count;
    if (count === 0) break;
    parts.push(bytes.slice(0, count));
    total += count;
  }
  if (parts.length === 1) return parts[0] as Uint8Array<ArrayBuffer>;
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const isInterrupted = (result: number): boolean => platform().errorCodes[-result] === "EINTR";

/** Reads a whole file as text. @returns It, as `decodeText` has it, or a negative error number. */
export function readTextFile(path: string): string | number {
  const { O_RDONLY, O_NONBLOCK, O_CLOEXEC } = platform().constants;
  const fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  const bytes = readAll(fd);
  close(fd);
  return typeof bytes === "number" ? bytes : decodeText(bytes);
}

/**
 * Reads a range of an open file, which may be cut off meanwhile: there is no mapping to fault.
 * @returns The bytes, fewer at the end of the file, or a negative error number.
 */
export function readAt(
  fd: number,
  byteOffset: number,
  byteLength: number,
): Uint8Array<ArrayBuffer> | number {
  const { address, bytes } = ioBuffer();
  const whole = new Uint8Array(byteLength);
  let done = 0;
  while (done < byteLength) {
    const most = Math.min(bytes.length, byteLength - done);
    const count = settle(c().pread(fd, address, most, byteOffset + done), errno[0]);
    if (isInterrupted(count)) continue;
    if (count < 0) return count;
    if (count === 0) return whole.slice(0, done);
    whole.set(bytes.subarray(0, count), done);
    done += count;
  }
  return whole;
}

/**
 * Writes bytes into an open file, all of them or up to the first error.
 * @returns How many were written, or a negative error number.
 */
export function writeAt(fd: number, byteOffset: number, source: Uint8Array): number {
  const { address, bytes } = ioBuffer();
  for (let done = 0; done < source.length;) {
    const part = source.subarray(done, done + bytes.length);
    bytes.set(part);
    const count = settle(c().pwrite(fd, address, part.length, byteOffset + done), errno[0]);
    if (isInterrupted(count)) continue;
    if (count < 0) return count;
    done += count;
  }
  return source.length;
}

/**
 * Writes one byte into a FIFO. The descriptor must be open for reading as well: without a reader, the
 * kernel sends a signal that ends this process, unless it is ignored. (The runtimes ignore it until a
 * program has listened to it once, and stopped.)
 *
 * @returns 1, or a negative error number: `-EAGAIN` when it is full and must not wait.
 */
export function writeByte(fd: number): number {
  const { address, bytes } = ioBuffer();
  bytes[0] = 1; // whatever it is: nobody reads more into it than that it has come
  return settle(c().write(fd, address, 1), errno[0]);
}

/** Reads where a symbolic link leads to. @returns It, or a negative error number. */
export function readLink(path: string): string | number {
  const { address, bytes } = ioBuffer();
  const count = settle(c().readlink(cString(path), address, bytes.length), errno[0]);
  return count < 0 ? count : decodeText(bytes.subarray(0, count));
}

/** Lists the names in a directory, without `.` and `..`. @returns Them, or a negative error number. */
export function listDirectory(path: string): string[] | number {
  const { O_RDONLY, O_NONBLOCK, O_CLOEXEC } = platform().constants;
  const fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  const names: string[] = [];
  while (true) {
    const count = readEntries(fd, names);
    if (count > 0) continue;
    close(fd);
    return count < 0 ? count : names;
  }
}

/** Reads the next entries. @returns How many bytes they took; or a negative error number. */
function readEntries(fd: number, names: string[]): number {
  const { address, bytes } = ioBuffer();
  const { SYS_getdents64 } = platform().constants;
  const { d_reclen, d_name } = platform().dirent64.offsets;
  const count = settle(c().syscall(SYS_getdents64, fd, address, bytes.length), errno[0]);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < count; at += view.getUint16(at + d_reclen, true)) {
    const start = at + d_name;
    const name = decodeText(bytes.subarray(start, bytes.indexOf(0, start)));
    if (name !== "." && name !== "..") names.push(name);
  }
  return count;
}
