/**
 * Linux on x86-64.
 *
 * @module
 */

import { linuxConstants, linuxLibraries, linuxPlatform } from "./linux.ts";
import type { Platform } from "./platform.ts";

/** Linux on x86-64, with glibc or musl. */
export const linuxX8664: Platform = {
  ...linuxPlatform,
  libraries: linuxLibraries("x86_64"),
  constants: {
    ...linuxConstants,
    O_NOFOLLOW: 0o400000,
    O_TMPFILE: 0o20200000,
    SYS_futex: 202,
    SYS_getdents64: 217,
    SYS_gettid: 186,
    SYS_tgkill: 234,
  },
  semid_ds: {
    byteLength: 104,
    offsets: {
      "sem_perm.__key": 0,
      "sem_perm.uid": 4,
      "sem_perm.gid": 8,
      "sem_perm.cuid": 12,
      "sem_perm.cgid": 16,
      "sem_perm.mode": 20,
      sem_otime: 48,
      sem_ctime: 64,
      sem_nsems: 80,
    },
  },
};
