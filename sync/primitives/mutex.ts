/**
 * @module
 */

import { type ShmError, stateError, timeoutError } from "../../errors.ts";
import type { AsyncWaitOptions, WaitOptions } from "../../memory/options.ts";
import type { Membership } from "../participants/membership.ts";
import type { Participant } from "../participants/participant.ts";
import { checkFunction, type NotPromise, notPromise } from "./callbacks.ts";
import { LockAttempt, markConsistent, tryLockWord, unlockWord } from "../protocols/lock_word.ts";
import type { Pause } from "../protocols/place.ts";
import { type ReleasableGuard, RELEASED } from "./suspension.ts";
import { type Home, Synchroniser } from "./synchroniser.ts";
import { type Line, lookInLine, waitInLine } from "../waiting/event_loop.ts";
import { waitPlainly } from "../waiting/plain.ts";

/** A mutex as this thread sees it: one for all handles. */
class MutexState {
  readonly participant: Participant;
  readonly words: Int32Array<ArrayBuffer>;
  readonly index: number;
  readonly id: number;
  /** The guard that holds it in this thread. */
  guard: MutexGuard | undefined = undefined;
  /** Those of this thread who await it. */
  readonly line: Line = new Set();

  constructor(participant: Participant, index: number) {
    this.participant = participant;
    this.words = participant.words;
    this.index = index;
    this.id = participant.id;
  }
}

/** Gets the mutex, when no other guard of this thread has it: that one's id stands in the word, too. */
class MutexAttempt extends LockAttempt {
  readonly #state: MutexState;

  constructor(state: MutexState) {
    super(state.participant, state.index);
    this.#state = state;
  }

  override glance(): boolean {
    return this.#state.guard !== undefined || super.glance();
  }

  override advance(pause: Pause): boolean {
    return this.#state.guard === undefined && super.advance(pause);
  }
}

/**
 * A held mutex. Disposing of it releases the mutex: best with `using`.
 *
 * Who owns the mutex is the guard, and not the thread: it may be released by whoever has it.
 */
export class MutexGuard implements Disposable, ReleasableGuard {
  readonly #state: MutexState;
  readonly #membership: Membership;
  #ownerDied: boolean;
  /** Whether the word says no more than our id. */
  #plain: boolean;
  /** Whether a wait for a condition has let the mutex go, and gets it back. */
  #suspended = false;
  /** Ends the wait for that, when it has begun. */
  #cancelResume: ((reason: unknown) => void) | undefined;

  /** @ignore Made by locking. */
  constructor(state: MutexState, membership: Membership, ownerDied: boolean) {
    this.#state = state;
    this.#membership = membership;
    this.#ownerDied = ownerDied;
    this.#plain = !ownerDied;
    state.guard = this;
    membership.held++;
  }

  /**
   * Whether somebody died while holding the mutex, and nobody had called {@linkcode markConsistent}
   * since when it was locked: what it guards may be half changed. The wait for a condition locks anew.
   */
  get ownerDied(): boolean {
    return this.#ownerDied;
  }

  /** Whether it still holds the mutex. */
  get held(): boolean {
    return this.#state.guard === this;
  }

  /**
   * Says that what the mutex guards is right again, after {@linkcode ownerDied}. Who locks it next is
   * not told of the death any more.
   *
   * @throws {ShmError} `ERR_SHM_LOCK_LOST` when the mutex is not held by this guard.
   */
  markConsistent(): void {
    const { participant, index } = this.#state;
    if (!this.held || !markConsistent(participant, index)) {
      throw this.#membership.lostError("mark consistent", "mutex");
    }
    this.#plain = true;
  }

  /**
   * Releases the mutex, and wakes one who waits. Never blocks. Idempotent. A wait for a condition that
   * is under way with this guard does not lock again, and fails with `ERR_SHM_LOCK_LOST`.
   *
   * @throws {ShmError} `ERR_SHM_LOCK_LOST` when something has been written over the mutex, so that it may
   * be somebody else's: nothing is changed then.
   */
  release(): void {
    const state = this.#state;
    if (state.guard !== this) return this.#callOff();
    if (this.#membership.closed) throw this.#membership.closedError("release");
    this.#membership.held--;
    this.#unlock();
    if (state.line.size > 0) lookInLine(state.line);
  }

  /** As {@linkcode release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** @ignore For conditions. */
  "~suspend"(blocking: boolean): void {
    const { line } = this.#state;
    try {
      this.#unlock();
    } catch (error) {
      this.#membership.held--;
      throw error;
    }
    this.#suspended = true;
    if (!blocking && line.size > 0) lookInLine(line);
  }

  /** @ignore For conditions. */
  "~resume"(): void {
    const state = this.#state;
    const attempt = new MutexAttempt(state);
    waitPlainly(state.participant, attempt, Infinity);
    this.#resume(attempt.ownerDied);
  }

  /** @ignore For conditions. */
  async "~resumeAsync"(): Promise<void> {
    if (!this.#suspended) throw this.#releasedError();
    const state = this.#state;
    const { participant, words, index, id, line } = state;
    if (line.size === 0 && Atomics.compareExchange(words, index, 0, id) === 0) {
      return this.#resume(false);
    }
    const attempt = new MutexAttempt(state);
    const { cancellations } = this.#membership;
    const handOut = (cancel: (reason: unknown) => void) => {
      this.#cancelResume = cancel;
    };
    const limits = { timeoutMs: Infinity, signal: undefined, cancellations, handOut };
    const take = () => {
      this.#resume(attempt.ownerDied);
      return this;
    };
    await waitInLine(participant, line, index, attempt, limits, take);
  }

  #unlock(): void {
    const state = this.#state;
    const { words, index, id } = state;
    state.guard = undefined;
    if (this.#plain && Atomics.compareExchange(words, index, id, 0) === id) return;
    if (!unlockWord(state.participant, index)) throw this.#membership.lostError("release", "mutex");
  }

  #resume(ownerDied: boolean): void {
    this.#ownerDied = ownerDied;
    this.#plain = !ownerDied;
    this.#suspended = false;
    this.#cancelResume = undefined;
    this.#state.guard = this;
  }

  /** It is released before it was resumed: nobody would release it after that. */
  #callOff(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.#membership.held--;
    this.#cancelResume?.(this.#releasedError());
  }

  #releasedError(): ShmError {
    return this.#membership.lostError("wait with", "mutex", RELEASED);
  }
}

/**
 * A lock that one holds at a time, of all threads and processes on the machine; and which survives
 * its owner's death: see `SharedMutex`, which is one with a name. This is the field of a shared object.
 */
export class Mutex {
  readonly #sync: Synchroniser;
  #state: MutexState | undefined;
  #entered: Membership | undefined;

  /** @ignore Made by fields, and by the functions that open named ones. */
  constructor(home: Home) {
    this.#sync = new Synchroniser(home);
  }

  /**
   * Locks, and **blocks the thread** until it can.
   *
   * @param options `timeout` in milliseconds; `Infinity` by default.
   * @returns A guard, to be released: best with `using`.
   * @throws {DOMException} `TimeoutError` when the time is over: nothing is locked then.
   * @throws {ShmError} `EDEADLK` when this thread holds it; `ERR_SHM_CLOSED`; `ERR_SHM_FULL` when too
   * many threads synchronise on the object.
   */
  lock(options?: WaitOptions): MutexGuard {
    const membership = this.#entered;
    const state = this.#state;
    if (
      options === undefined && membership !== undefined && !membership.closed &&
      state !== undefined && state.guard === undefined &&
      Atomics.compareExchange(state.words, state.index, 0, state.id) === 0
    ) {
      return new MutexGuard(state, membership, false);
    }
    return this.#lockSlowly(options);
  }

  /**
   * Locks if that is possible at once. Never blocks.
   *
   * @returns A guard, or null when somebody else, or this thread, holds it.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  tryLock(): MutexGuard | null {
    const membership = this.#enter("lock");
    const state = this.#state as MutexState;
    if (state.guard !== undefined) return null;
    if (Atomics.compareExchange(state.words, state.index, 0, state.id) === 0) {
      return new MutexGuard(state, membership, false);
    }
    const result = tryLockWord(state.participant, state.index);
    return result === "busy" ? null : new MutexGuard(state, membership, result === "ownerDied");
  }

  /**
   * Locks, without blocking the event loop. Callers in one thread are served in order. While it is
   * pending the process stays alive.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise of a guard; rejected with a `TimeoutError`, with `signal.reason`, or with
   * `ERR_SHM_CLOSED` when the handle is closed.
   */
  async lockAsync(options: AsyncWaitOptions = {}): Promise<MutexGuard> {
    const checked = this.#sync.checkAwait("lock", options);
    const membership = this.#enter("lock");
    const state = this.#state as MutexState;
    const { words, index, id } = state;
    if (state.line.size === 0 && Atomics.compareExchange(words, index, 0, id) === 0) {
      return new MutexGuard(state, membership, false);
    }
    if (checked.timeoutMs === 0) return this.#lockAtOnce();
    const attempt = new MutexAttempt(state);
    const take = () => new MutexGuard(state, membership, attempt.ownerDied);
    return await this.#sync.await("lock", state.line, attempt, checked, take);
  }

  /**
   * Calls a function while the mutex is held, as {@linkcode lock} gets it; it is released when the
   * function returns or throws. The function is called after the death of an owner as well: where half a
   * change would matter, it has to look at the guard's `ownerDied`.
   *
   * @param fn Gets the guard. It must not return a promise: use {@linkcode withLockAsync}.
   * @returns What the function returned.
   */
  withLock<T>(fn: (guard: MutexGuard) => NotPromise<T>, options?: WaitOptions): T {
    checkFunction(this.#sync, "lock", fn);
    const guard = this.lock(options);
    try {
      return notPromise(this.#sync, "lock", "withLockAsync", fn(guard));
    } finally {
      guard.release();
    }
  }

  /**
   * As {@linkcode withLock}, for an asynchronous function, and without blocking the event loop.
   */
  async withLockAsync<T>(
    fn: (guard: MutexGuard) => T | PromiseLike<T>,
    options: AsyncWaitOptions = {},
  ): Promise<T> {
    checkFunction(this.#sync, "lock", fn);
    const guard = await this.lockAsync(options);
    try {
      return await fn(guard);
    } finally {
      guard.release();
    }
  }

  #lockSlowly(options: WaitOptions = {}): MutexGuard {
    const checked = this.#sync.checkWait("lock", options);
    const membership = this.#enter("lock");
    const state = this.#state as MutexState;
    if (state.guard !== undefined) throw this.#deadlock();
    if (checked.timeoutMs === 0) return this.#lockAtOnce();
    const attempt = new MutexAttempt(state);
    this.#sync.wait("lock", attempt, checked);
    return new MutexGuard(state, membership, attempt.ownerDied);
  }

  #lockAtOnce(): MutexGuard {
    const guard = this.tryLock();
    if (guard === null) throw timeoutError(this.#sync.action("lock"), 0);
    return guard;
  }

  #enter(verb: string): Membership {
    const membership = this.#sync.enter(verb);
    if (membership === this.#entered) return membership;
    this.#state = this.#sync.stateOf(
      membership,
      (participant, index) => new MutexState(participant, index),
    );
    return this.#entered = membership;
  }

  #deadlock(): ShmError {
    return stateError(
      this.#sync.action("lock"),
      "EDEADLK",
      "this thread holds it, and would wait for itself",
      "Release the guard first; lockAsync() queues, but comes only when that has been released.",
    );
  }
}
