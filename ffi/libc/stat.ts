/**
 * `<sys/stat.h>` and `<sys/statvfs.h>`: statx(2), fchmod(2), mkfifo(3), fstatvfs(3).
 *
 * `statx` and not `fstat`: its struct is the same on every CPU, and it is a real function in every
 * C library (`fstat` was none before glibc 2.33).
 *
 * @module
 */

import { platform } from "../select.ts";
import { bind, errno, settle } from "./library.ts";
import { cString, readSize, readTimeMs, scratchMemory } from "./scratch.ts";

const c = bind({
  // int statx(int dirfd, const char *pathname, int flags, unsigned int mask, struct statx *buf);
  statx: ["i32", "i32", "address", "i32", "u32", "address"],
  // int fchmod(int fd, mode_t mode);
  fchmod: ["i32", "i32", "u32"],
  // int mkfifo(const char *pathname, mode_t mode);
  mkfifo: ["i32", "address", "u32"],
  // int fstatvfs(int fd, struct statvfs *buf);
  fstatvfs: ["i32", "i32", "address"],
});

/** What kind of file it is. */
export type FileType =
  | "regular file"
  | "directory"
  | "FIFO"
  | "socket"
  | "symbolic link"
  | "character device"
  | "block device"
  | "unknown";

/** What the kernel knows of a file. Times are milliseconds since 1970. */
export interface FileStatus {
  readonly type: FileType;
  /** The permission bits: `0o600`. */
  readonly mode: number;
  readonly linkCount: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly size: number;
  /** The unit in which the file system works best: the size of its pages, for huge ones. */
  readonly blockByteLength: number;
  /** The memory that the file takes, in bytes. */
  readonly residentBytes: number;
  readonly accessTimeMs: number;
  readonly birthTimeMs: number;
  readonly changeTimeMs: number;
  readonly modifyTimeMs: number;
}

/** Reads the status of an open file. @returns It, or a negative error number. */
export function statusOf(fd: number): FileStatus | number {
  return readStatus(fd, "", platform().constants.AT_EMPTY_PATH);
}

/**
 * Reads the status of what a path leads to, as far as the kernel knows it: no server is asked, so
 * that a dead one holds nobody up. @returns It, or a negative error number.
 */
export function statusOfTarget(path: string): FileStatus | number {
  const { AT_FDCWD, AT_STATX_DONT_SYNC } = platform().constants;
  return readStatus(AT_FDCWD, path, AT_STATX_DONT_SYNC);
}

/** Reads the status of a path, of a link itself. @returns It, or a negative error number. */
export function statusOfPath(path: string): FileStatus | number {
  const { AT_FDCWD, AT_SYMLINK_NOFOLLOW } = platform().constants;
  return readStatus(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

function readStatus(fd: number, path: string, flags: number): FileStatus | number {
  const { STATX_BASIC_STATS, STATX_BTIME } = platform().constants;
  const { view, struct } = scratchMemory();
  const mask = STATX_BASIC_STATS | STATX_BTIME;
  const result = settle(c().statx(fd, cString(path), flags, mask, struct), errno[0]);
  if (result < 0) return result;
  const at = platform().statx.offsets;
  const mode = view.getUint16(at.stx_mode, true);
  return {
    type: fileType(mode),
    mode: mode & 0o7777,
    linkCount: view.getUint32(at.stx_nlink, true),
    uid: view.getUint32(at.stx_uid, true),
    gid: view.getUint32(at.stx_gid, true),
    inode: readSize(at.stx_ino),
    deviceMajor: view.getUint32(at.stx_dev_major, true),
    deviceMinor: view.getUint32(at.stx_dev_minor, true),
    size: readSize(at.stx_size),
    blockByteLength: view.getUint32(at.stx_blksize, true),
    residentBytes: readSize(at.stx_blocks) * 512,
    accessTimeMs: readTimeMs(at.stx_atime),
    birthTimeMs: readTimeMs(at.stx_btime),
    changeTimeMs: readTimeMs(at.stx_ctime),
    modifyTimeMs: readTimeMs(at.stx_mtime),
  };
}

/** Whether two statuses are of one file. */
export function isSameFile(a: FileStatus, b: FileStatus): boolean {
  return a.inode === b.inode && a.deviceMajor === b.deviceMajor && a.deviceMinor === b.deviceMinor;
}

/** Sets the permission bits, whatever the umask. @returns 0, or a negative error number. */
export function fchmod(fd: number, mode: number): number {
  return settle(c().fchmod(fd, mode), errno[0]);
}

/**
 * Makes a FIFO. The umask takes bits from its mode: whoever wants all of them opens it and calls
 * {@linkcode fchmod}. @returns 0, or a negative error number: `-EEXIST` when the path exists.
 */
export function makeFifo(path: string, mode: number): number {
  return settle(c().mkfifo(cString(path), mode), errno[0]);
}

/**
 * How many bytes the file system of an open file has left, or undefined where it has no bound of
 * its own.
 */
export function availableBytes(fd: number): number | undefined {
  const { struct } = scratchMemory();
  if (settle(c().fstatvfs(fd, struct), errno[0]) < 0) return undefined;
  const at = platform().statvfs.offsets;
  if (readSize(at.f_blocks) === 0) return undefined;
  return readSize(at.f_bavail) * readSize(at.f_frsize);
}

/** How much a file system has, in bytes and in files, and what is left of it for this user. */
export interface Space {
  readonly byteLength: number;
  readonly availableBytes: number;
  readonly files: number;
  readonly availableFiles: number;
}

/** The space of the file system of an open file. @returns It, or a negative error number. */
export function spaceOf(fd: number): Space | number {
  const result = settle(c().fstatvfs(fd, scratchMemory().struct), errno[0]);
  if (result < 0) return result;
  const at = platform().statvfs.offsets;
  const unit = readSize(at.f_frsize);
  return {
    byteLength: readSize(at.f_blocks) * unit,
    availableBytes: readSize(at.f_bavail) * unit,
    files: readSize(at.f_files),
    availableFiles: readSize(at.f_favail),
  };
}

function fileType(mode: number): FileType {
  const { S_IFMT, S_IFREG, S_IFDIR, S_IFIFO, S_IFSOCK, S_IFLNK, S_IFCHR, S_IFBLK } =
    platform().constants;
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "regular file";
    case S_IFDIR:
      return "directory";
    case S_IFIFO:
      return "FIFO";
    case S_IFSOCK:
      return "socket";
    case S_IFLNK:
      return "symbolic link";
    case S_IFCHR:
      return "character device";
    case S_IFBLK:
      return "block device";
    default:
      return "unknown";
  }
}
