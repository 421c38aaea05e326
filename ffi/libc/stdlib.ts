/**
 * `<stdlib.h>`: calloc(3), getenv(3).
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { runtime } from "../select.ts";
import { bind } from "./library.ts";

const c = bind({
  // void *calloc(size_t nmemb, size_t size);
  calloc: ["address", "i64", "i64"],
  // char *getenv(const char *name);
  getenv: ["address", "address"],
});

/** Allocates memory that is zero. @returns Its start; NULL when there is none left. */
export function calloc(byteLength: number): Address {
  return c().calloc(1, byteLength);
}

/** Finds the value of an environment variable. @returns Its start, or undefined when it is not set. */
export function getenv(name: Address): Address | undefined {
  const value = c().getenv(name);
  return runtime().addressToNumber(value) === 0 ? undefined : value;
}
