/**
 * @module
 */

import { type ShmError, stateError, timeoutError } from "../../errors.ts";
import type { AsyncWaitOptions, WaitOptions } from "../../memory/options.ts";
import { checkFunction, type NotPromise, notPromise } from "./callbacks.ts";
import type { Membership } from "../participants/membership.ts";
import { ExclusiveAttempt, SharedAttempt, tryExclude, tryShare } from "../protocols/rwlock.ts";
import { ExclusiveGuard, RwLockState, SharedGuard } from "./rwlock_guards.ts";
import { type Home, Synchroniser } from "./synchroniser.ts";

/**
 * A read-write lock: any number of readers share it, or one writer has it exclusively, of all
 * threads and processes on the machine. It survives the death of whoever holds it: that of a reader
 * is no matter, and that of a writer is told. This is the field of a shared object, `t.rwlock`.
 *
 * A writer that waits keeps new readers out, and a reader that has waited for 100 ms comes next: neither
 * starves the other. A thread that has a shared lock gets more of them at once from the plain verbs,
 * or it would wait for itself; but no shared lock becomes an exclusive one.
 *
 * Writing costs more than a mutex does, since each participant of the object is looked at, and
 * shared locks gain only while several read at the same time for longer than it takes to lock. For a few
 * words, take a mutex.
 */
export class RwLock {
  readonly #sync: Synchroniser;
  #state: RwLockState | undefined;
  #entered: Membership | undefined;

  /** @ignore Made by fields, and by the functions that open named ones. */
  constructor(home: Home) {
    this.#sync = new Synchroniser(home);
  }

  /**
   * Locks for reading, and **blocks the thread** until it can. Others may have shared locks too; nobody
   * has an exclusive one.
   *
   * @param options `timeout` in milliseconds; `Infinity` by default.
   * @returns A guard, to be released: best with `using`.
   * @throws {DOMException} `TimeoutError` when the time is over: nothing is locked then.
   * @throws {ShmError} `EDEADLK` when this thread holds it exclusively; `ERR_SHM_CLOSED`;
   * `ERR_SHM_FULL` when too many threads synchronise on the object.
   */
  lockShared(options?: WaitOptions): SharedGuard {
    const membership = this.#entered;
    const state = this.#state;
    if (
      options === undefined && membership !== undefined && !membership.closed &&
      state !== undefined && state.part.shareIfQuiet()
    ) {
      return new SharedGuard(state, membership, false);
    }
    return this.#shareSlowly(options);
  }

  /**
   * Locks for reading if that is possible at once. Never blocks.
   *
   * @returns A guard, or null when somebody else, or this thread, has it exclusively or waits for the
   * last readers to leave.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  tryLockShared(): SharedGuard | null {
    const membership = this.#enter("share");
    const state = this.#state as RwLockState;
    const result = tryShare(state.part);
    return result === "busy" ? null : new SharedGuard(state, membership, result === "ownerDied");
  }

  /**
   * Locks for reading, without blocking the event loop. Callers in one thread are served in order, with
   * those of {@linkcode lockExclusiveAsync}. While it is pending the process stays alive.
   *
   * Unlike the plain verbs it does not pass by a writer that waits, even if this thread has a shared
   * lock already: to await a second one while holding the first may be to wait for oneself.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise of a guard; rejected with a `TimeoutError`, with `signal.reason`, or with
   * `ERR_SHM_CLOSED` when the handle is closed.
   */
  async lockSharedAsync(options: AsyncWaitOptions = {}): Promise<SharedGuard> {
    const checked = this.#sync.checkAwait("share", options);
    const membership = this.#enter("share");
    const state = this.#state as RwLockState;
    const { part, line } = state;
    if (line.size === 0 && part.shareIfQuiet()) return new SharedGuard(state, membership, false);
    if (checked.timeoutMs === 0) return this.#shareAtOnce();
    const attempt = new SharedAttempt(part);
    const take = () => new SharedGuard(state, membership, attempt.ownerDied);
    return await this.#sync.await("share", line, attempt, checked, take);
  }

  /**
   * Calls a function with a shared lock, as {@linkcode lockShared} gets it; it is released when the
   * function returns or throws.
   *
   * @param fn Gets the guard. It must not return a promise: use {@linkcode withSharedAsync}.
   * @returns What the function returned.
   */
  withShared<T>(fn: (guard: SharedGuard) => NotPromise<T>, options?: WaitOptions): T {
    checkFunction(this.#sync, "share", fn);
    const guard = this.lockShared(options);
    try {
      return notPromise(this.#sync, "share", "withSharedAsync", fn(guard));
    } finally {
      guard.release();
    }
  }

  /** As {@linkcode withShared}, for an asynchronous function, and without blocking the event loop. */
  async withSharedAsync<T>(
    fn: (guard: SharedGuard) => T | PromiseLike<T>,
    options: AsyncWaitOptions = {},
  ): Promise<T> {
    checkFunction(this.#sync, "share", fn);
    const guard = await this.lockSharedAsync(options);
    try {
      return await fn(guard);
    } finally {
      guard.release();
    }
  }

  /**
   * Locks for writing, and **blocks the thread** until it can. Nobody else has any lock then.
   *
   * @param options `timeout` in milliseconds; `Infinity` by default.
   * @returns A guard, to be released: best with `using`.
   * @throws {DOMException} `TimeoutError` when the time is over: nothing is locked then.
   * @throws {ShmError} `EDEADLK` when this thread holds it, in either way; `ERR_SHM_CLOSED`;
   * `ERR_SHM_FULL` when too many threads synchronise on the object.
   */
  lockExclusive(options?: WaitOptions): ExclusiveGuard {
    const membership = this.#entered;
    const state = this.#state;
    if (
      options === undefined && membership !== undefined && !membership.closed &&
      state !== undefined && state.part.excludeIfQuiet()
    ) {
      return new ExclusiveGuard(state, membership, false);
    }
    return this.#excludeSlowly(options);
  }

  /**
   * Locks for writing if that is possible at once. Never blocks.
   *
   * @returns A guard, or null when somebody else, or this thread, holds it in either way.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  tryLockExclusive(): ExclusiveGuard | null {
    const membership = this.#enter("lock");
    const state = this.#state as RwLockState;
    const result = tryExclude(state.part);
    return result === "busy" ? null : new ExclusiveGuard(state, membership, result === "ownerDied");
  }

  /**
   * Locks for writing, without blocking the event loop. Callers in one thread are served in order, with
   * those of {@linkcode lockSharedAsync}. While it is pending the process stays alive.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise of a guard; rejected with a `TimeoutError`, with `signal.reason`, or with
   * `ERR_SHM_CLOSED` when the handle is closed.
   */
  async lockExclusiveAsync(options: AsyncWaitOptions = {}): Promise<ExclusiveGuard> {
    const checked = this.#sync.checkAwait("lock", options);
    const membership = this.#enter("lock");
    const state = this.#state as RwLockState;
    const { part, line } = state;
    if (checked.timeoutMs === 0) return this.#excludeAtOnce();
    if (line.size === 0 && part.excludeIfQuiet()) {
      return new ExclusiveGuard(state, membership, false);
    }
    const attempt = new ExclusiveAttempt(part);
    const take = () => new ExclusiveGuard(state, membership, attempt.ownerDied);
    return await this.#sync.await("lock", line, attempt, checked, take);
  }

  /**
   * Calls a function with the exclusive lock, as {@linkcode lockExclusive} gets it; it is released when
   * the function returns or throws.
   *
   * @param fn Gets the guard. It must not return a promise: use {@linkcode withExclusiveAsync}.
   * @returns What the function returned.
   */
  withExclusive<T>(fn: (guard: ExclusiveGuard) => NotPromise<T>, options?: WaitOptions): T {
    checkFunction(this.#sync, "lock", fn);
    const guard = this.lockExclusive(options);
    try {
      return notPromise(this.#sync, "lock", "withExclusiveAsync", fn(guard));
    } finally {
      guard.release();
    }
  }

  /** As {@linkcode withExclusive}, for an asynchronous function, and without blocking the event loop. */
  async withExclusiveAsync<T>(
    fn: (guard: ExclusiveGuard) => T | PromiseLike<T>,
    options: AsyncWaitOptions = {},
  ): Promise<T> {
    checkFunction(this.#sync, "lock", fn);
    const guard = await this.lockExclusiveAsync(options);
    try {
      return await fn(guard);
    } finally {
      guard.release();
    }
  }

  #shareSlowly(options: WaitOptions = {}): SharedGuard {
    const checked = this.#sync.checkWait("share", options);
    const membership = this.#enter("share");
    const state = this.#state as RwLockState;
    if (state.exclusive !== undefined) throw this.#deadlock("share", "holds it exclusively");
    // It has one already: it would wait for itself if it waited for a writer.
    if (checked.timeoutMs === 0 || state.part.readers > 0) return this.#shareAtOnce();
    const attempt = new SharedAttempt(state.part);
    this.#sync.wait("share", attempt, checked);
    return new SharedGuard(state, membership, attempt.ownerDied);
  }

  #excludeSlowly(options: WaitOptions = {}): ExclusiveGuard {
    const checked = this.#sync.checkWait("lock", options);
    const membership = this.#enter("lock");
    const state = this.#state as RwLockState;
    if (state.exclusive !== undefined) throw this.#deadlock("lock", "holds it");
    if (state.part.readers > 0) {
      const rule = "a shared lock cannot become an exclusive one";
      throw this.#deadlock("lock", "shares it", rule);
    }
    if (checked.timeoutMs === 0) return this.#excludeAtOnce();
    const attempt = new ExclusiveAttempt(state.part);
    this.#sync.wait("lock", attempt, checked);
    return new ExclusiveGuard(state, membership, attempt.ownerDied);
  }

  #shareAtOnce(): SharedGuard {
    const guard = this.tryLockShared();
    if (guard === null) throw timeoutError(this.#sync.action("share"), 0);
    return guard;
  }

  #excludeAtOnce(): ExclusiveGuard {
    const guard = this.tryLockExclusive();
    if (guard === null) throw timeoutError(this.#sync.action("lock"), 0);
    return guard;
  }

  #enter(verb: string): Membership {
    const membership = this.#sync.enter(verb);
    if (membership === this.#entered) return membership;
    this.#state = this.#sync.stateOf(
      membership,
      (participant, index) => new RwLockState(participant, index, this.#sync.rowOffset),
    );
    return this.#entered = membership;
  }

  #deadlock(verb: string, how: string, rule?: string): ShmError {
    return stateError(
      this.#sync.action(verb),
      "EDEADLK",
      `this thread ${how}, and would wait for itself${rule === undefined ? "" : `: ${rule}`}`,
      "Release the guard first; the verb with Async queues, but comes only when that has been released.",
    );
  }
}
