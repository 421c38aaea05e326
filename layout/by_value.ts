/**
 * Showing what is in memory to those who look at objects: consoles, JSON, tests.
 *
 * The properties of a view are accessors of its prototype, which printing and comparing pass over: to
 * them all views of a layout would be the same empty object. So a view prints and encodes itself, and
 * has one enumerable property of its own, a symbol, that is the plain value.
 *
 * @module
 */

/** The property that makes comparisons see the value. */
export const VALUE: unique symbol = Symbol.for("shmkit.value");

/** What consoles call to print an object: in every runtime. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Prints a value, with options that are the console's business. */
export type Inspect = (value: unknown, options?: unknown) => string;

/** Text that a console prints as it is. */
class Remark {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  [INSPECT](): string {
    return this.#text;
  }
}

/** What a property holds, or why it cannot be read. */
export function inspectable(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return new Remark(`<${error instanceof Error ? error.message : String(error)}>`);
  }
}

/** A plain value as JSON can say it: bigints in decimal, and every array as a list. */
export function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array);
  if (Array.isArray(value)) return value.map(jsonOf);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, jsonOf(each)]));
}
