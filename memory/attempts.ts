/**
 * Trying again what others may undo between two looks.
 *
 * @module
 */

/** How often it is tried at least, and for how long. */
const MIN_ATTEMPTS = 100;
const ATTEMPTS_MS = 1000;

/** Attempts to open or create something that others create and remove meanwhile. */
export class Attempts {
  readonly #startMs = performance.now();
  #failed = 0;

  /**
   * Counts one that failed.
   *
   * @returns Whether another one makes sense: others can only be that fast by chance.
   */
  goOn(): boolean {
    return ++this.#failed < MIN_ATTEMPTS || performance.now() - this.#startMs < ATTEMPTS_MS;
  }
}
