/**
 * Ending what waits need only when no other wait follows: one often leads to another at once, and to
 * begin and to end costs more than the wait itself.
 *
 * @module
 */

/**
 * How many turns of the queue of microtasks: enough for whoever awaited to go on and to wait again, and
 * over before the event loop does anything else.
 */
const TURNS = 10;

/** Waits until nothing has gone on for a moment. */
export class Lull {
  readonly #isBusy: () => boolean;
  readonly #rest: () => void;
  #pending = false;

  /** @param rest Called when it is not busy any more, soon after {@linkcode expect} was called. */
  constructor(isBusy: () => boolean, rest: () => void) {
    this.#isBusy = isBusy;
    this.#rest = rest;
  }

  /** Something has ended. */
  expect(): void {
    if (!this.#pending) void this.#wait();
  }

  async #wait(): Promise<void> {
    this.#pending = true;
    for (let turn = 0; turn < TURNS; turn++) await undefined;
    this.#pending = false;
    if (!this.#isBusy()) this.#rest();
  }
}
