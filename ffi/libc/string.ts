/**
 * `<string.h>`: strlen(3).
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { runtime } from "../select.ts";
import { decodeText } from "../text.ts";
import { bind } from "./library.ts";

const c = bind({
  // size_t strlen(const char *s);
  strlen: ["i64", "address"],
});

/** Copies a NUL-terminated string of the C library's. */
export function copyString(start: Address): string {
  const byteLength = c().strlen(start);
  if (byteLength === 0) return "";
  // The view does not outlive this statement, and nobody else runs meanwhile on this thread.
  return decodeText(new Uint8Array(runtime().viewMemory(start, byteLength)));
}
