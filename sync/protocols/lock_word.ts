/**
 * The lock word, on which the mutex, the read-write lock and once are built: see "Lock word" in
 * `docs/synchronisation.md`, whose steps and promises (M1 to M3) this follows.
 *
 * @module
 */

import { type Attempt, type Pause, type Place, SLICE_MS } from "./place.ts";

/** Somebody sleeps, or awaits. */
export const WAIT: number = 1 << 31;
/** An owner has died, and nobody has marked the lock consistent since. */
export const DIED: number = 1 << 30;
/** The id of the owner; 0: free. */
export const OWNER = 0x3fff_ffff;

/** Who has waited so long demands to be next. */
const DEMAND_MS = 100;
/** Others leave the lock to who demands it for so long. */
const POLITE_MS = 10;

/** Whether nobody needs to be left the way: remembers since when somebody has been. */
export class Politeness {
  #word = 0;
  #next = 0;
  #sinceMs = -1;
  #over = false;

  /**
   * Whether to go first although somebody else demands it.
   *
   * @param word The value of the word that is fought for.
   * @param nextIndex Where the demand stands.
   */
  isOver({ words }: Place, word: number, nextIndex: number, next: number, nowMs: number): boolean {
    if (this.#over) return true;
    if (this.#sinceMs < 0 || this.#word !== word || this.#next !== next) {
      this.#word = word;
      this.#next = next;
      this.#sinceMs = nowMs;
      return false;
    }
    if (nowMs - this.#sinceMs < POLITE_MS) return false;
    // Dead, stopped, or busy: whoever demands it and does not take it loses the demand.
    Atomics.compareExchange(words, nextIndex, next, 0);
    return this.#over = true;
  }

  /** How much longer there is somebody to be left the way, in milliseconds. */
  remainingMs(nowMs: number): number {
    return Math.max(POLITE_MS - (nowMs - this.#sinceMs), 0.1);
  }
}

/** Demands to be next, if it is time. @returns Whether that is new, so that one has to look again. */
export function demand({ words, id }: Place, nextIndex: number, waitedMs: number): boolean {
  return waitedMs >= DEMAND_MS && Atomics.compareExchange(words, nextIndex, 0, id) === 0;
}

/** Takes a demand back, if there is one. */
export function meetDemand({ words, id }: Place, nextIndex: number): void {
  if (Atomics.load(words, nextIndex) === id) Atomics.compareExchange(words, nextIndex, id, 0);
}

/** Whether a dead owner was changing data, given its id: a pending writer was not. */
export type HasLeftTraces = (owner: number) => boolean;

/** As far as can be told, every owner was. */
export const always: HasLeftTraces = () => true;

/** Gets a lock word. */
export class LockAttempt implements Attempt {
  sleepIndex: number;
  sleepValue = 0;
  sleepMs: number = SLICE_MS;
  /** Whether an owner has died before, when it has worked. */
  ownerDied = false;
  readonly #place: Place;
  readonly #index: number;
  readonly #hasLeftTraces: HasLeftTraces;
  #politeness: Politeness | undefined;

  constructor(place: Place, index: number, hasLeftTraces: HasLeftTraces = always) {
    this.#place = place;
    this.#index = index;
    this.#hasLeftTraces = hasLeftTraces;
    this.sleepIndex = index;
  }

  glance(): boolean {
    return (Atomics.load(this.#place.words, this.#index) & OWNER) === 0;
  }

  advance({ waitedMs, slept, quiet }: Pause): boolean {
    const { words, id } = this.#place;
    const index = this.#index;
    const nextIndex = index + 1;
    while (true) {
      const word = Atomics.load(words, index);
      const owner = word & OWNER;
      if (owner === 0) {
        const next = Atomics.load(words, nextIndex);
        if (next !== 0 && next !== id && !this.#passes(word, next, waitedMs)) return false;
        const mine = id | (word & DIED) | (slept ? WAIT : word & WAIT);
        if (Atomics.compareExchange(words, index, word, mine) !== word) continue;
        if (next === id) Atomics.compareExchange(words, nextIndex, id, 0);
        this.ownerDied = (word & DIED) !== 0;
        return true;
      }
      if (owner === id || (quiet && this.isDead(owner))) {
        const died = (word & DIED) !== 0 || this.#hasLeftTraces(owner);
        const mine = id | WAIT | (died ? DIED : 0);
        if (Atomics.compareExchange(words, index, word, mine) !== word) continue;
        meetDemand(this.#place, nextIndex);
        this.ownerDied = died;
        return true;
      }
      if (demand(this.#place, nextIndex, waitedMs)) continue;
      const waiting = word | WAIT;
      if (waiting !== word && Atomics.compareExchange(words, index, word, waiting) !== word) {
        continue;
      }
      this.sleepValue = waiting;
      this.sleepMs = SLICE_MS;
      return false;
    }
  }

  /** Whether an owner is known to be dead. */
  protected isDead(owner: number): boolean {
    return !this.#place.isAlive(owner);
  }

  giveUp(slept: boolean): void {
    const { words } = this.#place;
    const index = this.#index;
    meetDemand(this.#place, index + 1);
    if (!slept) return;
    while (true) {
      const word = Atomics.load(words, index);
      if ((word & OWNER) === 0) return wakeOne(this.#place, index);
      if ((word & WAIT) !== 0) return;
      if (Atomics.compareExchange(words, index, word, word | WAIT) === word) return;
    }
  }

  /** Whether a free lock is taken although somebody else demands it; otherwise it is slept. */
  #passes(word: number, next: number, nowMs: number): boolean {
    const politeness = this.#politeness ??= new Politeness();
    if (politeness.isOver(this.#place, word, this.#index + 1, next, nowMs)) return true;
    this.sleepValue = word;
    this.sleepMs = politeness.remainingMs(nowMs);
    return false;
  }
}

/** Gets a lock word if that is possible at once. @returns Whether, and whether an owner had died. */
export function tryLockWord(
  place: Place,
  index: number,
  hasLeftTraces: HasLeftTraces = always,
  isAlive: (owner: number) => boolean = (owner) => place.isAlive(owner),
): "locked" | "ownerDied" | "busy" {
  const { words, id } = place;
  while (true) {
    const word = Atomics.load(words, index);
    const owner = word & OWNER;
    let died = (word & DIED) !== 0;
    let wait = word & WAIT;
    if (owner !== 0) {
      if (owner !== id && isAlive(owner)) return "busy";
      died ||= hasLeftTraces(owner);
      wait = WAIT;
    }
    const mine = id | wait | (died ? DIED : 0);
    if (Atomics.compareExchange(words, index, word, mine) !== word) continue;
    meetDemand(place, index + 1);
    return died ? "ownerDied" : "locked";
  }
}

/**
 * Frees a lock word.
 *
 * @param all Whether all who wait are woken, and not one of them.
 * @returns False when it was not ours: something has been written over it, and nothing was changed.
 */
export function unlockWord(place: Place, index: number, all: boolean = false): boolean {
  const { words, id } = place;
  if (Atomics.compareExchange(words, index, id, 0) === id) return true;
  while (true) {
    const word = Atomics.load(words, index);
    if ((word & OWNER) !== id) return false;
    // With a WAIT that is left, nobody gets the lock without looking at the demand.
    const free = (word & DIED) | (Atomics.load(words, index + 1) === 0 ? 0 : WAIT);
    if (Atomics.compareExchange(words, index, word, free) !== word) continue;
    if ((word & WAIT) === 0) return true;
    // Again: it may have been demanded just before, by somebody who sleeps now.
    const next = Atomics.load(words, index + 1);
    if (all) wakeAll(place, index);
    else if (next !== 0) wakeNext(place, index, next);
    else wakeOne(place, index);
    return true;
  }
}

/** Says that what the lock guards is right again. @returns False when the lock is not ours. */
export function markConsistent({ words, id }: Place, index: number): boolean {
  while (true) {
    const word = Atomics.load(words, index);
    if ((word & OWNER) !== id) return false;
    if (Atomics.compareExchange(words, index, word, word & ~DIED) === word) return true;
  }
}

/** Wakes one that sleeps on a word, or else one that awaits it. */
export function wakeOne(place: Place, index: number): void {
  if (place.wake(index, 1) === 0) place.mailSome(index, 1);
}

/** Wakes whoever demands a lock: which of those who sleep, is not known. */
export function wakeNext(place: Place, index: number, next: number): void {
  place.wake(index, ALL);
  place.mail(next, index);
}

/** Wakes everyone who sleeps on a word or awaits it. */
export function wakeAll(place: Place, index: number): void {
  place.wake(index, ALL);
  place.mailSome(index, ALL);
}

/** More than there can be. */
const ALL = 0x7fff_ffff;
