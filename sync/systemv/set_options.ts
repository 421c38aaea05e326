/**
 * How sets of System V semaphores are created, opened and operated: what users can say, and the
 * checks of it.
 *
 * @module
 */

import { type Action, misuse } from "../../errors.ts";
import {
  type AsyncWaitOptions,
  BOOLEANS,
  checkChoice,
  checkInteger,
  checkMode,
  checkOptions,
  type Trust,
  TRUSTS,
  type WaitOptions,
} from "../../memory/options.ts";
import type { Lifetime } from "../../memory/files/segment_options.ts";
import { checkKey } from "../../memory/systemv/systemv_options.ts";

/** The highest value of a System V semaphore, and the most that one operation adds or takes. */
export const MAX_VALUE = 32767;
/** The most semaphores in a set that a kernel allows by default. */
const MAX_COUNT = 32000;

/** How `SystemVSemaphore.create()` makes a set. */
export interface SystemVSemaphoreCreateOptions {
  /**
   * The number by which others find it: an integer from 1 to 2^32 - 1, or a negative one as a C
   * program may print it. Without one, the set is private: it is found by its id.
   */
  key?: number;
  /** How many semaphores are in the set, from 1 to 32000; by default 1, or one for each value. */
  count?: number;
  /** The permits of each semaphore at first, from 0 to 32767: one number for all, or one for each. */
  initialValue: number | readonly number[];
  /** The permission bits, exactly; `0o600` by default. */
  mode?: number;
  /**
   * Until when it exists; `"persist"` by default: until somebody removes it, or the machine is shut
   * down. `"creator"`: until the handle that created it is closed, or its thread ends in an orderly
   * way. Whoever waits then gets an error.
   */
  lifetime?: Lifetime;
}

/** How `SystemVSemaphore.open()` opens a set. */
export interface SystemVSemaphoreOpenOptions {
  /**
   * Whose sets are accepted; `"owner"` by default: only those that the effective user of this
   * process owns and not everybody can write to.
   */
  trust?: Trust;
}

/**
 * What `SystemVSemaphore.openOrCreate()` does with a set that nobody has given values within a
 * second.
 *
 * - `"refuse"`: throws `ETIMEDOUT`;
 * - `"accept"`: opens it as it is, with zeros. Right where programs make sets without initialising;
 * - `"replace"`: removes it and creates it anew. Right where every program that makes the set is of
 *   this library: what a killed creator has left is then no obstacle.
 */
export type Uninitialised = "refuse" | "accept" | "replace";

/** How `SystemVSemaphore.openOrCreate()` opens or makes a set. */
export interface SystemVSemaphoreOpenOrCreateOptions
  extends SystemVSemaphoreCreateOptions, SystemVSemaphoreOpenOptions {
  /** The number by which others find it. */
  key: number;
  /** What to do with a set that exists and was never initialised; `"refuse"` by default. */
  uninitialised?: Uninitialised;
}

/** Which semaphore an operation is for, and whether it is undone. */
export interface SystemVPostOptions {
  /** Which semaphore of the set, from 0; 0 by default. */
  index?: number;
  /**
   * Whether the kernel undoes it when this **process** ends, whatever it dies of: `SEM_UNDO`; false
   * by default.
   */
  undo?: boolean;
}

/** What is taken of which semaphore. */
export interface SystemVTakeOptions extends SystemVPostOptions {
  /** How many permits, all or none: an integer from 1 to 32767; 1 by default. */
  count?: number;
}

/** What is taken of which semaphore, and how long that may take. */
export interface SystemVWaitOptions extends SystemVTakeOptions, WaitOptions {}

/** What is taken of which semaphore, how long that may take, and how it is called off. */
export interface SystemVAsyncWaitOptions extends SystemVTakeOptions, AsyncWaitOptions {}

/** One of several operations that are done together: `struct sembuf`. */
export interface SystemVOperation {
  /** Which semaphore of the set, from 0; 0 by default. */
  readonly index?: number;
  /**
   * From 1 to 32767: adds so many permits. From -32767 to -1: takes so many, and waits for them. 0:
   * waits until there are none.
   */
  readonly value: number;
  /** Whether the kernel undoes it when this process ends; false by default. */
  readonly undo?: boolean;
}

/** A creation whose options have been checked. */
export interface SetCreation {
  /** Undefined for a private one. */
  readonly key: number | undefined;
  readonly values: readonly number[];
  readonly mode: number;
  readonly lifetime: Lifetime;
}

const LIFETIMES: readonly Lifetime[] = ["persist", "creator"];
const UNINITIALISED: readonly Uninitialised[] = ["refuse", "accept", "replace"];

/** Checks the options of a creation. */
export function checkSetCreation(
  action: Action,
  options: SystemVSemaphoreCreateOptions,
): SetCreation {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(misuse(action, "options must be an object with initialValue", options));
  }
  const { key, count, initialValue, mode = 0o600, lifetime = "persist" } = options;
  return {
    key: key === undefined ? undefined : checkKey(action, key),
    values: checkValues(action, count, initialValue),
    mode: checkMode(action, mode),
    lifetime: checkChoice(action, "lifetime", lifetime, LIFETIMES),
  };
}

function checkValues(action: Action, count: unknown, initialValue: unknown): number[] {
  const counted = count === undefined
    ? undefined
    : checkInteger(action, "count", count, 1, MAX_COUNT);
  const check = (what: string, value: unknown) => checkInteger(action, what, value, 0, MAX_VALUE);
  if (!Array.isArray(initialValue)) {
    return new Array(counted ?? 1).fill(check("initialValue", initialValue));
  }
  const given: unknown[] = [...initialValue];
  const wanted = counted ?? checkInteger(action, "count", given.length, 1, MAX_COUNT);
  if (given.length !== wanted) {
    const rule = `initialValue must be a number, or an array of ${wanted}`;
    throw new RangeError(misuse(action, rule, `an array of ${given.length}`));
  }
  return given.map((value, index) => check(`initialValue[${index}]`, value));
}

/** Checks whose sets are accepted. */
export function checkTrust(action: Action, options: SystemVSemaphoreOpenOptions): Trust {
  checkOptions(action, options);
  return checkChoice(action, "trust", options.trust ?? "owner", TRUSTS);
}

/** Checks what is done with a set that nobody has initialised. */
export function checkUninitialised(action: Action, value: unknown): Uninitialised {
  return checkChoice(action, "uninitialised", (value ?? "refuse") as Uninitialised, UNINITIALISED);
}

/** An operation, checked. */
export type CheckedOperation = Required<SystemVOperation>;

/** Checks operations of a set that has so many semaphores. */
export function checkOperations(
  action: Action,
  setCount: number,
  operations: readonly SystemVOperation[],
): CheckedOperation[] {
  if (!Array.isArray(operations)) {
    throw new TypeError(misuse(action, "operations must be an array", operations));
  }
  if (operations.length === 0) {
    throw new RangeError(misuse(action, "there must be an operation", "an empty array"));
  }
  return operations.map((operation: SystemVOperation) => {
    if (typeof operation !== "object" || operation === null) {
      throw new TypeError(misuse(action, "an operation must be an object", operation));
    }
    const value = checkInteger(action, "value", operation.value, -MAX_VALUE, MAX_VALUE);
    return { ...checkTarget(action, setCount, operation), value };
  });
}

/** Checks what is to be taken. */
export function checkTaking(
  action: Action,
  setCount: number,
  options: SystemVTakeOptions,
  undoByDefault: boolean,
): CheckedOperation {
  checkOptions(action, options);
  const value = -checkCount(action, options.count ?? 1);
  return {
    ...checkTarget(action, setCount, { ...options, undo: options.undo ?? undoByDefault }),
    value,
  };
}

/** Checks what is to be added. */
export function checkPosting(
  action: Action,
  setCount: number,
  count: number,
  options: SystemVPostOptions,
): CheckedOperation {
  checkOptions(action, options);
  const value = checkCount(action, count);
  return { ...checkTarget(action, setCount, options), value };
}

/** Checks which semaphore is meant, and whether the operation is undone. */
function checkTarget(
  action: Action,
  setCount: number,
  { index = 0, undo = false }: { readonly index?: number; readonly undo?: boolean },
): { readonly index: number; readonly undo: boolean } {
  return {
    index: checkInteger(action, "index", index, 0, setCount - 1),
    undo: checkChoice(action, "undo", undo, BOOLEANS),
  };
}

/** Checks how many permits are meant. */
function checkCount(action: Action, value: unknown): number {
  return checkInteger(action, "count", value, 1, MAX_VALUE);
}
