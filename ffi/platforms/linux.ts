/**
 * What every 64-bit Linux has in common.
 *
 * @module
 */

import type { CLibrary, Constants, Platform } from "./platform.ts";

/** Constants whose values do not depend on the CPU. */
export const linuxConstants: Omit<Constants, "O_NOFOLLOW" | "O_TMPFILE"> = {
  // fcntl.h
  O_RDONLY: 0,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  AT_FDCWD: -100,
  AT_EMPTY_PATH: 0x1000,
  AT_SYMLINK_FOLLOW: 0x400,
  AT_SYMLINK_NOFOLLOW: 0x100,
  FALLOC_FL_KEEP_SIZE: 1,
  // sys/stat.h
  STATX_BASIC_STATS: 0x7ff,
  STATX_BTIME: 0x800,
  S_IFMT: 0o170000,
  S_IFREG: 0o100000,
  S_IFDIR: 0o040000,
  S_IFCHR: 0o020000,
  S_IFBLK: 0o060000,
  S_IFIFO: 0o010000,
  S_IFLNK: 0o120000,
  S_IFSOCK: 0o140000,
  // sys/mman.h
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_NORESERVE: 0x4000,
  MADV_POPULATE_READ: 22,
  // sys/resource.h
  RLIMIT_FSIZE: 1,
  // time.h
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  // limits.h
  SEM_VALUE_MAX: 0x7fffffff,
};

/** The C libraries of Linux: glibc, or musl for a CPU. */
export function linuxLibraries(cpu: string): CLibrary[] {
  return [
    { name: "libc.so.6", semaphoreFilePrefix: "sem." },
    { name: `libc.musl-${cpu}.so.1`, semaphoreFilePrefix: "" },
  ];
}

/** Everything but the constants and the libraries. */
export const linuxPlatform: Omit<Platform, "constants" | "libraries"> = {
  companionLibraries: ["librt.so.1", "libpthread.so.0"],
  sharedMemoryDirectory: "/dev/shm",
  maxNameByteLength: 255,
  errorCodes: {
    1: "EPERM",
    2: "ENOENT",
    4: "EINTR",
    5: "EIO",
    6: "ENXIO",
    9: "EBADF",
    11: "EAGAIN",
    12: "ENOMEM",
    13: "EACCES",
    14: "EFAULT",
    16: "EBUSY",
    17: "EEXIST",
    19: "ENODEV",
    20: "ENOTDIR",
    21: "EISDIR",
    22: "EINVAL",
    23: "ENFILE",
    24: "EMFILE",
    26: "ETXTBSY",
    27: "EFBIG",
    28: "ENOSPC",
    30: "EROFS",
    32: "EPIPE",
    35: "EDEADLK",
    36: "ENAMETOOLONG",
    38: "ENOSYS",
    40: "ELOOP",
    43: "EIDRM",
    75: "EOVERFLOW",
    95: "EOPNOTSUPP",
    110: "ETIMEDOUT",
    122: "EDQUOT",
  },
  statx: {
    byteLength: 256,
    offsets: {
      stx_nlink: 16,
      stx_uid: 20,
      stx_gid: 24,
      stx_mode: 28,
      stx_ino: 32,
      stx_size: 40,
      stx_blocks: 48,
      stx_atime: 64,
      stx_btime: 80,
      stx_ctime: 96,
      stx_mtime: 112,
      stx_dev_major: 136,
      stx_dev_minor: 140,
    },
  },
  statvfs: { byteLength: 112, offsets: { f_frsize: 8, f_blocks: 16, f_bavail: 32 } },
  timespec: { byteLength: 16, offsets: { tv_sec: 0, tv_nsec: 8 } },
  rlimit: { byteLength: 16, offsets: { rlim_cur: 0 } },
  sem_t: { byteLength: 32, offsets: {} },
};
