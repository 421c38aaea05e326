/**
 * `<sys/resource.h>`: getrlimit(2).
 *
 * @module
 */

import { platform } from "../select.ts";
import { bind, errno, settle } from "./library.ts";
import { readSize, scratchMemory } from "./scratch.ts";

const c = bind({
  // int getrlimit(int resource, struct rlimit *rlim);
  getrlimit: ["i32", "i32", "address"],
});

/**
 * The largest file this process may make, in bytes; `RLIM_INFINITY` is about 1.8e19. Making a
 * larger one would raise SIGXFSZ, which ends the process.
 */
export function maxFileByteLength(): number {
  const { struct } = scratchMemory();
  if (settle(c().getrlimit(platform().constants.RLIMIT_FSIZE, struct), errno[0]) < 0) {
    return Infinity;
  }
  return readSize(platform().rlimit.offsets.rlim_cur);
}
