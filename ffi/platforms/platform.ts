/**
 * What differs between operating systems and CPUs, as data. Every figure is compared with what a C
 * compiler says (`tests/platform_test.ts`).
 *
 * @module
 */

import type { SystemErrorCode } from "../../errors.ts";

/** The size of a C struct and the offsets of the members that are used, in bytes. */
export interface StructLayout<Member extends string> {
  readonly byteLength: number;
  readonly offsets: Readonly<Record<Member, number>>;
}

/** The constants of the C headers, by their C names. */
export interface Constants {
  readonly O_RDONLY: number;
  readonly O_RDWR: number;
  readonly O_CREAT: number;
  readonly O_EXCL: number;
  readonly O_NONBLOCK: number;
  readonly O_NOFOLLOW: number;
  readonly O_CLOEXEC: number;
  readonly O_TMPFILE: number;
  readonly AT_FDCWD: number;
  readonly AT_EMPTY_PATH: number;
  readonly AT_SYMLINK_FOLLOW: number;
  readonly AT_SYMLINK_NOFOLLOW: number;
  readonly STATX_BASIC_STATS: number;
  readonly STATX_BTIME: number;
  readonly S_IFMT: number;
  readonly S_IFREG: number;
  readonly S_IFDIR: number;
  readonly S_IFCHR: number;
  readonly S_IFBLK: number;
  readonly S_IFIFO: number;
  readonly S_IFLNK: number;
  readonly S_IFSOCK: number;
  readonly FALLOC_FL_KEEP_SIZE: number;
  readonly PROT_READ: number;
  readonly PROT_WRITE: number;
  readonly MAP_SHARED: number;
  readonly MAP_PRIVATE: number;
  readonly MAP_FIXED: number;
  readonly MAP_ANONYMOUS: number;
  readonly MAP_NORESERVE: number;
  readonly MADV_POPULATE_READ: number;
  readonly RLIMIT_FSIZE: number;
  readonly CLOCK_REALTIME: number;
  readonly CLOCK_MONOTONIC: number;
  readonly SEM_VALUE_MAX: number;
}

/** A C library. */
export interface CLibrary {
  /** The name to load it by. */
  readonly name: string;
  /** What precedes the name of a semaphore's file in the shared-memory directory. */
  readonly semaphoreFilePrefix: string;
}

/** An operating system on a CPU. */
export interface Platform {
  /** The C library, in the order to try. */
  readonly libraries: readonly CLibrary[];
  /** Older libraries that may hold a function which the C library lacks. */
  readonly companionLibraries: readonly string[];
  /** The directory in which `shm_open` keeps its objects, without a trailing slash. */
  readonly sharedMemoryDirectory: string;
  /** The longest name of a file, in bytes. */
  readonly maxNameByteLength: number;
  readonly constants: Constants;
  /** The codes of the error numbers. */
  readonly errorCodes: Readonly<Record<number, SystemErrorCode>>;
  readonly statx: StructLayout<
    | "stx_nlink"
    | "stx_uid"
    | "stx_gid"
    | "stx_mode"
    | "stx_ino"
    | "stx_size"
    | "stx_blocks"
    | "stx_atime"
    | "stx_btime"
    | "stx_ctime"
    | "stx_mtime"
    | "stx_dev_major"
    | "stx_dev_minor"
  >;
  readonly statvfs: StructLayout<"f_frsize" | "f_blocks" | "f_bavail">;
  readonly timespec: StructLayout<"tv_sec" | "tv_nsec">;
  readonly rlimit: StructLayout<"rlim_cur">;
  readonly sem_t: StructLayout<never>;
}
