/**
 * Linux on 64-bit ARM.
 *
 * @module
 */

import { linuxConstants, linuxLibraries, linuxPlatform } from "./linux.ts";
import type { Platform } from "./platform.ts";

/** Linux on 64-bit ARM, with glibc or musl. */
export const linuxAarch64: Platform = {
  ...linuxPlatform,
  libraries: linuxLibraries("aarch64"),
  constants: {
    ...linuxConstants,
    O_NOFOLLOW: 0o100000,
    O_TMPFILE: 0o20040000,
    SYS_futex: 98,
    SYS_getdents64: 61,
    SYS_gettid: 178,
    SYS_tgkill: 131,
  },
  semid_ds: {
    byteLength: 88,
    offsets: {
      "sem_perm.__key": 0,
      "sem_perm.uid": 4,
      "sem_perm.gid": 8,
      "sem_perm.cuid": 12,
      "sem_perm.cgid": 16,
      "sem_perm.mode": 20,
      sem_otime: 48,
      sem_ctime: 56,
      sem_nsems: 64,
    },
  },
};
