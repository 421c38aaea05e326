/**
 * Several small values in one whole number.
 *
 * @module
 */

import { Composite } from "./composite.ts";
import type { Description } from "./description.ts";
import type { AggregateField, Field, FieldAccessors, Flat, ViewBase } from "./field.ts";
import type { Memory } from "./memory.ts";
import { misfit, refuseClosed, show } from "./messages.ts";
import { checkName } from "./names.ts";
import { arrayOf, checkSmallInteger, type U16, type U32, type U8 } from "./scalar.ts";
import type { ViewClass } from "./view.ts";

/** The number of bits of each value. */
export type Widths = Readonly<Record<string, number>>;

/** A boolean for one bit, a number for more. */
export type BitValues<W extends Widths> = Flat<
  { -readonly [K in keyof W]: W[K] extends 1 ? boolean : number }
>;

/** Bit fields of C: from the least significant bit on. */
export interface Bits<W extends Widths>
  extends AggregateField<BitValues<W>, Readonly<BitValues<W>>, BitValues<W>> {
  /** The name of the kind. */
  readonly kind: "bits";
  /** What is in memory. */
  readonly base: U8 | U16 | U32;
  /** In the order of the bits. */
  readonly widths: W;
}

/** Some bits of a number. */
class BitField implements Field {
  readonly kind = "bit";
  readonly size: number;
  readonly alignment: number;
  readonly assignable = true;
  readonly plain = true;
  readonly #base: U8 | U16 | U32;
  readonly #shift: number;
  readonly #width: number;
  /** As many ones as it has bits. */
  readonly #most: number;

  constructor(base: U8 | U16 | U32, shift: number, width: number) {
    this.#base = base;
    this.size = base.size;
    this.alignment = base.alignment;
    this.#shift = shift;
    this.#width = width;
    this.#most = 2 ** width - 1;
  }

  describe(): Description {
    return { kind: "bit", width: this.#width };
  }

  attach(memory: Memory, position: number, path: string): unknown {
    return this.load(memory, position, path);
  }

  accessors(_byteOffset: number, path: string): FieldAccessors {
    const read = READERS[this.#base.kind];
    const [shift, most, isFlag] = [this.#shift, this.#most, this.#width === 1];
    // deno-lint-ignore no-this-alias
    const field = this;
    return {
      get() {
        const word = read(this) ?? refuseClosed(path);
        const value = (word >>> shift & most) >>> 0;
        return isFlag ? value === 1 : value;
      },
      set(value) {
        field.check(value, path);
        if (read(this) === undefined) refuseClosed(path);
        field.store(this["~memory"], this["~base"], value);
      },
    };
  }

  load(memory: Memory, position: number, path: string): unknown {
    const word = this.#base.load(memory, position, path);
    const value = (word >>> this.#shift & this.#most) >>> 0;
    return this.#width === 1 ? value === 1 : value;
  }

  check(value: unknown, path: string): void {
    const isFlag = this.#width === 1;
    const type = isFlag ? "boolean" : "number";
    // deno-lint-ignore valid-typeof
    if (typeof value !== type) throw new TypeError(misfit(path, `must be a ${type}`, value));
    if (
      isFlag || Number.isInteger(value) && value as number >= 0 && value as number <= this.#most
    ) {
      return;
    }
    const rule = `must be an integer from 0 to ${this.#most}, in ${this.#width} bits`;
    throw new RangeError(misfit(path, rule, value));
  }

  store(memory: Memory, position: number, value: unknown): void {
    const array = arrayOf(memory, this.#base.kind);
    const index = position / this.size;
    const others = (array[index] as number) & ~(this.#most << this.#shift);
    array[index] = (others | Number(value) << this.#shift) >>> 0;
  }
}

/** Read the number that a view starts with: `undefined` from memory that has gone. */
const READERS = {
  u8: (view: ViewBase): number | undefined => view["~memory"].u8[view["~base"]],
  u16: (view: ViewBase): number | undefined => view["~memory"].u16[view["~base"] >> 1],
  u32: (view: ViewBase): number | undefined => view["~memory"].u32[view["~base"] >> 2],
} as const;

class BitsField extends Composite {
  readonly kind = "bits";
  readonly base: U8 | U16 | U32;
  readonly widths: Widths;
  readonly #viewClasses = new Map<string, ViewClass>();

  constructor(base: U8 | U16 | U32, entries: readonly [string, number][]) {
    let shift = 0;
    const members = entries.map(([name, width]) => {
      const field = new BitField(base, shift, width);
      shift += width;
      return Object.freeze({ name, field, byteOffset: 0 });
    });
    super(members, base.size, base.alignment, { depth: 1, members: members.length });
    this.base = base;
    this.widths = Object.freeze(Object.fromEntries(entries));
    Object.freeze(this);
  }

  describe(): Description {
    return { kind: "bits", base: this.base.kind, widths: { ...this.widths } };
  }

  protected viewClass(path: string): ViewClass {
    let viewClass = this.#viewClasses.get(path);
    if (viewClass === undefined) {
      this.#viewClasses.set(path, viewClass = this.makeViewClass("Bits", path));
    }
    return viewClass;
  }
}

/**
 * Makes a field of several small values in one number: bit fields of C, from the least significant
 * bit on. A value of one bit is a boolean, of more a number from 0.
 *
 * To write one of them is to read the number and write it back, so that two who write different ones
 * at a time can undo each other's. Take an atomic number where that may happen.
 *
 * @param base What is in memory: `u8`, `u16` or `u32`.
 * @param widths The bits of each value, together at most those of the base.
 */
export function bits<const W extends Widths>(base: U8 | U16 | U32, widths: W): Bits<W> {
  checkSmallInteger(base, "Bit fields", true);
  const entries = Object.entries(widths);
  if (entries.length === 0) throw new TypeError("Bit fields must have a value");
  const most = 8 * base.size;
  let sum = 0;
  for (const [name, width] of entries) {
    checkName(name, "A bit field");
    const rule = `bits.${name} must have from 1 to ${most} bits, received ${show(width)}`;
    if (typeof width !== "number") throw new TypeError(rule);
    if (!Number.isInteger(width) || width < 1 || width > most) throw new RangeError(rule);
    sum += width;
    if (sum <= most) continue;
    throw new RangeError(
      `bits.${name} must end within the ${most} bits of ${base.kind}, ends at ${sum}`,
    );
  }
  return new BitsField(base, entries) as unknown as Bits<W>;
}
