/**
 * The environment of this process, as the C library has it: Deno's own way needs a permission.
 *
 * @module
 */

import { cString } from "./libc/scratch.ts";
import { getenv } from "./libc/stdlib.ts";
import { copyString } from "./libc/string.ts";

/** The value of an environment variable, possibly empty; undefined when it is not set. */
export function environmentVariable(name: string): string | undefined {
  const value = getenv(cString(name));
  return value === undefined ? undefined : copyString(value);
}
