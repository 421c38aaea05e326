/**
 * The fields of a layout, whoever has made it: by their kinds and not by their classes, because a
 * layout may be of another copy of the library.
 *
 * @module
 */

import { nearest, suggestion } from "./arguments.ts";
import { NUMBER_TYPES } from "./bytes.ts";
import { typeText as describedText } from "../layout/difference.ts";
import type { Field } from "../layout/field.ts";
import { SCALARS } from "../layout/scalar.ts";

/** A field at its place in a struct or union. */
export interface Member {
  readonly name: string;
  readonly field: Field;
  /** From the start of what it is a member of. */
  readonly byteOffset: number;
}

/** A member of bit fields. */
export interface Bit {
  readonly name: string;
  readonly shift: number;
  readonly width: number;
}

/** A field, or one of several values in a number, within a layout. */
export interface Place {
  /** As in `items[3].id`; empty for the layout itself. */
  readonly path: string;
  readonly byteOffset: number;
  readonly field: Field;
  readonly bit?: Bit;
}

/** The field that carries the value: what was aligned, or the field itself. */
export function unaligned(field: Field): Field {
  const isAligned = field.kind === "align" || field.kind === "cacheLine";
  return isAligned ? (field as Field & { field: Field }).field : field;
}

/** The members of a struct or a union; undefined for any other field. */
export function membersOf(field: Field): readonly Member[] | undefined {
  if (field.kind !== "struct" && field.kind !== "union") return undefined;
  return (field as Field & { members: readonly Member[] }).members;
}

/** The element and the length of an array; undefined for any other field. */
export function arrayOf(
  field: Field,
): { readonly element: Field; readonly length: number } | undefined {
  if (field.kind !== "array") return undefined;
  return field as Field & { element: Field; length: number };
}

/** The members of bit fields; undefined for any other field. */
export function bitsOf(field: Field): Bit[] | undefined {
  if (field.kind !== "bits") return undefined;
  let shift = 0;
  const { widths } = field as Field & { widths: Readonly<Record<string, number>> };
  return Object.entries(widths).map(([name, width]) => {
    shift += width;
    return { name, shift: shift - width, width };
  });
}

/** The field that is in memory for an enumeration, an atomic number, or bit fields. */
export function baseOf(field: Field): Field {
  return (field as Field & { base: Field }).base;
}

/** Whether many of it stand in a line: numbers, truth values and names. */
export function isSmall({ kind }: Field): boolean {
  return Object.hasOwn(NUMBER_TYPES, kind) || kind === "bool" || kind === "enumeration" ||
    kind === "atomic";
}

/** `f64[3]`, `atomic(u32)`, `cstring(32)`; a struct by its name. */
export function typeText(field: Field): string {
  const array = arrayOf(field);
  if (array !== undefined) {
    let dimensions = "";
    let element: Field = field;
    for (let each = arrayOf(element); each !== undefined; each = arrayOf(element)) {
      dimensions += `[${each.length}]`;
      element = each.element;
    }
    return `${typeText(element)}${dimensions}`;
  }
  switch (field.kind) {
    case "struct":
      return (field as Field & { name: string }).name;
    case "cstring":
    case "bytes":
      return `${field.kind}(${field.size})`;
    case "atomic":
    case "enumeration":
    case "bits":
      return `${field.kind}(${baseOf(field).kind})`;
    case "align":
      return `align(${field.alignment}, ${typeText(unaligned(field))})`;
    case "cacheLine":
      return `cacheLine(${typeText(unaligned(field))})`;
    case "union":
      return field.kind;
    default:
      return describedText(field.describe());
  }
}

/** `u16:3`: three bits of a number. */
export function bitText(field: Field, { width }: Bit): string {
  return `${baseOf(field).kind}:${width}`;
}

/** The path of a member. */
export function memberPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

const STEP = /(?:^|\.)([A-Za-z_]\w*)|\[(\d{1,10})\]/y;

/**
 * Finds a field.
 *
 * @param layout The layout; its name may precede the path.
 * @param path As in `position`, `items[3].id`, `flags.alive`.
 * @throws {RangeError} When there is none.
 */
export function findPlace(layout: Field & { readonly name: string }, path: string): Place {
  const prefix = `${layout.name}.`;
  const found = placeAt(layout, path) ??
    (path.startsWith(prefix) ? placeAt(layout, path.slice(prefix.length)) : undefined);
  if (found !== undefined) return found;
  const names = (membersOf(layout) ?? []).map(({ name }) => name);
  const near = suggestion(nearest(path, names));
  throw new RangeError(`${layout.name} has no field ${JSON.stringify(path)}${near}`);
}

function placeAt(layout: Field, path: string): Place | undefined {
  let place: Place | undefined = { path: "", byteOffset: 0, field: layout };
  STEP.lastIndex = 0;
  do {
    const start = STEP.lastIndex;
    const [step, name, index] = STEP.exec(path) ?? [];
    // A dot stands between names and nowhere else.
    if (step === undefined || start === 0 && (name === undefined || step.startsWith("."))) {
      return undefined;
    }
    place = name === undefined ? elementAt(place, Number(index)) : memberAt(place, name);
  } while (place !== undefined && STEP.lastIndex < path.length);
  return place;
}

function memberAt({ path, byteOffset, field, bit }: Place, name: string): Place | undefined {
  const inner = unaligned(field);
  const named = (each: { readonly name: string }) => each.name === name;
  const found = bitsOf(inner)?.find(named);
  if (found !== undefined && bit === undefined) {
    return { path: memberPath(path, name), byteOffset, field: inner, bit: found };
  }
  const member = membersOf(inner)?.find(named);
  if (member === undefined) return undefined;
  return {
    path: memberPath(path, name),
    byteOffset: byteOffset + member.byteOffset,
    field: member.field,
  };
}

function elementAt({ path, byteOffset, field }: Place, index: number): Place | undefined {
  const inner = unaligned(field);
  const { element, length } = inner.kind === "bytes"
    ? { element: SCALARS.get("u8") as Field, length: inner.size }
    : arrayOf(inner) ?? { element: inner, length: 0 };
  if (index >= length) return undefined;
  return {
    path: `${path}[${index}]`,
    byteOffset: byteOffset + index * element.size,
    field: element,
  };
}
