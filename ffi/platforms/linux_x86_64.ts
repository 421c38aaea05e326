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
    SYS_getdents64: 217,
  },
};
