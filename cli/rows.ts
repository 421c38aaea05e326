/**
 * The lines in which a value is shown: one for each field, and for some elements of an array.
 *
 * They are found one by one, from wherever it is asked for, because a layout that somebody else has
 * made may have a thousand million.
 *
 * @module
 */

import type { Field } from "../layout/field.ts";
import {
  arrayOf,
  type Bit,
  bitsOf,
  bitText,
  isSmall,
  memberPath,
  membersOf,
  type Place,
  typeText,
  unaligned,
} from "./fields.ts";

/** A line. */
export interface Row {
  /** Of the field, or of the first element in the line where there are several lines. */
  readonly path: string;
  readonly byteOffset: number;
  readonly type: string;
  /** What stands in it. */
  readonly field: Field;
  readonly bit?: Bit;
  /** How many of that; zero in a line that only says how many are left out. */
  readonly count: number;
  /** From one to the next, in bytes. */
  readonly stride: number;
  /** The path of the array that they are elements of, and the index of the first. */
  readonly array?: string;
  readonly first: number;
  /** How many elements, or bytes, are left out behind. */
  readonly more: number;
}

/** Which lines are made. */
export interface RowsOptions {
  /** All elements of arrays; the first ones by default. */
  readonly all?: boolean;
  /** How many lines are passed over. */
  readonly skip?: number;
  /** Whether any of these bytes is of interest; all are by default. */
  readonly touched?: (byteOffset: number, byteLength: number) => boolean;
}

/** How many elements are shown, where not all are, and stand in a line; of one byte, more do. */
const PER_LINE = 8;
const BYTE_SIZED_PER_LINE = 16;
/** How many bytes are shown, where not all are, and stand in a line. */
const BYTES_PER_LINE = 32;

const perLine = ({ size }: Field) => size === 1 ? BYTE_SIZED_PER_LINE : PER_LINE;

/** Makes the lines of a field and all that is in it. */
export function rowsOf(place: Place, options: RowsOptions = {}): Generator<Row> {
  return new Walk(options).rows(place);
}

/** How many lines a field has. */
export function countRows(place: Place, options: RowsOptions = {}): number {
  return place.bit === undefined ? new Walk(options).count(place.field) : 1;
}

class Walk {
  readonly #all: boolean;
  readonly #touched: (byteOffset: number, byteLength: number) => boolean;
  readonly #counts = new Map<Field, number>();
  #skip: number;

  constructor({ all = false, skip = 0, touched = () => true }: RowsOptions) {
    this.#all = all;
    this.#skip = skip;
    this.#touched = touched;
  }

  /** How many lines a field has, of which none is left out for its bytes. */
  count(outer: Field): number {
    const field = unaligned(outer);
    let count = this.#counts.get(field);
    if (count === undefined) this.#counts.set(field, count = this.#count(field));
    return count;
  }

  #count(field: Field): number {
    const members = membersOf(field);
    if (members !== undefined) {
      return members.reduce((sum, member) => sum + this.count(member.field), 0);
    }
    const line = lineOf(field);
    if (line !== undefined) return this.#all ? Math.ceil(line.length / line.perLine) : 1;
    const array = arrayOf(field);
    if (array === undefined) return bitsOf(field)?.length ?? 1;
    const shown = this.#shown(array);
    return shown * this.count(array.element) + (shown < array.length ? 1 : 0);
  }

  #shown({ length }: { readonly length: number }): number {
    return this.#all ? length : Math.min(length, PER_LINE);
  }

  *rows({ path, byteOffset, field: outer, bit }: Place): Generator<Row> {
    const field = unaligned(outer);
    if (!this.#touched(byteOffset, field.size)) return;
    const usual = { path, byteOffset, field, count: 1, stride: field.size, first: 0, more: 0 };
    if (bit !== undefined) return void (yield { ...usual, bit, type: bitText(field, bit) });

    const count = this.count(field);
    if (this.#skip >= count) return void (this.#skip -= count);
    const members = membersOf(field);
    if (members !== undefined) {
      for (const { name, field: each, byteOffset: at } of members) {
        yield* this.rows({
          path: memberPath(path, name),
          byteOffset: byteOffset + at,
          field: each,
        });
      }
      return;
    }
    const bits = bitsOf(field);
    if (bits !== undefined) {
      for (const each of bits.slice(this.#take())) {
        const type = bitText(field, each);
        yield { ...usual, path: memberPath(path, each.name), type, bit: each };
      }
      return;
    }
    if (lineOf(field) !== undefined) return yield* this.#lines(usual, count);
    const array = arrayOf(field);
    if (array === undefined) return void (yield { ...usual, type: typeText(field) });
    yield* this.#elements(usual, array);
  }

  /** The lines of an array of numbers, or of bytes. */
  *#lines(usual: Omit<Row, "type">, count: number): Generator<Row> {
    const { path, byteOffset, field } = usual;
    const { element, length, perLine } = lineOf(field) as Line;
    const width = element?.size ?? 1;
    for (let line = this.#take(); line < count; line++) {
      const first = line * perLine;
      const shown = Math.min(perLine, length - first);
      const at = byteOffset + first * width;
      if (!this.#touched(at, shown * width)) continue;
      yield {
        path: count === 1 ? path : `${path}[${first}]`,
        byteOffset: at,
        type: typeText(field),
        ...(element === undefined
          ? { field, count: 1, stride: shown }
          : { field: unaligned(element), count: shown, stride: width, array: path }),
        first,
        more: count === 1 ? length - shown : 0,
      };
    }
  }

  /** The lines of an array of what does not stand in a line. */
  *#elements(
    usual: Omit<Row, "type">,
    array: { readonly element: Field; readonly length: number },
  ): Generator<Row> {
    const { path, byteOffset } = usual;
    const { element, length } = array;
    const shown = this.#shown(array);
    const passed = Math.min(shown, Math.floor(this.#skip / this.count(element)));
    this.#skip -= passed * this.count(element);
    for (let index = passed; index < shown; index++) {
      const at = byteOffset + index * element.size;
      yield* this.rows({ path: `${path}[${index}]`, byteOffset: at, field: element });
    }
    if (shown === length) return;
    yield {
      ...usual,
      path: `${path}[${shown}]`,
      byteOffset: byteOffset + shown * element.size,
      type: typeText(element),
      count: 0,
      more: length - shown,
    };
  }

  /** How many are passed over where the first line is not. */
  #take(): number {
    const skip = this.#skip;
    this.#skip = 0;
    return skip;
  }
}

/** What stands in lines of several. */
interface Line {
  /** Undefined for bytes. */
  readonly element: Field | undefined;
  readonly length: number;
  readonly perLine: number;
}

function lineOf(field: Field): Line | undefined {
  if (field.kind === "bytes") {
    return { element: undefined, length: field.size, perLine: BYTES_PER_LINE };
  }
  const array = arrayOf(field);
  if (array === undefined || !isSmall(unaligned(array.element))) return undefined;
  const { element, length } = array;
  return { element, length, perLine: perLine(unaligned(element)) };
}
