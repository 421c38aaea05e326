/**
 * Expecting errors by class and message.
 *
 * @module
 */

import { expect } from "bun:test";

/** What says of which object a field is: left out of messages that are given as strings. */
const OF_OBJECT = / of "shmkit-test-[\d-]+"/;

type ErrorClass<E> = abstract new (...args: never[]) => E;

/** Expects a call to throw. @returns The error, for a closer look. */
export function expectError<E extends Error>(
  body: () => unknown,
  type: ErrorClass<E>,
  message: string | RegExp,
): E {
  let thrown: unknown;
  try {
    body();
  } catch (error) {
    thrown = error;
  }
  return check(thrown, type, message);
}

/** Expects a promise to be rejected. @returns The error, for a closer look. */
export async function expectErrorAsync<E extends Error>(
  promise: Promise<unknown>,
  type: ErrorClass<E>,
  message: string | RegExp,
): Promise<E> {
  return check(await promise.then(() => undefined, (error) => error), type, message);
}

function check<E extends Error>(thrown: unknown, type: ErrorClass<E>, message: string | RegExp): E {
  expect(thrown).toBeInstanceOf(type);
  const error = thrown as E;
  if (typeof message === "string") expect(error.message.replace(OF_OBJECT, "")).toBe(message);
  else expect(error.message).toMatch(message);
  return error;
}
