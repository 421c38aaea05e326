/**
 * Fields further apart than they have to be.
 *
 * @module
 */

import type { Description } from "./description.ts";
import { type Field, type FieldAccessors, isField, isPowerOfTwo, roundUp } from "./field.ts";
import { type Extent, extentOf } from "./limits.ts";
import type { Memory } from "./memory.ts";
import { misfit } from "./messages.ts";

/**
 * What two fields must be apart so that processors that write them do not wait for each other. A line
 * has 64 bytes on most processors, but they fetch two at a time (x86-64), or it has 128 (some of
 * ARM's).
 */
export const CACHE_LINE = 128;

/** The largest alignment: a page, beyond which nothing that maps memory promises anything. */
const MAX_ALIGNMENT = 4096;

/** The same field, more strictly aligned. */
export type Aligned<F extends Field> =
  & { readonly kind: "align" | "cacheLine"; readonly field: F }
  & Omit<F, "kind">;

class AlignedField implements Field {
  readonly kind: "align" | "cacheLine";
  readonly size: number;
  readonly alignment: number;
  readonly assignable: boolean;
  readonly plain: boolean;
  readonly rowByteLength: number;
  readonly extent: Extent;
  readonly field: Field;
  readonly accessors?: (byteOffset: number, path: string) => FieldAccessors;

  constructor(kind: "align" | "cacheLine", field: Field, alignment: number) {
    this.kind = kind;
    this.field = field;
    this.alignment = alignment;
    this.size = kind === "align" ? field.size : roundUp(field.size, alignment);
    this.assignable = field.assignable;
    this.plain = field.plain;
    this.rowByteLength = field.rowByteLength ?? 0;
    this.extent = extentOf(field);
    if (field.accessors !== undefined) this.accessors = field.accessors.bind(field);
    Object.freeze(this);
  }

  describe(): Description {
    const { kind, alignment } = this;
    const field = this.field.describe();
    return kind === "align" ? { kind, alignment, field } : { kind, field };
  }

  attach(memory: Memory, position: number, path: string): unknown {
    return this.field.attach(memory, position, path);
  }

  load(memory: Memory, position: number, path: string, into?: unknown): unknown {
    return this.field.load(memory, position, path, into);
  }

  check(value: unknown, path: string, partial: boolean): void {
    this.field.check(value, path, partial);
  }

  store(memory: Memory, position: number, value: unknown): void {
    this.field.store(memory, position, value);
  }
}

/**
 * Aligns a field more strictly than it has to be: `_Alignas(alignment)` in C.
 *
 * @param alignment In bytes: a power of two, from what the field needs to 4096.
 * @param field What is to be aligned. It keeps its size: the next field may follow at once.
 */
export function align<F extends Field>(alignment: number, field: F): Aligned<F> {
  checkWrapped(field, "align");
  const rule = `must be a power of two from ${field.alignment} to ${MAX_ALIGNMENT}`;
  const message = misfit("An alignment", rule, alignment);
  if (typeof alignment !== "number") throw new TypeError(message);
  if (!isPowerOfTwo(alignment) || alignment < field.alignment || alignment > MAX_ALIGNMENT) {
    throw new RangeError(message);
  }
  return new AlignedField("align", field, alignment) as unknown as Aligned<F>;
}

/**
 * Gives a field 128 bytes, or a multiple, of its own, so that whoever writes it does not slow down
 * those who use its neighbours (false sharing).
 */
export function cacheLine<F extends Field>(field: F): Aligned<F> {
  checkWrapped(field, "cacheLine");
  const alignment = Math.max(CACHE_LINE, field.alignment);
  return new AlignedField("cacheLine", field, alignment) as unknown as Aligned<F>;
}

function checkWrapped(field: unknown, what: string): asserts field is Field {
  if (!isField(field)) throw new TypeError(misfit(what, "must be given a field", field));
  if (!isAligned(field)) return;
  throw new TypeError(`${what} must not be given what is aligned already: ${field.kind}`);
}

/** Whether a field is made by {@linkcode align} or {@linkcode cacheLine}. */
export function isAligned(field: Field): field is Field & { field: Field } {
  return field instanceof AlignedField;
}

/** The field that carries the value: what was aligned, or the field itself. */
export function withoutAlignment(field: Field): Field {
  return isAligned(field) ? field.field : field;
}
