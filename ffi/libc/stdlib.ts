/**
 * `<stdlib.h>`: calloc(3).
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { bind } from "./library.ts";

const c = bind({
  // void *calloc(size_t nmemb, size_t size);
  calloc: ["address", "i64", "i64"],
});

/** Allocates memory that is zero. @returns Its start; NULL when there is none left. */
export function calloc(byteLength: number): Address {
  return c().calloc(1, byteLength);
}
