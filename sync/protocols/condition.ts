/**
 * The condition: see "Condition" in `docs/synchronisation.md`, whose promise (C1) this follows.
 *
 * @module
 */

import { wakeAll } from "./lock_word.ts";
import { type Attempt, type Pause, type Place, SLICE_MS } from "./place.ts";

/** Somebody sleeps, or awaits. The bits above it count notifications. */
const WAIT = 1;
const ONE = 2;

/**
 * One pause of a wait: over with a notification, and when it is time to look at the data anyway.
 *
 * It is made while the lock is held, and the lock is let go after that. Whoever changes the data then,
 * and notifies, sees that somebody waits, or is seen by {@linkcode sleepValue}.
 */
export class NotificationAttempt implements Attempt {
  readonly sleepIndex: number;
  readonly sleepValue: number;
  readonly sleepMs: number = SLICE_MS;
  readonly #place: Place;

  constructor(place: Place, index: number) {
    this.#place = place;
    this.sleepIndex = index;
    this.sleepValue = Atomics.or(place.words, index, WAIT) | WAIT;
  }

  advance({ quiet }: Pause): boolean {
    return quiet || this.#isNotified();
  }

  /** Each notification since may have mailed us, and nobody else. */
  settle(): void {
    if (this.#countNotifications() > 1) this.#passOn();
  }

  giveUp(): void {
    if (this.#countNotifications() > 0) this.#passOn();
  }

  /** Wakes those who know too little, without a notification more: or this would never come to rest. */
  #passOn(): void {
    wakeAll(this.#place, this.sleepIndex);
  }

  #isNotified(): boolean {
    return this.#countNotifications() > 0;
  }

  #countNotifications(): number {
    const signal = Atomics.load(this.#place.words, this.sleepIndex);
    return ((signal >>> 1) - (this.sleepValue >>> 1)) & 0x7fff_ffff;
  }
}

/** Ends the pauses of so many who wait. */
export function notify(place: Place, index: number, count: number): void {
  const { words } = place;
  while (true) {
    const signal = Atomics.load(words, index);
    if ((signal & WAIT) === 0 || count === 0) return;
    const notified = (signal + ONE) | 0; // others may go on to wait
    if (Atomics.compareExchange(words, index, signal, notified) !== signal) continue;
    let left = count - place.wake(index, count);
    if (left > 0) left -= place.mailSome(index, left);
    if (left <= 0) return;
    // There was nobody else. Whoever has come since knows only `notified`, and would wait without being
    // announced: it is woken to do that again.
    const alone = (notified + ONE) & ~WAIT;
    if (Atomics.compareExchange(words, index, notified, alone) === notified) wakeAll(place, index);
    return;
  }
}

/** Ends the pauses of all who wait. */
export function notifyAll(place: Place, index: number): void {
  const { words } = place;
  while (true) {
    const signal = Atomics.load(words, index);
    if ((signal & WAIT) === 0) return;
    const notified = (signal + ONE) & ~WAIT;
    if (Atomics.compareExchange(words, index, signal, notified) !== signal) continue;
    return wakeAll(place, index);
  }
}
