/**
 * Waiting for something that only asking again can tell.
 *
 * @module
 */

import { type Action, timeoutError } from "../errors.ts";
import { type AsyncWaitOptions, checkOptions, checkSignal, checkTimeout } from "./options.ts";

const FIRST_DELAY_MS = 1;
const LAST_DELAY_MS = 25;

/**
 * Asks again and again, without blocking the event loop, until there is an answer.
 *
 * @param ask Gives the answer, or undefined while there is none. An error ends the wait.
 */
export async function poll<T>(
  action: Action,
  ask: () => T | undefined,
  options: AsyncWaitOptions,
): Promise<T> {
  checkOptions(action, options);
  const signal = checkSignal(action, options.signal);
  const timeout = checkTimeout(action, options.timeout ?? Infinity);
  const answer = await pollInTime(ask, { timeout, ...(signal !== undefined && { signal }) });
  if (answer === undefined) throw timeoutError(action, timeout);
  return answer;
}

/**
 * As {@linkcode poll}, with options that have been checked.
 *
 * @returns The answer, or undefined when the time was over first.
 */
export async function pollInTime<T>(
  ask: () => T | undefined,
  { timeout: timeoutMs = Infinity, signal }: AsyncWaitOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  let delayMs = FIRST_DELAY_MS;
  while (true) {
    signal?.throwIfAborted();
    const answer = ask();
    if (answer !== undefined) return answer;
    const remainingMs = deadline - performance.now();
    if (remainingMs <= 0) return undefined;
    await delay(Math.min(delayMs, remainingMs), signal);
    delayMs = Math.min(delayMs * 2, LAST_DELAY_MS);
  }
}

/** Blocks this thread for a time. */
export function sleep(timeMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeMs);
}

/** Resolves after a time, or as soon as the signal is aborted. */
function delay(timeMs: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const finish = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", finish);
    resolve();
  };
  const timer = setTimeout(finish, timeMs);
  signal?.addEventListener("abort", finish);
  return promise;
}
