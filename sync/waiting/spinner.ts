/**
 * Looking again for a moment before one waits: what is released within a few microseconds is had sooner
 * than by sleeping, for which two threads need the kernel.
 *
 * @module
 */

import type { Attempt } from "../protocols/place.ts";

/** About what it takes to fall asleep and be woken: to look takes no longer than to sleep would. */
const MAX_MS = 0.05;
/** To look for less is of no use. */
const MIN_MS = 0.001;
/** After so many waits it is tried whether to look is of use now: if not, less often. */
const TRIALS = 16;
const MAX_TRIALS = 1024;
/** Looks between two that ask what time it is. */
const LOOKS = 4;
/** However long that takes: clocks can be made to stand still. */
const MAX_LOOKS = 4096;

/**
 * Looks whether it is time to try, for as long as that has been of use lately: for twice as long after
 * a success, half as long after a failure, and after several not at all. So waits that last, and a
 * machine that is busy, cost next to nothing.
 */
export class Spinner {
  #limitMs = MAX_MS;
  #trials = TRIALS;
  #untilTrial = TRIALS;

  /** Looks until it is time to try, and then only for a moment. */
  spin(attempt: Attempt): void {
    if (attempt.glance === undefined || attempt.glance()) return;
    const isTrial = --this.#untilTrial === 0;
    const limitMs = isTrial ? MAX_MS : this.#limitMs;
    if (limitMs < MIN_MS) return;
    const startMs = performance.now();
    for (let look = 1; look < MAX_LOOKS; look++) {
      Atomics.pause();
      if (attempt.glance()) {
        const usefulMs = Math.max(this.#limitMs, performance.now() - startMs, 2 * MIN_MS);
        this.#limitMs = Math.min(2 * usefulMs, MAX_MS);
        this.#trials = this.#untilTrial = TRIALS;
        return;
      }
      if (look % LOOKS === 0 && performance.now() - startMs >= limitMs) break;
    }
    this.#limitMs /= 2;
    if (isTrial) this.#untilTrial = this.#trials = Math.min(2 * this.#trials, MAX_TRIALS);
  }
}
