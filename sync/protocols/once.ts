/**
 * Once: see "Once" in `docs/synchronisation.md`. A lock word, whose owner {@linkcode DONE} means that it
 * is done.
 *
 * @module
 */

import {
  always,
  LockAttempt,
  meetDemand,
  OWNER,
  tryLockWord,
  unlockWord,
  WAIT,
  wakeAll,
} from "./lock_word.ts";
import type { Pause, Place } from "./place.ts";

/** The owner of what is done: nobody's id. */
export const DONE = 1023;

/** Whether it is done. */
export function isDone(words: Int32Array<ArrayBuffer>, index: number): boolean {
  return (Atomics.load(words, index) & OWNER) === DONE;
}

/** Finds out that it is done, or gets the right to do it. */
export class OnceAttempt extends LockAttempt {
  /** Whether it is done, when it has worked: then there is nothing to be done, or freed. */
  isDone = false;
  readonly #place: Place;
  readonly #index: number;

  constructor(place: Place, index: number) {
    super(place, index);
    this.#place = place;
    this.#index = index;
  }

  override glance(): boolean {
    return isDone(this.#place.words, this.#index) || super.glance();
  }

  override advance(pause: Pause): boolean {
    // Again behind: the lock word says no more than that its owner lives.
    return this.#looksDone(pause.slept) || super.advance(pause) || this.#looksDone(pause.slept);
  }

  protected override isDead(owner: number): boolean {
    return owner !== DONE && super.isDead(owner);
  }

  override giveUp(slept: boolean): void {
    super.giveUp(slept);
    this.#looksDone(slept);
  }

  #looksDone(slept: boolean): boolean {
    if (!isDone(this.#place.words, this.#index)) return false;
    meetDemand(this.#place, this.#index + 1);
    // A run that failed may have woken us only, and another may have worked since without a WAIT.
    if (slept) wakeAll(this.#place, this.#index);
    return this.isDone = true;
  }
}

/** Gets the right to do it, if that is possible at once. */
export function tryOnce(place: Place, index: number): "locked" | "ownerDied" | "busy" | "done" {
  if (isDone(place.words, index)) return "done";
  const result = tryLockWord(
    place,
    index,
    always,
    (owner) => owner === DONE || place.isAlive(owner),
  );
  return result === "busy" && isDone(place.words, index) ? "done" : result;
}

/** Says that it is done, by who had the right. @returns False when that was lost. */
export function finishOnce(place: Place, index: number): boolean {
  const { words, id } = place;
  while (true) {
    const word = Atomics.load(words, index);
    if ((word & OWNER) !== id) return false;
    if (Atomics.compareExchange(words, index, word, DONE) !== word) continue;
    if ((word & WAIT) !== 0) wakeAll(place, index);
    return true;
  }
}

/**
 * Leaves it to the next, by who had the right. That an owner has died before stays known.
 *
 * @returns False when the right was lost.
 */
export function failOnce(place: Place, index: number): boolean {
  return unlockWord(place, index);
}
