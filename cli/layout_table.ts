/**
 * A layout as a table that people read: offsets, sizes, types, and the holes between.
 *
 * @module
 */

import type { Field } from "../layout/field.ts";
import { arrayOf, bitsOf, bitText, memberPath, membersOf, typeText, unaligned } from "./fields.ts";
import { paint } from "./output.ts";
import { type Column, layOut } from "./table.ts";
import { count } from "./units.ts";

/** A layout, of whatever copy of the library. */
export type Layout = Field & { readonly name: string; readonly fingerprint: string };

interface Line {
  /** From the start of the layout; of the first element, where there are several. */
  readonly byteOffset: number;
  readonly size: number;
  readonly type: string;
  readonly path: string;
  readonly note?: string;
}

/** How many names of an enumeration are printed. */
const MAX_NAMES = 16;

const COLUMNS: readonly Column<Line>[] = [
  { title: "OFFSET", align: "right", cell: ({ byteOffset }) => String(byteOffset) },
  { title: "SIZE", align: "right", cell: ({ size }) => String(size) },
  { title: "TYPE", cell: ({ type }) => type },
  { title: "FIELD", cell: ({ path, note }) => note === undefined ? path : `${path}  ${note}` },
];

/** The lines of a layout. */
export function layoutTable(layout: Layout): string[] {
  const { name, size, alignment, fingerprint } = layout;
  const facts = [
    name,
    count(size, "byte"),
    `aligned to ${alignment}`,
    `fingerprint ${fingerprint}`,
  ];
  return [paint("bold", facts.join(", ")), ...layOut(COLUMNS, [...linesIn(layout, 0, "")])];
}

/** The lines of what is in a field. */
function* linesIn(outer: Field, start: number, path: string): Generator<Line> {
  const field = unaligned(outer);
  const array = arrayOf(field);
  if (array !== undefined) return yield* linesIn(array.element, start, `${path}[]`);
  for (const bit of bitsOf(field) ?? []) {
    yield {
      byteOffset: start,
      size: field.size,
      type: bitText(field, bit),
      path: memberPath(path, bit.name),
      note: bit.width === 1
        ? `bit ${bit.shift}`
        : `bits ${bit.shift} to ${bit.shift + bit.width - 1}`,
    };
  }
  let end = 0;
  for (const { name, field: member, byteOffset } of membersOf(field) ?? []) {
    const hole = byteOffset - end;
    if (hole > 0) yield padding(start + end, hole);
    const inner = memberPath(path, name);
    const [at, size] = [start + byteOffset, unaligned(member).size];
    const note = noteOn(member);
    yield {
      byteOffset: at,
      size,
      type: typeText(member),
      path: inner,
      ...(note === undefined ? {} : { note }),
    };
    yield* linesIn(member, at, inner);
    end = byteOffset + size; // in a union, nothing lies behind another
  }
  if (field.kind === "struct" && end < field.size) yield padding(start + end, field.size - end);
}

const padding = (byteOffset: number, size: number): Line => ({
  byteOffset,
  size,
  type: "(padding)",
  path: "",
});

/** `red = 0, blue = 1` */
function noteOn(outer: Field): string | undefined {
  let field = unaligned(outer);
  for (let array = arrayOf(field); array !== undefined; array = arrayOf(field)) {
    field = unaligned(array.element);
  }
  if (field.kind !== "enumeration") return undefined;
  const { members } = field as Field & { members: Readonly<Record<string, number>> };
  const all = Object.entries(members);
  const shown = all.slice(0, MAX_NAMES).map(([name, number]) => `${name} = ${number}`);
  const more = all.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` ... and ${more} more` : "");
}
