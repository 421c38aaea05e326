/**
 * A set of System V semaphores that is in use: the waits on it, and until when it is open.
 *
 * @module
 */

import { type Action, stateError, timeoutError } from "../../errors.ts";
import { atExit } from "../../memory/exit.ts";
import type { Lifetime } from "../../memory/files/segment_options.ts";
import {
  type AsyncWaitOptions,
  checkOptions,
  checkSignal,
  checkTimeout,
  type WaitOptions,
} from "../../memory/options.ts";
import { describeSystemVName } from "../../memory/systemv/systemv_options.ts";
import { pollInTime } from "../../memory/waiting.ts";
import { NOUN, operateSet, removeSet, type SemaphoreSet, tryOperateSet } from "./semaphore_set.ts";
import {
  type CheckedOperation,
  checkOperations,
  checkPosting,
  checkTaking,
  type SystemVOperation,
  type SystemVPostOptions,
  type SystemVTakeOptions,
} from "./set_options.ts";

/** Permits taken by {@linkcode SystemVSemaphore.acquire}: given back when this is disposed of. */
export interface SystemVPermit extends Disposable {
  /** Of which semaphore of the set. */
  readonly index: number;
  /** How many. */
  readonly count: number;
  /**
   * Gives the permits back, also when the semaphore's handle has been closed. Idempotent.
   *
   * @throws {ShmError} `EIDRM` when the set was removed, `ERANGE` when others have posted so much
   * that there is no room.
   */
  release(): void;
}

/** A wait blocks this long at a time, so that it is never in the kernel for good. */
const SLICE_MS = 50;

/** What a handle does, once what its methods were told has been checked. */
export class SetHandle {
  readonly set: SemaphoreSet;
  readonly #noun: string;
  readonly #removeAtClose: () => void;
  #closed = false;

  constructor(set: SemaphoreSet, lifetime: Lifetime) {
    this.set = set;
    this.#noun = describeSystemVName(set.key === 0 ? { id: set.id } : { key: set.key }, NOUN);
    this.#removeAtClose = () => {};
    if (lifetime === "creator") {
      const remove = () => removeSet({ verb: "remove", noun: NOUN }, { id: set.id });
      const callOff = atExit(remove);
      this.#removeAtClose = () => {
        callOff();
        remove();
      };
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#removeAtClose();
  }

  /** What is being done, for messages; throws when the handle is closed. */
  open(verb: string): Action {
    if (!this.#closed) return this.action(verb);
    throw stateError(
      this.action(verb),
      "ERR_SHM_CLOSED",
      "this handle is closed",
      "Open the set again.",
    );
  }

  action(verb: string): Action {
    return { verb, noun: this.#noun };
  }

  posting(count: number, options: SystemVPostOptions): readonly CheckedOperation[] {
    return [checkPosting(this.action("post"), this.set.count, count, options)];
  }

  taking(
    verb: string,
    options: SystemVTakeOptions,
    undoByDefault: boolean,
  ): readonly [CheckedOperation] {
    return [checkTaking(this.action(verb), this.set.count, options, undoByDefault)];
  }

  operations(operations: readonly SystemVOperation[]): readonly CheckedOperation[] {
    return checkOperations(this.action("operate on"), this.set.count, operations);
  }

  try(verb: string, operations: readonly CheckedOperation[]): boolean {
    return tryOperateSet(this.open(verb), this.set, operations);
  }

  block(verb: string, operations: readonly CheckedOperation[], options: WaitOptions): boolean {
    const timeoutMs = this.#timeout(verb, options);
    const action = this.open(verb); // after the options, whose getters could close it
    if (tryOperateSet(action, this.set, operations)) return true;
    const deadline = performance.now() + timeoutMs;
    while (true) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) return false;
      if (operateSet(action, this.set, operations, Math.min(remainingMs, SLICE_MS))) return true;
    }
  }

  async poll(
    verb: string,
    operations: readonly CheckedOperation[],
    options: AsyncWaitOptions,
  ): Promise<boolean> {
    const timeout = this.#timeout(verb, options);
    const signal = checkSignal(this.action(verb), options.signal);
    const limits = { timeout, ...(signal !== undefined && { signal }) };
    return await pollInTime(() => this.try(verb, operations) || undefined, limits) ?? false;
  }

  permit([taken]: readonly [CheckedOperation]): SystemVPermit {
    const { index, value } = taken;
    const back = [{ ...taken, value: -value }];
    let held = true;
    const release = () => {
      if (!held) return;
      tryOperateSet(this.action("release a permit of"), this.set, back);
      held = false;
    };
    return { index, count: -value, release, [Symbol.dispose]: release };
  }

  timeoutError(verb: string, options: WaitOptions): DOMException {
    return timeoutError(this.action(verb), options.timeout ?? Infinity);
  }

  #timeout(verb: string, options: WaitOptions): number {
    const action = this.action(verb);
    checkOptions(action, options);
    return checkTimeout(action, options.timeout ?? Infinity);
  }
}
