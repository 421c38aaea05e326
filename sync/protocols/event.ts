/**
 * The event, with manual and with automatic reset: see "Event" in `docs/synchronisation.md`, whose
 * promise (E1) this follows.
 *
 * @module
 */

import { wakeAll, wakeOne } from "./lock_word.ts";
import { type Attempt, type Pause, type Place, SLICE_MS } from "./place.ts";

const SET = 1;
/** Somebody sleeps, or awaits. */
const WAIT = 2;
/** The bits above count how often it has been set. */
const COUNTER = ~3;
const ONE = 4;

/** The state of an event that has been set once, and for which nobody waits. */
export const SET_ONCE: number = ONE | SET;

/** Whether an event is set. */
export function isEventSet({ words }: Place, index: number): boolean {
  return (Atomics.load(words, index) & SET) !== 0;
}

/**
 * Sets an event.
 *
 * @param all Whether all who wait are woken, and not one of them.
 */
export function setEvent(place: Place, index: number, all: boolean): void {
  const { words } = place;
  while (true) {
    const state = Atomics.load(words, index);
    if ((state & SET) !== 0) return;
    const set = ((state & COUNTER) + ONE) | SET;
    if (Atomics.compareExchange(words, index, state, set) !== state) continue;
    if ((state & WAIT) === 0) return;
    return all ? wakeAll(place, index) : wakeOne(place, index);
  }
}

/** Resets an event. */
export function resetEvent({ words }: Place, index: number): void {
  Atomics.and(words, index, ~SET);
}

/** Resets an event if it is set. @returns Whether it was. */
export function takeEvent({ words }: Place, index: number, slept: boolean = false): boolean {
  while (true) {
    const state = Atomics.load(words, index);
    if ((state & SET) === 0) return false;
    // Whoever set it has removed WAIT and woken one: if that was us, others may sleep on.
    const taken = (state & ~SET) | (slept ? WAIT : 0);
    if (Atomics.compareExchange(words, index, state, taken) === state) return true;
  }
}

/** What is true of both: how it sleeps. */
abstract class EventAttempt implements Attempt {
  readonly sleepIndex: number;
  sleepValue = 0;
  readonly sleepMs: number = SLICE_MS;
  protected readonly place: Place;

  constructor(place: Place, index: number) {
    this.place = place;
    this.sleepIndex = index;
  }

  /** Whether it is over, as the state is. */
  protected abstract isOver(state: number, pause: Pause): boolean;

  abstract giveUp(slept: boolean): void;

  glance(): boolean {
    return (Atomics.load(this.place.words, this.sleepIndex) & SET) !== 0;
  }

  advance(pause: Pause): boolean {
    const { words } = this.place;
    const index = this.sleepIndex;
    while (true) {
      const state = Atomics.load(words, index);
      if (this.isOver(state, pause)) return true;
      if ((state & SET) !== 0) continue; // another one was faster; or set again since
      this.sleepValue = state | WAIT;
      if (state === this.sleepValue) return false;
      if (Atomics.compareExchange(words, index, state, this.sleepValue) === state) return false;
    }
  }
}

/** Waits for an event with manual reset: until it is set, or has been since the wait began. */
export class ManualEventAttempt extends EventAttempt {
  readonly #counter: number;

  constructor(place: Place, index: number) {
    super(place, index);
    this.#counter = Atomics.load(place.words, index) & COUNTER;
  }

  protected override isOver(state: number): boolean {
    return (state & SET) !== 0 || (state & COUNTER) !== this.#counter;
  }

  override giveUp(): void {} // all are woken: there is nothing to pass on
}

/** Waits for an event with automatic reset: until it could reset it. */
export class AutomaticEventAttempt extends EventAttempt {
  protected override isOver(state: number, { slept }: Pause): boolean {
    return (state & SET) !== 0 && takeEvent(this.place, this.sleepIndex, slept);
  }

  settle(): void {
    this.giveUp(true);
  }

  override giveUp(slept: boolean): void {
    if (!slept) return;
    const { words } = this.place;
    const index = this.sleepIndex;
    while (true) {
      const state = Atomics.load(words, index);
      if ((state & SET) !== 0) return wakeOne(this.place, index);
      if ((state & WAIT) !== 0) return;
      if (Atomics.compareExchange(words, index, state, state | WAIT) === state) return;
    }
  }
}
