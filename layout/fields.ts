/**
 * The members that a schema is made with, checked.
 *
 * @module
 */

import { type Field, isField } from "./field.ts";
import { show } from "./messages.ts";
import { checkName } from "./names.ts";

/**
 * Gives the fields in their order.
 *
 * @param what What they are in, for messages.
 * @param path What precedes their names.
 */
export function checkFields(fields: unknown, what: string, path: string): [string, Field][] {
  if (typeof fields !== "object" || fields === null) {
    throw new TypeError(`${what} must have its fields in an object, received ${show(fields)}`);
  }
  // `{ __proto__: field }` sets the prototype, and is no field.
  const prototype = Object.getPrototypeOf(fields);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${what} must have its fields in a plain object, without __proto__`);
  }
  const names = Reflect.ownKeys(fields);
  if (names.length === 0) throw new TypeError(`${what} must have a field`);
  return names.map((name) => {
    checkName(name, `The field ${path}.${String(name)}`);
    const field = (fields as Record<PropertyKey, unknown>)[name];
    if (isField(field)) return [name as string, field];
    throw new TypeError(`${path}.${String(name)} must be a field, received ${show(field)}`);
  });
}
