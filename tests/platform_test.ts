/**
 * The figures of `ffi/platforms/` and the signatures of `ffi/libc/`, compared with what a C compiler
 * makes of the C headers.
 */

import { describe, expect, test } from "bun:test";
import { linuxAarch64 } from "../ffi/platforms/linux_aarch64.ts";
import { linuxX8664 } from "../ffi/platforms/linux_x86_64.ts";
import type { Constants, Platform } from "../ffi/platforms/platform.ts";
import { compile } from "./support/c.ts";
import { ARM64_COMPILER, C_COMPILER, testWith } from "./support/capabilities.ts";
import {
  type Declaration,
  declarationsOf,
  disagreement,
  SEAM_TYPES,
} from "./support/prototypes.ts";
import { parse, readSource, sourcesOf } from "./support/source.ts";

/** The compilers of this machine, each for one platform. */
const TARGETS = process.arch === "arm64"
  ? [{ name: "64-bit ARM", platform: linuxAarch64, compiler: "cc", needs: C_COMPILER }]
  : [
    { name: "x86-64", platform: linuxX8664, compiler: "cc", needs: C_COMPILER },
    {
      name: "64-bit ARM",
      platform: linuxAarch64,
      compiler: "aarch64-linux-gnu-gcc",
      needs: ARM64_COMPILER,
    },
  ];

/** Where the constants are defined. */
const CONSTANT_HEADERS: Record<keyof Constants, string> = {
  O_RDONLY: "fcntl.h",
  O_WRONLY: "fcntl.h",
  O_RDWR: "fcntl.h",
  O_ACCMODE: "fcntl.h",
  O_CREAT: "fcntl.h",
  O_EXCL: "fcntl.h",
  O_NONBLOCK: "fcntl.h",
  O_NOFOLLOW: "fcntl.h",
  O_CLOEXEC: "fcntl.h",
  O_TMPFILE: "fcntl.h",
  AT_FDCWD: "fcntl.h",
  AT_EMPTY_PATH: "fcntl.h",
  AT_SYMLINK_FOLLOW: "fcntl.h",
  AT_SYMLINK_NOFOLLOW: "fcntl.h",
  AT_STATX_DONT_SYNC: "fcntl.h",
  FALLOC_FL_KEEP_SIZE: "fcntl.h",
  F_DUPFD_CLOEXEC: "fcntl.h",
  F_GETFL: "fcntl.h",
  F_SETSIG: "fcntl.h",
  F_SETLEASE: "fcntl.h",
  F_OFD_GETLK: "fcntl.h",
  F_OFD_SETLK: "fcntl.h",
  F_RDLCK: "fcntl.h",
  F_WRLCK: "fcntl.h",
  F_UNLCK: "fcntl.h",
  SIGURG: "signal.h",
  F_ADD_SEALS: "fcntl.h",
  F_GET_SEALS: "fcntl.h",
  F_SEAL_SEAL: "fcntl.h",
  F_SEAL_SHRINK: "fcntl.h",
  F_SEAL_GROW: "fcntl.h",
  F_SEAL_WRITE: "fcntl.h",
  F_SEAL_FUTURE_WRITE: "fcntl.h",
  STATX_BASIC_STATS: "sys/stat.h",
  STATX_BTIME: "sys/stat.h",
  S_IFMT: "sys/stat.h",
  S_IFREG: "sys/stat.h",
  S_IFDIR: "sys/stat.h",
  S_IFCHR: "sys/stat.h",
  S_IFBLK: "sys/stat.h",
  S_IFIFO: "sys/stat.h",
  S_IFLNK: "sys/stat.h",
  S_IFSOCK: "sys/stat.h",
  PROT_READ: "sys/mman.h",
  PROT_WRITE: "sys/mman.h",
  MAP_SHARED: "sys/mman.h",
  MAP_PRIVATE: "sys/mman.h",
  MAP_FIXED: "sys/mman.h",
  MAP_ANONYMOUS: "sys/mman.h",
  MAP_NORESERVE: "sys/mman.h",
  MFD_CLOEXEC: "linux/memfd.h",
  MFD_ALLOW_SEALING: "linux/memfd.h",
  MFD_HUGETLB: "linux/memfd.h",
  MFD_HUGE_SHIFT: "linux/memfd.h",
  MS_SYNC: "sys/mman.h",
  MADV_NORMAL: "sys/mman.h",
  MADV_RANDOM: "sys/mman.h",
  MADV_SEQUENTIAL: "sys/mman.h",
  MADV_WILLNEED: "sys/mman.h",
  MADV_DONTNEED: "sys/mman.h",
  MADV_HUGEPAGE: "sys/mman.h",
  MADV_NOHUGEPAGE: "sys/mman.h",
  MADV_DONTDUMP: "sys/mman.h",
  MADV_DODUMP: "sys/mman.h",
  MADV_COLD: "sys/mman.h",
  MADV_PAGEOUT: "sys/mman.h",
  // The kernel's header, because the C library's has it from glibc 2.35 only.
  MADV_POPULATE_READ: "linux/mman.h",
  MFD_NOEXEC_SEAL: "linux/memfd.h",
  MADV_POPULATE_WRITE: "linux/mman.h",
  IPC_PRIVATE: "sys/shm.h",
  IPC_CREAT: "sys/shm.h",
  IPC_EXCL: "sys/shm.h",
  IPC_RMID: "sys/shm.h",
  IPC_STAT: "sys/shm.h",
  SHM_RDONLY: "sys/shm.h",
  SHM_HUGETLB: "sys/shm.h",
  SHM_DEST: "sys/shm.h",
  SHM_LOCKED: "sys/shm.h",
  IPC_NOWAIT: "sys/sem.h",
  SEM_UNDO: "sys/sem.h",
  GETPID: "sys/sem.h",
  GETVAL: "sys/sem.h",
  GETALL: "sys/sem.h",
  GETNCNT: "sys/sem.h",
  GETZCNT: "sys/sem.h",
  SETALL: "sys/sem.h",
  SYS_getdents64: "sys/syscall.h",
  SYS_futex: "sys/syscall.h",
  SYS_gettid: "sys/syscall.h",
  SYS_tgkill: "sys/syscall.h",
  FUTEX_WAIT: "linux/futex.h",
  FUTEX_WAKE: "linux/futex.h",
  RLIMIT_FSIZE: "sys/resource.h",
  CLOCK_REALTIME: "time.h",
  CLOCK_MONOTONIC: "time.h",
  SEM_VALUE_MAX: "limits.h",
};

/** What the headers have from some version of the kernel only: Linux 6.3. */
const NEWER_THAN_HEADERS: readonly [name: keyof Constants, value: string][] = [
  ["MFD_NOEXEC_SEAL", "0x0008U"],
];

type StructName =
  | "statx"
  | "statvfs"
  | "dirent64"
  | "passwd"
  | "timespec"
  | "rlimit"
  | "sem_t"
  | "sembuf"
  | "semid_ds"
  | "flock"
  | "shmid_ds";

/** A struct in C, and how many bytes the library reads at the offset of each member. */
interface StructInC<Name extends StructName> {
  readonly header: string;
  readonly type: string;
  readonly widths: Record<keyof Platform[Name]["offsets"], number>;
}

const STRUCTS: { readonly [Name in StructName]: StructInC<Name> } = {
  statx: {
    header: "sys/stat.h",
    type: "struct statx",
    widths: {
      stx_blksize: 4,
      stx_nlink: 4,
      stx_uid: 4,
      stx_gid: 4,
      stx_mode: 2,
      stx_ino: 8,
      stx_size: 8,
      stx_blocks: 8,
      stx_atime: 16,
      stx_btime: 16,
      stx_ctime: 16,
      stx_mtime: 16,
      stx_dev_major: 4,
      stx_dev_minor: 4,
    },
  },
  statvfs: {
    header: "sys/statvfs.h",
    type: "struct statvfs",
    widths: { f_frsize: 8, f_blocks: 8, f_bavail: 8, f_files: 8, f_favail: 8 },
  },
  // As getdents64(2) fills it in, but that its name is as long as it is.
  dirent64: {
    header: "dirent.h",
    type: "struct dirent64",
    widths: { d_reclen: 2, d_name: 256 },
  },
  passwd: { header: "pwd.h", type: "struct passwd", widths: { pw_name: 8 } },
  timespec: { header: "time.h", type: "struct timespec", widths: { tv_sec: 8, tv_nsec: 8 } },
  rlimit: {
    header: "sys/resource.h",
    type: "struct rlimit",
    widths: { rlim_cur: 8 },
  },
  sem_t: { header: "semaphore.h", type: "sem_t", widths: {} },
  sembuf: {
    header: "sys/sem.h",
    type: "struct sembuf",
    widths: { sem_num: 2, sem_op: 2, sem_flg: 2 },
  },
  semid_ds: {
    header: "sys/sem.h",
    type: "struct semid_ds",
    widths: {
      "sem_perm.__key": 4,
      "sem_perm.uid": 4,
      "sem_perm.gid": 4,
      "sem_perm.cuid": 4,
      "sem_perm.cgid": 4,
      "sem_perm.mode": 4,
      sem_otime: 8,
      sem_ctime: 8,
      sem_nsems: 8,
    },
  },
  flock: {
    header: "fcntl.h",
    type: "struct flock",
    widths: { l_type: 2, l_whence: 2, l_start: 8, l_len: 8, l_pid: 4 },
  },
  shmid_ds: {
    header: "sys/shm.h",
    type: "struct shmid_ds",
    widths: {
      "shm_perm.__key": 4,
      "shm_perm.uid": 4,
      "shm_perm.gid": 4,
      "shm_perm.cuid": 4,
      "shm_perm.cgid": 4,
      "shm_perm.mode": 4,
      shm_segsz: 8,
      shm_atime: 8,
      shm_dtime: 8,
      shm_ctime: 8,
      shm_cpid: 4,
      shm_lpid: 4,
      shm_nattch: 8,
    },
  },
};

/** The prototypes of the functions whose last parameters are `...`. */
const VARIADIC_PROTOTYPES: Readonly<Record<string, string>> = {
  fcntl: "int fcntl(int fd, int cmd, ...);",
  semctl: "int semctl(int semid, int semnum, int cmd, ...);",
  open: "int open(const char *pathname, int flags, ...);",
  syscall: "long syscall(long number, ...);",
  sem_open: "sem_t *sem_open(const char *name, int oflag, ...);",
};

/** Everything that a platform claims, as C conditions. */
function claims(platform: Platform): string[] {
  const constants = Object.entries(platform.constants)
    .map(([name, value]) => `${name} == ${value}`);
  const errorNumbers = Object.entries(platform.errorCodes)
    .map(([number, name]) => `${name} == ${number}`);
  const structs = Object.entries(STRUCTS).flatMap(([name, { type, widths }]) => {
    const { byteLength, offsets } = platform[name as StructName];
    const members = Object.entries<number>(offsets).flatMap(([member, byteOffset]) => [
      `offsetof(${type}, ${member}) == ${byteOffset}`,
      `sizeof ((${type} *)0)->${member} == ${(widths as Record<string, number>)[member]}`,
    ]);
    return [`sizeof (${type}) == ${byteLength}`, ...members];
  });
  return [
    ...constants,
    ...errorNumbers,
    ...structs,
    `NAME_MAX == ${platform.maxNameByteLength}`,
    // What the code takes for granted, in ffi/libc/.
    "offsetof(struct statx_timestamp, tv_sec) == 0",
    "offsetof(struct statx_timestamp, tv_nsec) == 8",
    "sizeof ((struct statx_timestamp *)0)->tv_nsec == 4",
    "(long)MAP_FAILED == -1",
    "(long)SEM_FAILED == 0",
    "__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__",
    "sizeof (void *) == 8",
  ];
}

/** Has a compiler check conditions; fails with the text of those that do not hold. */
function expectInC(compiler: string, conditions: readonly string[]): void {
  const headers = new Set(["errno.h", "limits.h", "stddef.h", "sys/types.h"]);
  for (const header of Object.values(CONSTANT_HEADERS)) headers.add(header);
  for (const { header } of Object.values(STRUCTS)) headers.add(header);
  expectCompiles(compiler, [
    "#define _GNU_SOURCE",
    ...[...headers].map((header) => `#include <${header}>`),
    ...NEWER_THAN_HEADERS.map(([name, value]) =>
      `#ifndef ${name}\n#define ${name} ${value}\n#endif`
    ),
    ...conditions.map((condition) => `_Static_assert(${condition}, "${condition}");`),
  ]);
}

function expectCompiles(compiler: string, lines: readonly string[]): void {
  const flags = ["-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c", "-"];
  compile(compiler, flags, `${lines.join("\n")}\n`);
}

/** Has a compiler compare prototypes with those of the headers, which it has to include. */
function expectPrototypes(
  compiler: string,
  headers: readonly string[],
  prototypes: readonly string[],
): void {
  // With GNU extensions, glibc declares getrlimit with an enumeration in place of its int.
  const extensions = headers.includes("sys/resource.h") ? [] : ["#define _GNU_SOURCE"];
  expectCompiles(compiler, [
    ...extensions,
    ...headers.map((header) => `#include <${header}>`),
    ...prototypes,
  ]);
}

for (const { name, platform, compiler, needs } of TARGETS) {
  describe(`the figures of Linux on ${name}`, () => {
    testWith([needs], "are those of the C headers", () => {
      expect(Object.keys(platform.constants).sort()).toEqual(Object.keys(CONSTANT_HEADERS).sort());
      expectInC(compiler, claims(platform));
    });

    testWith([needs], "are not so by accident: one wrong figure is found", () => {
      const { statx, constants, errorCodes } = platform;
      const wrong: [Partial<Platform>, RegExp][] = [
        [{ constants: { ...constants, O_TMPFILE: constants.O_TMPFILE + 1 } }, /O_TMPFILE == /],
        [{ statx: { ...statx, byteLength: 248 } }, /sizeof \(struct statx\) == 248/],
        [
          { statx: { ...statx, offsets: { ...statx.offsets, stx_size: 48 } } },
          /offsetof\(struct statx, stx_size\) == 48/,
        ],
        [{ errorCodes: { ...errorCodes, 34: "EIDRM" } }, /EIDRM == 34/],
      ];
      for (const [figures, message] of wrong) {
        expect(() => expectInC(compiler, claims({ ...platform, ...figures }))).toThrow(message);
      }
    });

    testWith([needs], "are those that the seam's types stand for", () => {
      const conditions = Object.entries(SEAM_TYPES).map(([type, seamType]) => {
        const byteLength = seamType === "i64" ? 8 : 4;
        // size_t is the exception: as an i64, it is right up to 2^63 - 1.
        const sign = type === "size_t" ? "" : ` && (${type})-1 ${seamType === "u32" ? ">" : "<"} 0`;
        return `sizeof (${type}) == ${byteLength}${sign}`;
      });
      expectInC(compiler, conditions);
    });
  });
}

test("every error number has a code of its own in errors.ts, and the other way round", () => {
  const [type] = readSource("errors.ts").match(/type SystemErrorCode =[^;]*/) as [string];
  const codes = [...type.matchAll(/"(\w+)"/g)].map(([, code]) => code as string);
  for (const { platform } of TARGETS) {
    expect([...Object.values(platform.errorCodes), "UNKNOWN"].sort()).toEqual(codes.sort());
  }
});

/** The declarations of `ffi/libc/`, by file, with the headers that its first lines name. */
const FILES = sourcesOf("ffi/libc").map((source) => ({
  path: source.path,
  declarations: declarationsOf(source),
  headers: [...(source.text.split("*/")[0] as string).matchAll(/`<([\w/]+\.h)>`/g)]
    .map(([, header]) => header as string),
})).filter(({ declarations }) => declarations.length > 0);

describe("the prototypes beside the declarations of C functions", () => {
  const all = FILES.flatMap(({ declarations }) => declarations);

  test("are there", () => {
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining([
      "__errno_location",
      "mmap",
      "sem_clockwait", // whose signature has a name of its own
      "sem_open",
      "shm_open",
      "statx",
    ]));
  });

  test("say what is declared", () => {
    expect(all.map(disagreement).filter((each) => each !== undefined)).toEqual([]);
  });

  test("are compared with it: a wrong signature is found", () => {
    const wrong = parse(
      "wrong.ts",
      `const c = bind({
        // int ftruncate(int fd, off_t length);
        ftruncate: ["i32", "i32", "i32"],
        // int dup(int oldfd);
        close: ["i32", "i32"],
        pause: ["i32"],
      });`,
    );
    expect(declarationsOf(wrong).map(disagreement)).toEqual([
      "ftruncate: declared as [i32, i32, i32], in C it is [i32, i32, i64]",
      "close: the prototype is of dup",
      'pause: no C prototype above it, but ""',
    ]);
  });

  for (const { name, compiler, needs } of TARGETS) {
    testWith([needs], `are those of the C headers for ${name}`, () => {
      for (const { headers, declarations } of FILES) {
        expectPrototypes(compiler, ["errno.h", ...headers], declarations.map(redeclaration));
      }
      const wrong = () => expectPrototypes(compiler, ["unistd.h"], ["int close(long fd);"]);
      expect(wrong).toThrow(/conflicting types for .close/);
    });
  }
});

/** The prototype as the header has it. */
function redeclaration({ name, prototype, variadic }: Declaration): string {
  if (!variadic) return prototype;
  const inC = VARIADIC_PROTOTYPES[name] ?? `#error "no variadic prototype of ${name} is known"`;
  expect(prototype.slice(0, inC.length - "...);".length) + "...);").toBe(inC);
  return inC;
}
