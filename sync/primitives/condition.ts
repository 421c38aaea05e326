/**
 * @module
 */

import { misuse, type ShmError, stateError, timeoutError } from "../../errors.ts";
import { type AsyncWaitOptions, checkInteger, type WaitOptions } from "../../memory/options.ts";
import { isThenable } from "./callbacks.ts";
import type { Membership } from "../participants/membership.ts";
import { NotificationAttempt, notify, notifyAll } from "../protocols/condition.ts";
import { isReleasable, type ReleasableGuard, RELEASED } from "./suspension.ts";
import { type CheckedWait, type Home, Synchroniser } from "./synchroniser.ts";
import { type Crowd, inCrowd, lookInCrowd } from "../waiting/crowd.ts";
import { waitInLine } from "../waiting/event_loop.ts";

const VERB = "wait for";
const GUARD_RULE = "the guard must be that of a mutex, or the exclusive one of a read-write lock";

/**
 * Lets those who hold a mutex wait until others have changed what it guards: see `SharedCondition`,
 * which is one with a name. This is the field of a shared object.
 *
 * Waits take a predicate, and end when it is true. It is looked at after each notification, and every
 * 50 ms besides: whoever changed the data may have died before it could notify.
 *
 * @example Waiting for an item
 * ```ts
 * import { SharedObject, t } from "@shmkit/shmkit";
 *
 * const Box = t.struct("Box", { lock: t.mutex, filled: t.condition, item: t.u32 });
 * using box = SharedObject.create("doc-box", Box, {}, { lifetime: "creator" });
 * const { lock, filled } = box.value;
 *
 * const taking = lock.withLockAsync(async (guard) => {
 *   await filled.waitAsync(guard, () => box.value.item !== 0, { timeout: 1000 });
 *   return box.value.item;
 * });
 * await lock.withLockAsync(() => { // any other process does it like this
 *   box.value.item = 42;
 *   filled.notify();
 * });
 * console.log(await taking); // 42
 * ```
 */
export class Condition {
  readonly #sync: Synchroniser;
  #crowd: Crowd | undefined;
  #entered: Membership | undefined;

  /** @ignore Made by fields, and by the functions that open named ones. */
  constructor(home: Home) {
    this.#sync = new Synchroniser(home);
  }

  /**
   * Waits until a predicate is true, and **blocks the thread** until then. The lock is released
   * meanwhile.
   *
   * However it ends, the guard holds its lock again: so it may take longer than the time-out, for as
   * long as others hold the lock. After that its `ownerDied` tells of the deaths until now, of which
   * the predicate learns as well.
   *
   * @param guard That of the mutex that guards the data, or the exclusive one of a read-write lock. It may
   * be in another object.
   * @param predicate Says whether there is nothing to wait for; called with the guard, while it holds.
   * It must neither release it nor return a promise. What it throws ends the wait.
   * @param options `timeout` in milliseconds; `Infinity` by default. With 0 the predicate is called once.
   * @throws {DOMException} `TimeoutError` when the time is over and the predicate is still false.
   * @throws {ShmError} `ERR_SHM_LOCK_LOST` when the guard does not hold its lock; `ERR_SHM_CLOSED`;
   * `ERR_SHM_FULL` when too many threads synchronise on the object.
   */
  wait<G extends ReleasableGuard>(
    guard: G,
    predicate: (guard: G) => boolean,
    options: WaitOptions = {},
  ): void {
    const { timeoutMs } = this.#sync.checkWait(VERB, options);
    const membership = this.#begin(guard, predicate);
    const startMs = performance.now();
    while (!this.#isMet(guard, predicate)) {
      const leftMs = timeoutMs - (performance.now() - startMs);
      if (leftMs <= 0) throw timeoutError(this.#sync.action(VERB), timeoutMs);
      this.#pause(membership, guard, leftMs);
    }
  }

  /**
   * Waits as {@linkcode wait} does, without blocking the event loop. While it is pending the process stays
   * alive, and the handle of the mutex cannot be closed.
   *
   * @param guard That of the mutex that guards the data. It holds again when the promise is settled,
   * unless it was released before: then it never does, and the wait fails with `ERR_SHM_LOCK_LOST`.
   * @param predicate As for {@linkcode wait}.
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise; rejected with a `TimeoutError`, with `signal.reason`, or with `ERR_SHM_CLOSED`
   * when the handle is closed.
   */
  async waitAsync<G extends ReleasableGuard>(
    guard: G,
    predicate: (guard: G) => boolean,
    options: AsyncWaitOptions = {},
  ): Promise<void> {
    const { timeoutMs, signal } = this.#sync.checkAwait(VERB, options);
    const membership = this.#begin(guard, predicate);
    const startMs = performance.now();
    while (!this.#isMet(guard, predicate)) {
      signal?.throwIfAborted();
      if (membership.closed) throw membership.closedError(VERB);
      const leftMs = timeoutMs - (performance.now() - startMs);
      if (leftMs <= 0) throw timeoutError(this.#sync.action(VERB), timeoutMs);
      await this.#pauseAsync(membership, guard, { timeoutMs: leftMs, signal });
    }
  }

  /**
   * Has some of those who wait look at their predicates now. Never blocks. Whoever has changed the data
   * calls it, best before it releases the lock, or right after that.
   *
   * It is not remembered: who begins to wait later looks at the data first. When not all wait for the
   * same, use {@linkcode notifyAll}: whoever looks may find nothing for itself.
   *
   * @param count How many at least, if there are as many: an integer from 0 to 2^31 - 1, 1 by default.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  notify(count: number = 1): void {
    checkInteger(this.#sync.action("notify"), "count", count, 0, 0x7fff_ffff, "2^31 - 1");
    const { participant } = this.#enter("notify");
    notify(participant, this.#sync.index, count);
    lookInCrowd(this.#crowd as Crowd);
  }

  /**
   * Has all who wait look at their predicates now. Never blocks.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  notifyAll(): void {
    const { participant } = this.#enter("notify");
    notifyAll(participant, this.#sync.index);
    lookInCrowd(this.#crowd as Crowd);
  }

  #begin(guard: unknown, predicate: unknown): Membership {
    const action = this.#sync.action(VERB);
    if (!isReleasable(guard)) {
      throw new TypeError(misuse(action, GUARD_RULE, guard));
    }
    if (typeof predicate !== "function") {
      throw new TypeError(misuse(action, "the predicate must be a function", predicate));
    }
    if (guard.held) return this.#enter(VERB);
    throw stateError(
      action,
      "ERR_SHM_LOCK_LOST",
      "the guard does not hold its lock",
      "Lock it, and wait before it is released.",
    );
  }

  #isMet<G extends ReleasableGuard>(guard: G, predicate: (guard: G) => boolean): boolean {
    if (!guard.held) throw this.#lostError(RELEASED);
    const met = predicate(guard);
    if (isThenable(met)) {
      throw new TypeError(
        misuse(this.#sync.action(VERB), "the predicate must not return a promise", met),
      );
    }
    if (guard.held) return met;
    throw this.#lostError("the predicate has released the guard");
  }

  #lostError(reason: string): ShmError {
    const action = this.#sync.action(VERB);
    return stateError(action, "ERR_SHM_LOCK_LOST", reason, "Release it after the wait.");
  }

  /** One sleep without the lock. Whatever ends it, the predicate is called next. */
  #pause({ participant }: Membership, guard: ReleasableGuard, leftMs: number): void {
    const attempt = new NotificationAttempt(participant, this.#sync.index);
    guard["~suspend"](true);
    try {
      const sleepMs = Math.min(attempt.sleepMs, leftMs);
      participant.sleep(attempt.sleepIndex, attempt.sleepValue, sleepMs);
    } finally {
      guard["~resume"]();
    }
  }

  async #pauseAsync(
    { participant, cancellations }: Membership,
    guard: ReleasableGuard,
    { timeoutMs, signal }: CheckedWait,
  ): Promise<void> {
    const attempt = new NotificationAttempt(participant, this.#sync.index);
    guard["~suspend"](false);
    try {
      const limits = { timeoutMs, signal, cancellations };
      const take = () => attempt;
      await inCrowd(
        this.#crowd as Crowd,
        (line) => waitInLine(participant, line, this.#sync.index, attempt, limits, take),
      );
    } finally {
      await guard["~resumeAsync"]();
    }
  }

  #enter(verb: string): Membership {
    const membership = this.#sync.enter(verb);
    if (membership === this.#entered) return membership;
    this.#crowd = this.#sync.stateOf(membership, (): Crowd => new Set());
    return this.#entered = membership;
  }
}
