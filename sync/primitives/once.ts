/**
 * @module
 */

import { type ShmError, stateError, timeoutError } from "../../errors.ts";
import type { AsyncWaitOptions, WaitOptions } from "../../memory/options.ts";
import { checkFunction, type NotPromise, notPromise } from "./callbacks.ts";
import type { Membership } from "../participants/membership.ts";
import type { Participant } from "../participants/participant.ts";
import type { Pause } from "../protocols/place.ts";
import { failOnce, finishOnce, isDone, OnceAttempt, tryOnce } from "../protocols/once.ts";
import { type CheckedWait, type Home, Synchroniser } from "./synchroniser.ts";
import { type Line, lookInLine } from "../waiting/event_loop.ts";

/** A once as this thread sees it: one for all handles. */
class OnceState {
  readonly participant: Participant;
  readonly index: number;
  /** Whether this thread runs the function. */
  isRunning = false;
  /** Those of this thread who await its end. */
  readonly line: Line = new Set();

  constructor(participant: Participant, index: number) {
    this.participant = participant;
    this.index = index;
  }

  get isDone(): boolean {
    return isDone(this.participant.words, this.index);
  }
}

/** Waits for the end of a run in this thread, too. */
class LocalOnceAttempt extends OnceAttempt {
  readonly #state: OnceState;

  constructor(state: OnceState) {
    super(state.participant, state.index);
    this.#state = state;
  }

  override glance(): boolean {
    return this.#state.isRunning || super.glance();
  }

  override advance(pause: Pause): boolean {
    return !this.#state.isRunning && super.advance(pause);
  }
}

/** The right to run the function; it has to be ended. */
class Run {
  readonly ownerDied: boolean;
  readonly #state: OnceState;
  readonly #membership: Membership;

  constructor(state: OnceState, membership: Membership, ownerDied: boolean) {
    this.ownerDied = ownerDied;
    this.#state = state;
    this.#membership = membership;
    state.isRunning = true;
    membership.held++;
  }

  /** @returns False when the right was lost. */
  end(hasWorked: boolean): boolean {
    const { participant, index, line } = this.#state;
    this.#state.isRunning = false;
    this.#membership.held--;
    const wasOurs = hasWorked ? finishOnce(participant, index) : failOnce(participant, index);
    if (line.size > 0) lookInLine(line);
    return wasOurs;
  }
}

/** What a wait gives that ended because it was done. */
const NOTHING = {};

/**
 * Runs a function once, whoever comes first of all threads and processes on the machine; the others
 * wait for its end. If it fails, or whoever runs it dies, the next one runs it. This is the field of a
 * shared object, `t.once`.
 */
export class Once {
  readonly #sync: Synchroniser;
  #state: OnceState | undefined;
  #entered: Membership | undefined;

  /** @ignore Made by fields, and by the functions that open named ones. */
  constructor(home: Home) {
    this.#sync = new Synchroniser(home);
  }

  /**
   * Whether the function has been run with success.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`, as of {@linkcode run}.
   */
  get done(): boolean {
    this.#enter("look at");
    return (this.#state as OnceState).isDone;
  }

  /**
   * Runs a function unless it has been done, and **blocks the thread** while somebody else runs it.
   * What it has written can be read by all who come after it. When it throws, it is not done, and the
   * next one runs it.
   *
   * @param fn Gets whether somebody has died while running it, since which it has not been done: what it
   * makes may be half made. It must not return a promise: use {@linkcode runAsync}.
   * @param options `timeout` in milliseconds, of the wait for others; `Infinity` by default.
   * @returns Whether this call ran it.
   * @throws {DOMException} `TimeoutError` when the time is over.
   * @throws {ShmError} `EDEADLK` when this thread runs it; `ERR_SHM_CLOSED`; `ERR_SHM_FULL` when too
   * many threads synchronise on the object; `ERR_SHM_LOCK_LOST` when something has been written over
   * it meanwhile.
   */
  run<T>(fn: (ownerDied: boolean) => NotPromise<T>, options: WaitOptions = {}): boolean {
    checkFunction(this.#sync, "run", fn);
    const checked = this.#sync.checkWait("run", options);
    const membership = this.#enter("run");
    const state = this.#state as OnceState;
    if (state.isDone) return false;
    if (state.isRunning) throw this.#deadlock();
    const run = checked.timeoutMs === 0
      ? this.#enterAtOnce(state, membership)
      : this.#waitForRun(state, membership, checked);
    if (run === null) return false;
    try {
      notPromise(this.#sync, "run", "runAsync", fn(run.ownerDied));
    } catch (error) {
      run.end(false);
      throw error;
    }
    if (!run.end(true)) throw this.#lost();
    return true;
  }

  /**
   * As {@linkcode run}, for an asynchronous function, and without blocking the event loop. Callers in
   * one thread are served in order. The function must not await another `runAsync` of the same once: that
   * would wait for itself.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off: the wait for others,
   * and not the function.
   * @returns A promise of whether this call ran it; rejected with what the function threw, with a
   * `TimeoutError`, with `signal.reason`, or with `ERR_SHM_CLOSED` when the handle is closed.
   */
  async runAsync(
    fn: (ownerDied: boolean) => unknown,
    options: AsyncWaitOptions = {},
  ): Promise<boolean> {
    checkFunction(this.#sync, "run", fn);
    const checked = this.#sync.checkAwait("run", options);
    const membership = this.#enter("run");
    const state = this.#state as OnceState;
    if (state.isDone) return false;
    const run = checked.timeoutMs === 0
      ? this.#enterAtOnce(state, membership)
      : await this.#awaitRun(state, membership, checked);
    if (run === null) return false;
    try {
      await fn(run.ownerDied);
    } catch (error) {
      run.end(false);
      throw error;
    }
    if (!run.end(true)) throw this.#lost();
    return true;
  }

  /** @returns The right to run it; null when it is done. */
  #waitForRun(state: OnceState, membership: Membership, checked: CheckedWait): Run | null {
    const attempt = new OnceAttempt(state.participant, state.index);
    this.#sync.wait("run", attempt, checked);
    return attempt.isDone ? null : new Run(state, membership, attempt.ownerDied);
  }

  /** As {@linkcode #waitForRun}. */
  async #awaitRun(
    state: OnceState,
    membership: Membership,
    checked: CheckedWait,
  ): Promise<Run | null> {
    const attempt = new LocalOnceAttempt(state);
    const take = () => attempt.isDone ? NOTHING : new Run(state, membership, attempt.ownerDied);
    const taken = await this.#sync.await<object>("run", state.line, attempt, checked, take);
    return taken instanceof Run ? taken : null;
  }

  /** As {@linkcode #waitForRun}, for a time-out of 0. */
  #enterAtOnce(state: OnceState, membership: Membership): Run | null {
    const result = state.isRunning ? "busy" : tryOnce(state.participant, state.index);
    if (result === "done") return null;
    if (result === "busy") throw timeoutError(this.#sync.action("run"), 0);
    return new Run(state, membership, result === "ownerDied");
  }

  #enter(verb: string): Membership {
    const membership = this.#sync.enter(verb);
    if (membership === this.#entered) return membership;
    this.#state = this.#sync.stateOf(
      membership,
      (participant, index) => new OnceState(participant, index),
    );
    return this.#entered = membership;
  }

  #deadlock(): ShmError {
    return stateError(
      this.#sync.action("run"),
      "EDEADLK",
      "this thread runs it, and would wait for itself",
      "Do not call it from its own function, nor while one of runAsync() is under way.",
    );
  }

  #lost(): ShmError {
    return stateError(
      this.#sync.action("finish"),
      "ERR_SHM_LOCK_LOST",
      "somebody else may have run the function, too",
      "Find out who writes over it.",
    );
  }
}
