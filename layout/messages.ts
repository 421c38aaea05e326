/**
 * What is wrong with a value or a schema, in one grammar: the path, the rule, what was received.
 *
 * @module
 */

/** `Player.id must be an integer from 0 to 255, received 256`. */
export function misfit(path: string, rule: string, received: unknown): string {
  return `${path} ${rule}, received ${show(received)}`;
}

/** Throws what an access to memory that has gone throws. */
export function refuseClosed(path: string): never {
  throw new TypeError(`Cannot access ${path}: its memory has been closed or resized`);
}

/** A value, short and in one line. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return value.toString();
    case "function":
      return "a function";
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value) || ArrayBuffer.isView(value)) return "an array";
      return "an object";
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}
