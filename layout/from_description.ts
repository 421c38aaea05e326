/**
 * Making layouts from JSON that nobody has checked.
 *
 * @module
 */

import { align, cacheLine } from "./align.ts";
import { array } from "./array.ts";
import { atomic, type AtomicBase } from "./atomic.ts";
import { bits, type Widths } from "./bits.ts";
import type { StructDescription } from "./description.ts";
import { enumeration } from "./enumeration.ts";
import type { Field, Fields } from "./field.ts";
import { MAX_DEPTH } from "./limits.ts";
import { show } from "./messages.ts";
import { SCALARS, type SmallInteger, type U8 } from "./scalar.ts";
import { isStruct, type Struct, struct } from "./struct.ts";
import { bytes, cstring } from "./text.ts";
import { union } from "./union.ts";

/**
 * Makes a field from what a description says of it, `{ kind: "semaphore", permits: 4 }`; of a mere name
 * of a kind, `{ kind: "mutex" }`. Nobody has checked that: it throws a `TypeError` or `RangeError`
 * when it describes no such field. What is left out or too much need not be looked for: the field
 * must describe itself exactly as what was read.
 */
export type FieldMaker = (description: Readonly<Record<string, unknown>>) => Field;

/** What makes fields of kinds that are none of layouts alone, by the name of the kind. */
export type OtherKinds = Readonly<Record<string, FieldMaker>>;

/** The longest text that is parsed. */
export const MAX_TEXT_LENGTH: number = 2 ** 22;

/**
 * Makes a layout from its description, which may come from anybody.
 *
 * @param description What `describe()` gave, or that as JSON.
 * @param kinds What makes fields of other kinds that may occur, such as locks.
 * @throws {TypeError | RangeError} When it describes no layout.
 */
export function fromDescription(
  description: string | StructDescription,
  kinds: OtherKinds = {},
): Struct<Fields> {
  const parsed = typeof description === "string" ? parse(description) : description;
  const field = new Reader(kinds).field(parsed, 0);
  if (isStruct(field)) return field;
  throw new TypeError(`A description must be of a struct, received ${field.kind}`);
}

function parse(text: string): unknown {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new RangeError(
      `A description must have at most ${MAX_TEXT_LENGTH} characters, received ${text.length}`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TypeError("A description must be JSON", { cause });
  }
}

type Parts = Readonly<Record<string, unknown>>;

/** Everything that is not as `describe()` has it is refused, so that equal layouts have one text. */
class Reader {
  readonly #kinds: OtherKinds;

  constructor(kinds: OtherKinds) {
    this.#kinds = kinds;
  }

  field(value: unknown, depth: number): Field {
    if (depth > 2 * MAX_DEPTH) throw new RangeError("A description must not be nested so deeply");
    const field = this.#make(value, depth);
    const made = field.describe();
    if (sameParts(made, value)) return field;
    throw new TypeError(
      `A description of ${field.kind} must be consistent, received ${excerpt(value)}`,
    );
  }

  #make(value: unknown, depth: number): Field {
    if (typeof value === "string") {
      const field = SCALARS.get(value) ?? this.#other({ kind: value });
      if (field !== undefined) return field;
      throw new TypeError(`A description must be of a known kind, received ${show(value)}`);
    }
    const parts = asParts(value);
    switch (parts["kind"]) {
      case "struct":
        return this.#struct(parts, depth);
      case "union":
        return union(this.#fields(parts["members"], depth));
      case "array":
        return array(this.field(parts["element"], depth + 1), parts["length"] as number);
      case "cstring":
        return cstring(parts["size"] as number);
      case "bytes":
        return bytes(parts["size"] as number);
      case "enumeration":
        return enumeration(base(parts) as SmallInteger, asParts(parts["members"]) as Widths);
      case "bits":
        return bits(base(parts) as U8, asParts(parts["widths"]) as Widths);
      case "atomic":
        return atomic(base(parts) as AtomicBase);
      case "align":
        return align(parts["alignment"] as number, this.field(parts["field"], depth + 1));
      case "cacheLine":
        return cacheLine(this.field(parts["field"], depth + 1));
      default: {
        const field = this.#other(parts);
        if (field !== undefined) return field;
        throw new TypeError(
          `A description must be of a known kind, received ${show(parts["kind"])}`,
        );
      }
    }
  }

  #struct(parts: Parts, depth: number): Field {
    return struct(parts["name"] as string, this.#fields(parts["fields"], depth));
  }

  #fields(list: unknown, depth: number): Fields {
    if (!Array.isArray(list)) {
      throw new TypeError(`A description must have a list of fields, received ${show(list)}`);
    }
    const fields = Object.create(null) as Record<string, Field>;
    for (const entry of list) {
      const { name, type } = asParts(entry) as { name?: unknown; type?: unknown };
      if (typeof name !== "string" || name in fields) {
        throw new TypeError(`A description must have names that differ, received ${show(name)}`);
      }
      fields[name] = this.field(type, depth + 1);
    }
    return fields;
  }

  #other(parts: Parts): Field | undefined {
    const { kind } = parts;
    if (typeof kind !== "string" || !Object.hasOwn(this.#kinds, kind)) return undefined;
    return this.#kinds[kind]?.(parts);
  }
}

function asParts(value: unknown): Parts {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Parts;
  throw new TypeError(`A description must have an object here, received ${show(value)}`);
}

function base(parts: Parts): unknown {
  return SCALARS.get(parts["base"] as string);
}

/** Whether a description says the same as a value, members in the same order. */
function sameParts(made: unknown, value: unknown): boolean {
  if (typeof made !== "object" || made === null) return Object.is(made, value);
  if (typeof value !== "object" || value === null) return false;
  const [keys, others] = [Object.keys(made), Object.keys(value)];
  return keys.length === others.length &&
    keys.every((key, index) =>
      key === others[index] && sameParts((made as Parts)[key], (value as Parts)[key])
    );
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined ?? show(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
