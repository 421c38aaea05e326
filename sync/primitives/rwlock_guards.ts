/**
 * @module
 */

import type { ShmError } from "../../errors.ts";
import type { Membership } from "../participants/membership.ts";
import type { Participant } from "../participants/participant.ts";
import { markConsistent } from "../protocols/lock_word.ts";
import { ExclusiveAttempt, RwLockPart } from "../protocols/rwlock.ts";
import { type ReleasableGuard, RELEASED } from "./suspension.ts";
import { type Line, lookInLine, waitInLine } from "../waiting/event_loop.ts";
import { waitPlainly } from "../waiting/plain.ts";

/** A read-write lock as this thread sees it: one for all handles. */
export class RwLockState {
  readonly part: RwLockPart;
  /** The guard that holds it exclusively in this thread. */
  exclusive: ExclusiveGuard | undefined = undefined;
  /** Those of this thread who await it, of both sorts. */
  readonly line: Line = new Set();

  constructor(participant: Participant, index: number, rowOffset: number) {
    this.part = new RwLockPart(participant, index, rowOffset);
  }
}

/**
 * A shared lock. Disposing of it releases it: best with `using`.
 *
 * Who has the lock is the guard, and not the thread: it may be released by whoever has it.
 */
export class SharedGuard implements Disposable {
  /**
   * Whether somebody died while holding the lock exclusively, and nobody has called
   * {@linkcode ExclusiveGuard.markConsistent} since: what it guards may be half changed. Only who
   * holds it exclusively can put that right.
   */
  readonly ownerDied: boolean;
  readonly #state: RwLockState;
  readonly #membership: Membership;
  #held = true;

  /** @ignore Made by locking. */
  constructor(state: RwLockState, membership: Membership, ownerDied: boolean) {
    this.ownerDied = ownerDied;
    this.#state = state;
    this.#membership = membership;
    membership.held++;
  }

  /** Whether it still has the lock. */
  get held(): boolean {
    return this.#held;
  }

  /**
   * Releases the lock, and wakes a writer that waits for this. Never blocks. Idempotent.
   *
   * @throws {ShmError} `ERR_SHM_LOCK_LOST` when something has been written over the note that it is
   * held, so that a writer may have come in between. It is released all the same.
   */
  release(): void {
    if (!this.#held) return;
    if (this.#membership.closed) throw this.#membership.closedError("release");
    this.#held = false;
    this.#membership.held--;
    const { part, line } = this.#state;
    const wasOurs = part.unshare();
    if (line.size > 0) lookInLine(line);
    if (!wasOurs) throw this.#membership.lostError("release", "read-write lock");
  }

  /** As {@linkcode release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * An exclusive lock. Disposing of it releases it: best with `using`.
 *
 * Who has the lock is the guard, and not the thread: it may be released by whoever has it.
 */
export class ExclusiveGuard implements Disposable, ReleasableGuard {
  readonly #state: RwLockState;
  readonly #membership: Membership;
  #ownerDied: boolean;
  /** Whether a wait for a condition has let the lock go, and gets it back. */
  #suspended = false;
  /** Ends the wait for that, when it has begun. */
  #cancelResume: ((reason: unknown) => void) | undefined;

  /** @ignore Made by locking. */
  constructor(state: RwLockState, membership: Membership, ownerDied: boolean) {
    this.#ownerDied = ownerDied;
    this.#state = state;
    this.#membership = membership;
    state.exclusive = this;
    membership.held++;
  }

  /**
   * Whether somebody died while holding the lock exclusively, and nobody has called
   * {@linkcode markConsistent} since: what it guards may be half changed.
   */
  get ownerDied(): boolean {
    return this.#ownerDied;
  }

  /** Whether it still has the lock. */
  get held(): boolean {
    return this.#state.exclusive === this;
  }

  /**
   * Says that what the lock guards is right again, after {@linkcode ownerDied}. Who locks it next, in
   * either way, is not told of the death any more.
   *
   * @throws {ShmError} `ERR_SHM_LOCK_LOST` when the lock is not held by this guard.
   */
  markConsistent(): void {
    const { place, index } = this.#state.part;
    if (!this.held || !markConsistent(place, index)) {
      throw this.#membership.lostError("mark consistent", "read-write lock");
    }
  }

  /**
   * Releases the lock, and wakes all who wait. Never blocks. Idempotent. A wait for a condition that is
   * under way with this guard does not lock again, and fails with `ERR_SHM_LOCK_LOST`.
   *
   * @throws {ShmError} `ERR_SHM_LOCK_LOST` when something has been written over the lock, so that it may
   * be somebody else's: that one's is not released.
   */
  release(): void {
    const state = this.#state;
    if (state.exclusive !== this) return this.#callOff();
    if (this.#membership.closed) throw this.#membership.closedError("release");
    state.exclusive = undefined;
    this.#membership.held--;
    const wasOurs = state.part.unlockExclusive();
    if (state.line.size > 0) lookInLine(state.line);
    if (!wasOurs) throw this.#membership.lostError("release", "read-write lock");
  }

  /** As {@linkcode release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** @ignore For conditions. */
  "~suspend"(blocking: boolean): void {
    const state = this.#state;
    state.exclusive = undefined;
    if (!state.part.unlockExclusive()) {
      this.#membership.held--;
      throw this.#membership.lostError("release", "read-write lock");
    }
    this.#suspended = true;
    if (!blocking && state.line.size > 0) lookInLine(state.line);
  }

  /** @ignore For conditions. */
  "~resume"(): void {
    const attempt = new ExclusiveAttempt(this.#state.part);
    waitPlainly(this.#membership.participant, attempt, Infinity);
    this.#resume(attempt.ownerDied);
  }

  /** @ignore For conditions. */
  async "~resumeAsync"(): Promise<void> {
    if (!this.#suspended) throw this.#releasedError();
    const { part, line } = this.#state;
    const { participant, cancellations } = this.#membership;
    const attempt = new ExclusiveAttempt(part);
    const handOut = (cancel: (reason: unknown) => void) => {
      this.#cancelResume = cancel;
    };
    const limits = { timeoutMs: Infinity, signal: undefined, cancellations, handOut };
    const take = () => {
      this.#resume(attempt.ownerDied);
      return this;
    };
    await waitInLine(participant, line, part.index, attempt, limits, take);
  }

  #resume(ownerDied: boolean): void {
    this.#ownerDied = ownerDied;
    this.#suspended = false;
    this.#cancelResume = undefined;
    this.#state.exclusive = this;
  }

  /** It is released before it was resumed: nobody would release it after that. */
  #callOff(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.#membership.held--;
    this.#cancelResume?.(this.#releasedError());
  }

  #releasedError(): ShmError {
    return this.#membership.lostError("wait with", "read-write lock", RELEASED);
  }
}
