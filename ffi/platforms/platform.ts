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
  readonly O_WRONLY: number;
  readonly O_RDWR: number;
  readonly O_ACCMODE: number;
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
  readonly AT_STATX_DONT_SYNC: number;
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
  readonly F_DUPFD_CLOEXEC: number;
  readonly F_GETFL: number;
  readonly F_SETSIG: number;
  readonly F_SETLEASE: number;
  readonly F_OFD_GETLK: number;
  readonly F_OFD_SETLK: number;
  readonly F_RDLCK: number;
  readonly F_WRLCK: number;
  readonly F_UNLCK: number;
  readonly SIGURG: number;
  readonly F_ADD_SEALS: number;
  readonly F_GET_SEALS: number;
  readonly F_SEAL_SEAL: number;
  readonly F_SEAL_SHRINK: number;
  readonly F_SEAL_GROW: number;
  readonly F_SEAL_WRITE: number;
  readonly F_SEAL_FUTURE_WRITE: number;
  readonly PROT_READ: number;
  readonly PROT_WRITE: number;
  readonly MAP_SHARED: number;
  readonly MAP_PRIVATE: number;
  readonly MAP_FIXED: number;
  readonly MAP_ANONYMOUS: number;
  readonly MAP_NORESERVE: number;
  readonly MFD_CLOEXEC: number;
  readonly MFD_ALLOW_SEALING: number;
  readonly MFD_HUGETLB: number;
  readonly MFD_NOEXEC_SEAL: number;
  readonly MFD_HUGE_SHIFT: number;
  readonly MS_SYNC: number;
  readonly MADV_NORMAL: number;
  readonly MADV_RANDOM: number;
  readonly MADV_SEQUENTIAL: number;
  readonly MADV_WILLNEED: number;
  readonly MADV_DONTNEED: number;
  readonly MADV_HUGEPAGE: number;
  readonly MADV_NOHUGEPAGE: number;
  readonly MADV_DONTDUMP: number;
  readonly MADV_DODUMP: number;
  readonly MADV_COLD: number;
  readonly MADV_PAGEOUT: number;
  readonly MADV_POPULATE_READ: number;
  readonly MADV_POPULATE_WRITE: number;
  readonly IPC_PRIVATE: number;
  readonly IPC_CREAT: number;
  readonly IPC_EXCL: number;
  readonly IPC_RMID: number;
  readonly IPC_STAT: number;
  readonly SHM_RDONLY: number;
  readonly SHM_HUGETLB: number;
  readonly SHM_DEST: number;
  readonly SHM_LOCKED: number;
  readonly IPC_NOWAIT: number;
  readonly SEM_UNDO: number;
  readonly GETPID: number;
  readonly GETVAL: number;
  readonly GETALL: number;
  readonly GETNCNT: number;
  readonly GETZCNT: number;
  readonly SETALL: number;
  readonly SYS_getdents64: number;
  readonly SYS_futex: number;
  readonly SYS_gettid: number;
  readonly SYS_tgkill: number;
  readonly FUTEX_WAIT: number;
  readonly FUTEX_WAKE: number;
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
  /** The setting of transparent huge pages for shared memory. */
  readonly transparentHugePages: string;
  /** The sizes that huge pages may have, in bytes, in ascending order. */
  readonly hugePageSizes: readonly number[];
  /** The directory that tells, by the names in it, which sizes of huge pages there are. */
  readonly hugePageDirectory: string;
  /** The directory in which each process has one, named by its number. */
  readonly processDirectory: string;
  /** The tables of what System V calls have made, as text. */
  readonly systemVTables: { readonly segments: string; readonly semaphores: string };
  /**
   * The limits of System V objects, each in a file. Of segments: bytes, pages in all, segments. Of
   * semaphores, four in one: in a set, in all, operations in a call, sets.
   */
  readonly systemVLimits: Readonly<Record<"shmmax" | "shmall" | "shmmni" | "sem", string>>;
  /** Where the kernel tells how much memory there is. */
  readonly memoryStatus: {
    /** Of the machine. */
    readonly machine: string;
    /** To which groups this process belongs: a line for each hierarchy. */
    readonly groups: string;
    readonly hierarchies: readonly {
      /** What precedes the path of the group in its line. */
      readonly mark: string;
      /** Where the groups are, a directory for each. */
      readonly root: string;
      /** The files in each. */
      readonly limit: string;
      readonly used: string;
      readonly details: string;
    }[];
  };
  /** Where it tells of limits and settings that shared memory depends on. */
  readonly settings: {
    /** What is mounted where, as proc_pid_mountinfo(5) has it. */
    readonly mounts: string;
    /** The most mappings of a process. */
    readonly mappingCount: string;
    /** Files of which one exists in a container. */
    readonly containerMarks: readonly string[];
    /** A directory that exists where the service manager runs that can remove objects at logout. */
    readonly serviceManager: string;
    /** Its configuration: a file, and directories with files that add to it. */
    readonly loginConfiguration: string;
    readonly loginConfigurationDirectories: readonly string[];
  };
  /** The longest name of a file, in bytes. */
  readonly maxNameByteLength: number;
  readonly constants: Constants;
  /** The codes of the error numbers. */
  readonly errorCodes: Readonly<Record<number, SystemErrorCode>>;
  readonly statx: StructLayout<
    | "stx_blksize"
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
  readonly statvfs: StructLayout<
    "f_frsize" | "f_blocks" | "f_bavail" | "f_files" | "f_favail"
  >;
  readonly dirent64: StructLayout<"d_reclen" | "d_name">;
  readonly passwd: StructLayout<"pw_name">;
  readonly timespec: StructLayout<"tv_sec" | "tv_nsec">;
  readonly rlimit: StructLayout<"rlim_cur">;
  readonly sem_t: StructLayout<never>;
  readonly sembuf: StructLayout<"sem_num" | "sem_op" | "sem_flg">;
  readonly semid_ds: StructLayout<
    | "sem_perm.__key"
    | "sem_perm.uid"
    | "sem_perm.gid"
    | "sem_perm.cuid"
    | "sem_perm.cgid"
    | "sem_perm.mode"
    | "sem_otime"
    | "sem_ctime"
    | "sem_nsems"
  >;
  readonly flock: StructLayout<"l_type" | "l_whence" | "l_start" | "l_len" | "l_pid">;
  readonly shmid_ds: StructLayout<
    | "shm_perm.__key"
    | "shm_perm.uid"
    | "shm_perm.gid"
    | "shm_perm.cuid"
    | "shm_perm.cgid"
    | "shm_perm.mode"
    | "shm_segsz"
    | "shm_atime"
    | "shm_dtime"
    | "shm_ctime"
    | "shm_cpid"
    | "shm_lpid"
    | "shm_nattch"
  >;
}
