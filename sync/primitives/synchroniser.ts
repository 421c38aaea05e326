/**
 * What all primitives have in common: where they are, and how they begin and wait.
 *
 * @module
 */

import { type Action, misuse, stateError, timeoutError } from "../../errors.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import {
  type AsyncWaitOptions,
  checkOptions,
  checkSignal,
  checkTimeout,
  type WaitOptions,
} from "../../memory/options.ts";
import { Membership } from "../participants/membership.ts";
import type { Participant } from "../participants/participant.ts";
import type { Attempt } from "../protocols/place.ts";
import { type Line, waitInLine } from "../waiting/event_loop.ts";
import { waitPlainly } from "../waiting/plain.ts";

/** Where a primitive is. */
export interface Home {
  /** The object that it is in; undefined for memory that is none, where nothing can synchronise. */
  readonly handle: ObjectHandle | undefined;
  /** Its offset in the object, in bytes. */
  readonly position: number;
  /** What messages call it: `mutex`, and the path of the field; undefined for what is all of an object. */
  readonly noun: string;
  readonly part: string | undefined;
}

/** How a wait ends that was not successful. */
export interface CheckedWait {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What each primitive of a handle goes through. */
export class Synchroniser {
  readonly #home: Home;
  #membership: Membership | undefined;

  constructor(home: Home) {
    this.#home = home;
  }

  /** What is being done, for messages. */
  action(verb: string): Action {
    const { handle, noun, part } = this.#home;
    const name = handle?.name;
    return { verb, noun, ...(name !== undefined && { name }), ...(part !== undefined && { part }) };
  }

  /** The index of the first word. */
  get index(): number {
    return this.#home.position / 4;
  }

  /** Where its entry is in the row of each participant, in bytes. */
  get rowOffset(): number {
    const { handle, position } = this.#home;
    const offset = handle?.rowOffsetOf(position);
    if (offset !== undefined) return offset;
    throw new RangeError(`The layout has no entry for ${this.#home.part}`); // a fault of ours
  }

  /** Begins to take part, or goes on; throws when the handle is closed. */
  enter(verb: string): Membership {
    const membership = this.#membership;
    if (membership !== undefined && !membership.closed) return membership;
    return this.#membership = this.#begin(verb);
  }

  #begin(verb: string): Membership {
    const { handle } = this.#home;
    const action = this.action(verb);
    if (handle !== undefined) return Membership.of(handle, action);
    throw stateError(
      action,
      "ERR_SHM_UNSUPPORTED",
      "it is not in a shared object, and only those can tell who is dead",
      "Use the value of SharedObject.create() or open().",
    );
  }

  /** What this thread keeps for the primitive: made once, and shared by all handles. */
  stateOf<S extends object>(
    { participant }: Membership,
    make: (participant: Participant, index: number) => S,
  ): S {
    const { index } = this;
    let state = participant.states.get(index) as S | undefined;
    if (state === undefined) participant.states.set(index, state = make(participant, index));
    return state;
  }

  /** Checks the options of a plain wait. */
  checkWait(verb: string, options: WaitOptions): CheckedWait {
    const checked = this.#checkTime(verb, options);
    const { signal } = options as AsyncWaitOptions;
    if (signal === undefined) return checked;
    const rule =
      "signal must be left out: a thread that is blocked hears of none (use the verb with Async)";
    throw new TypeError(misuse(this.action(verb), rule, signal));
  }

  /** Checks the options of an asynchronous wait; throws the reason of a signal that is aborted. */
  checkAwait(verb: string, options: AsyncWaitOptions): CheckedWait {
    const { timeoutMs } = this.#checkTime(verb, options);
    const signal = checkSignal(this.action(verb), options.signal);
    signal?.throwIfAborted();
    return { timeoutMs, signal };
  }

  #checkTime(verb: string, options: WaitOptions): CheckedWait {
    const action = this.action(verb);
    checkOptions(action, options);
    return { timeoutMs: checkTimeout(action, options.timeout ?? Infinity), signal: undefined };
  }

  /** Blocks until an attempt has worked; throws a `TimeoutError`. */
  wait(verb: string, attempt: Attempt, { timeoutMs }: CheckedWait): void {
    const { participant } = this.enter(verb);
    if (!waitPlainly(participant, attempt, timeoutMs)) {
      throw timeoutError(this.action(verb), timeoutMs);
    }
  }

  /** Waits until an attempt has worked; rejected with a `TimeoutError`. */
  async await<T extends object>(
    verb: string,
    line: Line,
    attempt: Attempt,
    { timeoutMs, signal }: CheckedWait,
    take: () => T,
  ): Promise<T> {
    const { participant, cancellations } = this.enter(verb);
    const limits = { timeoutMs, signal, cancellations };
    const taken = await waitInLine(participant, line, this.index, attempt, limits, take);
    if (taken === undefined) throw timeoutError(this.action(verb), timeoutMs);
    return taken;
  }
}
