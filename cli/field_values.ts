/**
 * The values of fields, read from a copy of the memory, as text and as JSON.
 *
 * Nothing that stands there is an error: a number that no name of an enumeration has is shown as a
 * number, and bytes that are no text as bytes.
 *
 * @module
 */

import { decodeText } from "../ffi/mod.ts";
import type { Field } from "../layout/field.ts";
import type { InspectedField } from "../sync/inspect/inspection.ts";
import { isSynchronising } from "../sync/inspect/places.ts";
import { formatNumber, NUMBER_TYPES, numberToJson, type NumberType, toHex } from "./bytes.ts";
import { quoteText, toJson } from "./escape.ts";
import { arrayOf, baseOf, type Bit, bitsOf, membersOf, type Place, unaligned } from "./fields.ts";
import type { Row } from "./rows.ts";
import { briefText } from "./sync_words.ts";

/** Where bytes are read; throws where there are none any more. */
export interface Bytes {
  at(byteOffset: number, byteLength: number): Uint8Array;
  /** Looks at a field that synchronises, which has no value; undefined where that cannot be done. */
  look?(field: Field, byteOffset: number): InspectedField | undefined;
}

/** A value. Two are the same when their texts are. */
export interface Value {
  readonly text: string;
  /** What a lock and the like has in place of a value. */
  readonly sync?: InspectedField;
  /** Undefined for a field that has no value, such as a lock. */
  readonly json: unknown;
}

/** What is read of a text. A longer one is shown up to there. */
const MAX_TEXT_BYTE_LENGTH = 2 ** 20;
/** What is shown of a text, where not all is. */
export const USUAL_TEXT_LENGTH = 200;
/** What is written of bytes at a time. */
const PIECE_BYTE_LENGTH = 2 ** 16;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The values that stand in a line. */
export function valuesOf(row: Row, bytes: Bytes, maxTextLength: number = Infinity): Value[] {
  const { field, bit, byteOffset, count, stride } = row;
  if (field.kind === "cstring") {
    return count === 0 ? [] : [textOf(field, bytes, byteOffset, maxTextLength)];
  }
  if (isSynchronising(field)) {
    return Array.from(
      { length: count },
      (_, index) => lookAt(field, byteOffset + index * stride, bytes),
    );
  }
  const read = bytes.at(byteOffset, count * stride);
  const view = new DataView(read.buffer, read.byteOffset, read.length);
  return Array.from({ length: count }, (_, index) => valueOf(field, bit, view, index * stride));
}

/** The state of what synchronises, in words. */
function lookAt(field: Field, byteOffset: number, bytes: Bytes): Value {
  const sync = bytes.look?.(field, byteOffset);
  if (sync === undefined) return { text: "-", json: undefined };
  return { text: briefText(sync), json: undefined, sync };
}

/** A value of which all bytes are there. */
function valueOf(field: Field, bit: Bit | undefined, view: DataView, at: number): Value {
  if (bit !== undefined) return bitValue(bit, numberOf(baseOf(field), view, at) as number);
  switch (field.kind) {
    case "bool":
      return of(view.getUint8(at) !== 0);
    case "enumeration": {
      const number = numberOf(baseOf(field), view, at) as number;
      const name = namesOf(field).get(number);
      return name === undefined ? { text: `${number} (no name)`, json: number } : of(name);
    }
    case "bytes": {
      const hex = toHex(new Uint8Array(view.buffer, view.byteOffset + at, view.byteLength - at));
      return { text: hex.replace(/..(?=.)/g, "$& "), json: hex };
    }
    default: {
      const base = field.kind === "atomic" ? baseOf(field) : field;
      const type = typeOf(base);
      if (type === undefined) return { text: "-", json: undefined };
      const number = type.read(view, at);
      return { text: formatNumber(number, type), json: numberToJson(number, type) };
    }
  }
}

const of = (value: boolean | number | string): Value => ({ text: String(value), json: value });

function bitValue({ shift, width }: Bit, number: number): Value {
  const value = Math.floor(number / 2 ** shift) % 2 ** width;
  return of(width === 1 ? value === 1 : value);
}

const typeOf = ({ kind }: Field): NumberType | undefined =>
  Object.hasOwn(NUMBER_TYPES, kind) ? NUMBER_TYPES[kind] : undefined;

const numberOf = (base: Field, view: DataView, at: number) =>
  (typeOf(base) as NumberType).read(view, at);

/** The names of enumerations by their numbers. */
const names = new WeakMap<Field, ReadonlyMap<number, string>>();

function namesOf(field: Field): ReadonlyMap<number, string> {
  let known = names.get(field);
  if (known === undefined) {
    const { members } = field as Field & { members: Readonly<Record<string, number>> };
    known = new Map(Object.entries(members).map(([name, number]) => [number, name]));
    names.set(field, known);
  }
  return known;
}

function textOf({ size }: Field, bytes: Bytes, at: number, maxLength: number): Value {
  const read = bytes.at(at, Math.min(size, MAX_TEXT_BYTE_LENGTH));
  const end = read.indexOf(0);
  const text = end < 0 ? read : read.subarray(0, end);
  const isWhole = end >= 0 || read.length === size;
  const json = decoder.decode(text) + (isWhole ? "" : "...");
  const exact = decodeText(text); // what is no UTF-8 is shown byte by byte
  if (exact.length <= maxLength) {
    return { text: `${quoteText(exact)}${isWhole ? "" : "..."}`, json };
  }
  const shown = exact.slice(0, maxLength).replace(/[\ud800-\udbff]$/, "");
  return { text: `${quoteText(shown)} ... and ${exact.length - shown.length} more`, json };
}

/** The JSON of a field and all that is in it, in pieces: it may be larger than a string can be. */
export function* jsonOf({ field: outer, bit, byteOffset }: Place, bytes: Bytes): Generator<string> {
  const field = unaligned(outer);
  const members = membersOf(field);
  const array = arrayOf(field);
  if (members !== undefined) {
    let before = "{";
    for (const { name, field: each, byteOffset: at } of members) {
      if (!hasValue(each)) continue;
      yield `${before}${JSON.stringify(name)}:`;
      yield* jsonOf({ path: "", byteOffset: byteOffset + at, field: each }, bytes);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  } else if (array !== undefined) {
    const { element, length } = array;
    for (let index = 0; index < length; index++) {
      yield index === 0 ? "[" : ",";
      const at = byteOffset + index * element.size;
      yield* jsonOf({ path: "", byteOffset: at, field: element }, bytes);
    }
    yield "]";
  } else if (field.kind === "bits" && bit === undefined) {
    const all = bitsOf(field) as Bit[];
    const values = all.map((each) => [each.name, leaf(field, each, bytes, byteOffset).json]);
    yield toJson(Object.fromEntries(values));
  } else if (field.kind === "bytes") {
    yield '"';
    for (let at = 0; at < field.size; at += PIECE_BYTE_LENGTH) {
      const length = Math.min(PIECE_BYTE_LENGTH, field.size - at);
      yield toHex(bytes.at(byteOffset + at, length));
    }
    yield '"';
  } else {
    yield toJson(leaf(field, bit, bytes, byteOffset).json ?? null);
  }
}

function leaf(field: Field, bit: Bit | undefined, bytes: Bytes, byteOffset: number): Value {
  if (field.kind === "cstring") return textOf(field, bytes, byteOffset, Infinity);
  const read = bytes.at(byteOffset, field.size);
  return valueOf(field, bit, new DataView(read.buffer, read.byteOffset, read.length), 0);
}

/** Whether JSON has it: fields that synchronise have no value. */
function hasValue(outer: Field): boolean {
  const field = unaligned(outer);
  const array = arrayOf(field);
  if (array !== undefined) return hasValue(array.element);
  const isKnown = typeOf(field) !== undefined || membersOf(field) !== undefined;
  return isKnown ||
    ["bool", "enumeration", "atomic", "cstring", "bytes", "bits"].includes(field.kind);
}
