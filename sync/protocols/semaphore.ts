/**
 * The semaphore: see "Semaphore" in `docs/synchronisation.md`, whose promises (S1, S2) this keeps.
 *
 *      0  signal    counter:31 | WAIT:1 (bit 0)
 *      4  next      id of the waiter that is to be next; 0: nobody demands it
 *      8  (reserved)
 *     16  permits   N words: the id of the holder; 0: free
 *
 * P1: who sets WAIT looks through the permits after that; who releases reads `signal` after it has freed
 *     its permit. So either the waiter sees the permit, or the releaser sees WAIT, and changes the
 *     word that the waiter sleeps on.
 * P2: a releaser that finds no WAIT wakes nobody, though others may sleep: WAIT was removed by one who
 *     woke a waiter. That waiter sets it again and then looks for further permits, or sets it to sleep.
 *
 * @module
 */

import { demand, meetDemand, Politeness } from "./lock_word.ts";
import { type Attempt, type Pause, type Place, SLICE_MS } from "./place.ts";

/** Somebody sleeps, or awaits. */
const WAIT = 1;
/** Where the words behind `signal` are. */
const NEXT = 1;
const FIRST_PERMIT = 4;

/** The size of a semaphore. */
export function semaphoreByteLength(permits: number): number {
  return 4 * (FIRST_PERMIT + permits);
}

/** The permits of a semaphore, as one thread sees them. */
export class Permits {
  readonly place: Place;
  /** Where `signal` is. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
  /** Which of them this thread holds: 1. The others that have its id are left from some mistake. */
  readonly #held: Uint8Array;
  /** Where to look first: the permit that was free last. */
  #hint: number;
  #heldCount = 0;

  constructor(place: Place, index: number, count: number) {
    this.place = place;
    this.index = index;
    this.count = count;
    this.#held = new Uint8Array(count);
    this.#hint = place.id % count; // so that not all begin at the same one
  }

  /** How many this thread holds. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** Takes the permit that was free last, if it is and nobody demands one. @returns It, or -1. */
  takeHinted(): number {
    const { place: { words, id }, index } = this;
    const permit = this.#hint;
    if (Atomics.load(words, index + NEXT) !== 0) return -1;
    if (Atomics.compareExchange(words, index + FIRST_PERMIT + permit, 0, id) !== 0) return -1;
    return this.#hold(permit);
  }

  /** Finds a permit that can be taken. @returns It, or -1. */
  findFree(): number {
    const { place: { words, id }, count } = this;
    const first = this.index + FIRST_PERMIT;
    let permit = this.#hint;
    for (let step = 0; step < count; step++) {
      const holder = Atomics.load(words, first + permit);
      if (holder === 0 || (holder === id && this.#held[permit] === 0)) return permit;
      if (++permit === count) permit = 0;
    }
    return -1;
  }

  /** Takes a permit that was found. @returns Whether it still could be. */
  takeFree(permit: number): boolean {
    const { words, id } = this.place;
    const holder = Atomics.compareExchange(words, this.index + FIRST_PERMIT + permit, 0, id);
    if (holder !== 0 && (holder !== id || this.#held[permit] !== 0)) return false;
    this.#hold(permit);
    return true;
  }

  /** Takes a permit whose holder is dead. @returns It, or -1. */
  takeFromDead(): number {
    const { words, id } = this.place;
    const first = this.index + FIRST_PERMIT;
    const alive = new Set([0, id]);
    for (let permit = 0; permit < this.count; permit++) {
      const holder = Atomics.load(words, first + permit);
      if (alive.has(holder)) continue;
      if (this.place.isAlive(holder)) alive.add(holder);
      else if (Atomics.compareExchange(words, first + permit, holder, id) === holder) {
        return this.#hold(permit);
      }
    }
    return -1;
  }

  /** How many could be taken now: those of the dead, too. */
  countAvailable(): number {
    const { words, id } = this.place;
    const isHeld = new Map([[0, false]]);
    let available = 0;
    for (let permit = 0; permit < this.count; permit++) {
      const holder = Atomics.load(words, this.index + FIRST_PERMIT + permit);
      let held = holder === id ? this.#held[permit] !== 0 : isHeld.get(holder);
      if (held === undefined) isHeld.set(holder, held = this.place.isAlive(holder));
      if (!held) available++;
    }
    return available;
  }

  /**
   * Frees a permit that this thread holds, and wakes who waits for it.
   *
   * @returns False when it was not ours: something has been written over it, and nothing was changed.
   */
  release(permit: number): boolean {
    const { place: { words, id }, index } = this;
    this.#held[permit] = 0;
    this.#heldCount--;
    this.#hint = permit;
    if (Atomics.compareExchange(words, index + FIRST_PERMIT + permit, id, 0) !== id) return false;
    while (true) {
      const signal = Atomics.load(words, index);
      if ((signal & WAIT) === 0) return true;
      const changed = (signal + 2) & ~WAIT;
      if (Atomics.compareExchange(words, index, signal, changed) === signal) break;
    }
    this.#wake();
    return true;
  }

  /**
   * Passes a wake-up on that one may have received, whether or not one has a permit now: there may be
   * another permit, and others may sleep whose WAIT was removed.
   */
  passOn(): void {
    Atomics.or(this.place.words, this.index, WAIT);
    if (this.findFree() >= 0) this.#wake();
  }

  #hold(permit: number): number {
    this.#held[permit] = 1;
    this.#heldCount++;
    return permit;
  }

  /** Wakes one; and who demands to be next, after which the others are asleep politely. */
  #wake(): void {
    const { place, index } = this;
    // Read after `signal` was changed: who demands later looks through the permits after that.
    const next = Atomics.load(place.words, index + NEXT);
    const woken = place.wake(index, next === 0 ? 1 : ALL);
    if (next !== 0 && next !== place.id && place.mail(next, index)) return;
    if (woken === 0) place.mailSome(index, 1);
  }
}

/** More than there can be. */
const ALL = 0x7fff_ffff;

/** Of more permits than this, to look at all would take too long for a glance. */
const MAX_GLANCED = 64;

/** Gets a permit. */
export class PermitAttempt implements Attempt {
  sleepIndex: number;
  sleepValue = 0;
  sleepMs: number = SLICE_MS;
  /** The permit, when it has worked. */
  permit = -1;
  readonly #permits: Permits;
  #politeness: Politeness | undefined;

  constructor(permits: Permits) {
    this.#permits = permits;
    this.sleepIndex = permits.index;
  }

  glance(): boolean {
    const { count, heldCount } = this.#permits;
    return count > MAX_GLANCED || heldCount === count || this.#permits.findFree() >= 0;
  }

  advance({ waitedMs, slept, quiet }: Pause): boolean {
    const permits = this.#permits;
    const { place: { words }, index } = permits;
    let asks = quiet;
    while (true) {
      const signal = Atomics.load(words, index);
      const free = permits.findFree();
      if (free >= 0) {
        if (!this.#passes(signal, waitedMs)) return false;
        if (!permits.takeFree(free)) continue;
        return this.#take(free, slept);
      }
      if (asks) {
        asks = false;
        const left = permits.takeFromDead();
        if (left >= 0) return this.#take(left, slept);
      }
      if (demand(permits.place, index + NEXT, waitedMs)) continue;
      if ((signal & WAIT) !== 0) {
        this.#sleepOn(signal, SLICE_MS);
        return false;
      }
      Atomics.compareExchange(words, index, signal, signal | WAIT); // and then all of them again
    }
  }

  giveUp(slept: boolean): void {
    const permits = this.#permits;
    meetDemand(permits.place, permits.index + NEXT);
    if (slept) permits.passOn();
  }

  settle(): void {
    this.#permits.passOn();
  }

  #take(permit: number, slept: boolean): true {
    const permits = this.#permits;
    this.permit = permit;
    meetDemand(permits.place, permits.index + NEXT);
    if (slept) permits.passOn();
    return true;
  }

  /** Whether a free permit is taken although somebody else demands it; otherwise it is slept. */
  #passes(signal: number, nowMs: number): boolean {
    const { place, index } = this.#permits;
    const next = Atomics.load(place.words, index + NEXT);
    if (next === 0 || next === place.id) return true;
    const politeness = this.#politeness ??= new Politeness();
    if (politeness.isOver(place, signal, index + NEXT, next, nowMs)) return true;
    this.#sleepOn(signal, politeness.remainingMs(nowMs));
    return false;
  }

  #sleepOn(signal: number, sleepMs: number): void {
    this.sleepValue = signal;
    this.sleepMs = sleepMs;
  }
}

/** Takes a permit if that is possible at once, whoever demands one. @returns It, or -1. */
export function tryPermit(permits: Permits): number {
  while (true) {
    const free = permits.findFree();
    if (free < 0) return permits.takeFromDead();
    if (permits.takeFree(free)) return free;
  }
}
