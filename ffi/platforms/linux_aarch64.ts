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
    SYS_getdents64: 61,
  },
};
