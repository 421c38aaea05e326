/**
 * The checks of options that several classes share.
 *
 * @module
 */

import { type Action, misuse } from "../errors.ts";

/** Whose objects may be opened: see `OpenOptions`. */
export type Trust = "owner" | "anyone";

/** The choices of {@linkcode Trust}. */
export const TRUSTS: readonly Trust[] = ["owner", "anyone"];
/** The choices of a switch. */
export const BOOLEANS: readonly boolean[] = [true, false];

/** How long a wait may take. */
export interface WaitOptions {
  /** The longest time to wait, in milliseconds; `Infinity` by default. */
  timeout?: number;
}

/** How long an asynchronous wait may take, and how it is called off. */
export interface AsyncWaitOptions extends WaitOptions {
  /** Aborting it rejects the promise with `signal.reason`. */
  signal?: AbortSignal;
}

/** Checks a size in bytes: an integer from 1 to 2^53 - 1. */
export function checkSize(action: Action, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(misuse(action, "size must be a number of bytes", value));
  }
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(misuse(action, "size must be an integer from 1 to 2^53 - 1", value));
  }
  return value;
}

/** Checks permission bits: an integer from 0 to 0o777. */
export function checkMode(action: Action, value: unknown): number {
  return checkInteger(action, "mode", value, 0, 0o777, "0o777");
}

/** Checks an integer within bounds, both allowed. */
export function checkInteger(
  action: Action,
  what: string,
  value: unknown,
  minimum: number,
  maximum: number,
  shownMaximum: string = String(maximum),
): number {
  const rule = `${what} must be an integer from ${minimum} to ${shownMaximum}`;
  if (typeof value !== "number") throw new TypeError(misuse(action, rule, value));
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new RangeError(misuse(action, rule, value));
  }
  return value;
}

/** Checks that it is one of a few values. */
export function checkChoice<T extends string | boolean>(
  action: Action,
  what: string,
  value: unknown,
  choices: readonly T[],
): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const list = choices.map((candidate) => JSON.stringify(candidate)).join(" or ");
  throw new TypeError(misuse(action, `${what} must be ${list}`, value));
}

/** Checks a time-out in milliseconds: zero or more, possibly `Infinity`. */
export function checkTimeout(action: Action, value: unknown): number {
  const rule = "timeout must be a number of milliseconds, zero or more";
  if (typeof value !== "number") throw new TypeError(misuse(action, rule, value));
  if (!(value >= 0)) throw new RangeError(misuse(action, rule, value));
  return value;
}

/** Checks a signal, or that there is none. */
export function checkSignal(action: Action, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new TypeError(misuse(action, "signal must be an AbortSignal", value));
}

/** Checks that it is an options object, or absent. */
export function checkOptions(action: Action, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null) {
    throw new TypeError(misuse(action, "options must be an object", value));
  }
}
