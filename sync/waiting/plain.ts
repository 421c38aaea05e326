/**
 * Waiting with the thread: it sleeps until an attempt has worked.
 *
 * @module
 */

import { type Attempt, NO_PAUSE, type Pause } from "../protocols/place.ts";

/** A thread that can sleep on the words of an object. */
export interface Sleeper {
  /** Looks for a moment whether an attempt may work. */
  spin(attempt: Attempt): void;
  /** Sleeps while a word has a value. @returns Whether the time was over. */
  sleep(index: number, value: number, timeoutMs: number): boolean;
}

/**
 * Blocks this thread until an attempt has worked or the time is over. It sleeps in slices, so that a
 * wake-up that is lost, or an owner that dies, delays it and no more.
 *
 * @returns Whether it has worked. If not, it was given up.
 */
export function waitPlainly(sleeper: Sleeper, attempt: Attempt, timeoutMs: number): boolean {
  sleeper.spin(attempt);
  if (attempt.advance(NO_PAUSE)) return true;
  const startMs = performance.now();
  let waitedMs = 0;
  let slept = false;
  while (waitedMs < timeoutMs) {
    const sleepMs = Math.min(attempt.sleepMs, timeoutMs - waitedMs);
    const quiet = sleeper.sleep(attempt.sleepIndex, attempt.sleepValue, sleepMs);
    slept = true;
    waitedMs = performance.now() - startMs;
    const pause: Pause = { waitedMs, slept, quiet };
    if (attempt.advance(pause)) return true;
  }
  attempt.giveUp(slept);
  return false;
}
