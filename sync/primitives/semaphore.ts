/**
 * @module
 */

import { type ShmError, stateError, timeoutError } from "../../errors.ts";
import type { AsyncWaitOptions, WaitOptions } from "../../memory/options.ts";
import { checkFunction, type NotPromise, notPromise } from "./callbacks.ts";
import type { Membership } from "../participants/membership.ts";
import { PermitAttempt, Permits, tryPermit } from "../protocols/semaphore.ts";
import { type Home, Synchroniser } from "./synchroniser.ts";
import { type Line, lookInLine } from "../waiting/event_loop.ts";

/** A semaphore as this thread sees it: one for all handles. */
class SemaphoreState {
  readonly permits: Permits;
  /** Those of this thread who await a permit. */
  readonly line: Line = new Set();

  constructor(permits: Permits) {
    this.permits = permits;
  }
}

/**
 * One permit of a semaphore, taken. Disposing of it gives it back: best with `using`.
 *
 * Who owns it is this object, and not the thread: it may be released by whoever has it.
 */
export class Permit implements Disposable {
  readonly #state: SemaphoreState;
  readonly #membership: Membership;
  readonly #number: number;
  #held = true;

  /** @ignore Made by acquiring. */
  constructor(state: SemaphoreState, membership: Membership, number: number) {
    this.#state = state;
    this.#membership = membership;
    this.#number = number;
    membership.held++;
  }

  /** Whether it has not been released yet. */
  get held(): boolean {
    return this.#held;
  }

  /**
   * Gives the permit back, and wakes one who waits for it. Never blocks. Idempotent.
   *
   * @throws {ShmError} `ERR_SHM_LOCK_LOST` when something has been written over it, so that it may be
   * somebody else's: nothing is changed then.
   */
  release(): void {
    if (!this.#held) return;
    if (this.#membership.closed) throw this.#membership.closedError("release");
    this.#held = false;
    this.#membership.held--;
    const { permits, line } = this.#state;
    if (!permits.release(this.#number)) {
      throw this.#membership.lostError("release", "permit", "it is not this thread's any more");
    }
    if (line.size > 0) lookInLine(line);
  }

  /** As {@linkcode release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * So many permits, each of which one holds at a time, of all threads and processes on the machine. A
 * permit is owned: only its holder gives it back, and when the holder dies, whatever it dies of, the
 * permit is free again. This is the field of a shared object.
 *
 * `NamedSemaphore` is the one that any process, in any language, may post; and which loses what the
 * dead had.
 *
 * @example At most four at a time
 * ```ts
 * import { SharedObject, t } from "@shmkit/shmkit";
 *
 * const Pool = t.struct("Pool", { slots: t.semaphore(4) });
 * using pool = SharedObject.create("doc-pool", Pool, {}, { lifetime: "creator" });
 *
 * {
 *   using _permit = pool.value.slots.acquire();
 *   console.log(pool.value.slots.available, "of", pool.value.slots.permits); // 3 of 4
 * }
 * await pool.value.slots.withPermitAsync(() => fetch("data:,one"), { timeout: 1000 });
 * ```
 */
export class Semaphore {
  readonly #sync: Synchroniser;
  readonly #permits: number;
  #state: SemaphoreState | undefined;
  #entered: Membership | undefined;

  /** @ignore Made by fields. */
  constructor(home: Home, permits: number) {
    this.#sync = new Synchroniser(home);
    this.#permits = permits;
  }

  /** How many there are, free or not: as the layout says. */
  get permits(): number {
    return this.#permits;
  }

  /**
   * How many could be acquired at this moment. It may be another number when you read it: to get one
   * if there is one, use {@linkcode tryAcquire}.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  get available(): number {
    this.#enter("look at");
    return (this.#state as SemaphoreState).permits.countAvailable();
  }

  /**
   * Acquires a permit, and **blocks the thread** until there is one.
   *
   * @param options `timeout` in milliseconds; `Infinity` by default.
   * @returns The permit, to be released: best with `using`.
   * @throws {DOMException} `TimeoutError` when the time is over: nothing is acquired then.
   * @throws {ShmError} `EDEADLK` when this thread holds all of them; `ERR_SHM_CLOSED`;
   * `ERR_SHM_FULL` when too many threads synchronise on the object.
   */
  acquire(options?: WaitOptions): Permit {
    const membership = this.#entered;
    if (options === undefined && membership !== undefined && !membership.closed) {
      const state = this.#state as SemaphoreState;
      const permit = state.permits.takeHinted();
      if (permit >= 0) return new Permit(state, membership, permit);
    }
    return this.#acquireSlowly(options);
  }

  /**
   * Acquires a permit if that is possible at once. Never blocks.
   *
   * @returns The permit, or null when there is none.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  tryAcquire(): Permit | null {
    const membership = this.#enter("acquire");
    const state = this.#state as SemaphoreState;
    const permit = tryPermit(state.permits);
    return permit < 0 ? null : new Permit(state, membership, permit);
  }

  /**
   * Acquires a permit, without blocking the event loop. Callers in one thread are served in order.
   * While it is pending the process stays alive.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise of a permit; rejected with a `TimeoutError`, with `signal.reason`, or with
   * `ERR_SHM_CLOSED` when the handle is closed.
   */
  async acquireAsync(options: AsyncWaitOptions = {}): Promise<Permit> {
    const checked = this.#sync.checkAwait("acquire", options);
    const membership = this.#enter("acquire");
    const state = this.#state as SemaphoreState;
    const { permits, line } = state;
    if (line.size === 0) {
      const permit = permits.takeHinted();
      if (permit >= 0) return new Permit(state, membership, permit);
    }
    if (checked.timeoutMs === 0) return this.#acquireAtOnce();
    const attempt = new PermitAttempt(permits);
    const take = () => new Permit(state, membership, attempt.permit);
    return await this.#sync.await("acquire", line, attempt, checked, take);
  }

  /**
   * Calls a function while a permit is held, as {@linkcode acquire} gets it; it is released when the
   * function returns or throws.
   *
   * @param fn Gets the permit. It must not return a promise: use {@linkcode withPermitAsync}.
   * @returns What the function returned.
   */
  withPermit<T>(fn: (permit: Permit) => NotPromise<T>, options?: WaitOptions): T {
    checkFunction(this.#sync, "acquire", fn);
    const permit = this.acquire(options);
    try {
      return notPromise(this.#sync, "acquire", "withPermitAsync", fn(permit));
    } finally {
      permit.release();
    }
  }

  /**
   * As {@linkcode withPermit}, for an asynchronous function, and without blocking the event loop.
   */
  async withPermitAsync<T>(
    fn: (permit: Permit) => T | PromiseLike<T>,
    options: AsyncWaitOptions = {},
  ): Promise<T> {
    checkFunction(this.#sync, "acquire", fn);
    const permit = await this.acquireAsync(options);
    try {
      return await fn(permit);
    } finally {
      permit.release();
    }
  }

  #acquireSlowly(options: WaitOptions = {}): Permit {
    const checked = this.#sync.checkWait("acquire", options);
    const membership = this.#enter("acquire");
    const state = this.#state as SemaphoreState;
    const { permits } = state;
    if (permits.heldCount === permits.count) throw this.#deadlock();
    if (checked.timeoutMs === 0) return this.#acquireAtOnce();
    const attempt = new PermitAttempt(permits);
    this.#sync.wait("acquire", attempt, checked);
    return new Permit(state, membership, attempt.permit);
  }

  #acquireAtOnce(): Permit {
    const permit = this.tryAcquire();
    if (permit === null) throw timeoutError(this.#sync.action("acquire"), 0);
    return permit;
  }

  #enter(verb: string): Membership {
    const membership = this.#sync.enter(verb);
    if (membership === this.#entered) return membership;
    this.#state = this.#sync.stateOf(
      membership,
      (participant, index) => new SemaphoreState(new Permits(participant, index, this.#permits)),
    );
    return this.#entered = membership;
  }

  #deadlock(): ShmError {
    return stateError(
      this.#sync.action("acquire"),
      "EDEADLK",
      this.#permits === 1
        ? "this thread holds its one permit, and would wait for itself"
        : `this thread holds all of its ${this.#permits} permits, and would wait for itself`,
      "Release one first; acquireAsync() queues, but comes only when one has been released.",
    );
  }
}
