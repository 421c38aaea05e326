/**
 * The names of structs and fields: good in every language, and harmless in this one.
 *
 * @module
 */

import { show } from "./messages.ts";

const MAX_LENGTH = 64;

/** Also no names that C keeps for its implementation. */
const IDENTIFIER = /^(?!__|_[A-Z])[A-Za-z_][A-Za-z0-9_]*$/;

/** What the language or its libraries call on every object. */
const RESERVED: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "prototype",
  "then",
  "toJSON",
]);

/**
 * Throws unless a name is an identifier that no object has of itself.
 *
 * @param what What has the name, for messages.
 */
export function checkName(name: unknown, what: string): void {
  const problem = typeof name !== "string"
    ? "a string"
    : /^(0|[1-9]\d*)$/.test(name)
    ? "no number, because numbers come first in the order of an object's properties"
    : RESERVED.has(name)
    ? "no name that objects have of themselves"
    : name.length > MAX_LENGTH
    ? `at most ${MAX_LENGTH} characters long`
    : !IDENTIFIER.test(name)
    ? "an identifier: letters, digits and _, without a digit, _A or __ in front"
    : undefined;
  if (problem === undefined) return;
  throw new TypeError(`${what} must have a name that is ${problem}, received ${show(name)}`);
}
