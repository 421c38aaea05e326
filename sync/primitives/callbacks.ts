/**
 * Functions of the user that are called while something is held for them.
 *
 * @module
 */

import { misuse } from "../../errors.ts";
import type { Synchroniser } from "./synchroniser.ts";

/** What is no promise. */
export type NotPromise<T> = T extends PromiseLike<unknown> ? never : T;

/** Whether something is a promise, as far as `await` goes. */
export function isThenable(value: unknown): boolean {
  return value !== null && (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function";
}

/** Throws unless it can be called: before anything is held for it. */
export function checkFunction(sync: Synchroniser, verb: string, fn: unknown): void {
  if (typeof fn === "function") return;
  throw new TypeError(misuse(sync.action(verb), "there must be a function to call", fn));
}

/**
 * Passes on what a function has returned.
 *
 * @param instead The verb that takes an asynchronous one.
 * @throws {TypeError} When it is a promise: what it does would come after the release.
 */
export function notPromise<T>(
  sync: Synchroniser,
  verb: string,
  instead: string,
  result: NotPromise<T>,
): T {
  if (!isThenable(result)) return result as T;
  const rule = `the function must not return a promise (use ${instead}())`;
  throw new TypeError(misuse(sync.action(verb), rule, result));
}
