/**
 * Refusing promises where what they do would come too late: after the lock has been released.
 *
 * @module
 */

import { type Action, misuse } from "../../errors.ts";

/** What is no promise. */
export type NotPromise<T> = T extends PromiseLike<unknown> ? never : T;

/** Whether something is a promise, as far as `await` goes. */
export function isThenable(value: unknown): boolean {
  return value !== null && (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function";
}

/**
 * Passes on what a function of the user has returned.
 *
 * @param instead The verb that takes an asynchronous one.
 * @throws {TypeError} When it is a promise.
 */
export function notPromise<T>(action: Action, instead: string, result: NotPromise<T>): T {
  if (!isThenable(result)) return result as T;
  const rule = `the function must not return a promise (use ${instead}())`;
  throw new TypeError(misuse(action, rule, result));
}
