/**
 * The value of an object that carries its layout, field by field.
 *
 * @module
 */

import { countSyncPlaces, syncPlacesIn } from "../sync/inspect/places.ts";
import type { Arguments } from "./arguments.ts";
import { type Carried, formatCreation, Payload, primitiveNoun, toLayoutRecord } from "./carried.ts";
import { displayWidth, toJson } from "./escape.ts";
import { DONE } from "./exit_codes.ts";
import { type Bytes, jsonOf, USUAL_TEXT_LENGTH, valuesOf } from "./field_values.ts";
import { findPlace, type Place } from "./fields.ts";
import { paint, print, write } from "./output.ts";
import type { Source } from "./read.ts";
import { type Row, rowsOf } from "./rows.ts";
import { fieldRecord, stateText } from "./sync_words.ts";
import { MAX_FIELDS } from "./synchronisation.ts";
import { formatTarget, type Target } from "./target.ts";
import { count } from "./units.ts";

/** Prints it. @returns The exit code. */
export async function dumpValue(
  target: Target,
  source: Source,
  carried: Carried,
  args: Arguments,
): Promise<number> {
  const bytes = new Payload(target, source, carried);
  const place = placeFrom(args, carried);
  if (args.has("json")) {
    await writeJson(target, carried, place, bytes);
    return DONE;
  }
  await print([paint("bold", heading(carried))]);
  const all = args.has("all");
  const table = new FieldTable();
  let lines: string[] = [];
  for (const row of rowsOf(place, { all })) {
    const values = valuesOf(row, bytes, all ? Infinity : USUAL_TEXT_LENGTH);
    const texts = values.map(({ text, sync }) => sync === undefined ? text : stateText(sync));
    table.add(row, valueCell(row, texts));
    if (table.length < ROWS_AT_A_TIME) continue;
    lines = table.take();
    await print(lines);
  }
  await print(table.take());
  return DONE;
}

/** The place that `--field` names; the whole layout by default. */
export function placeFrom(args: Arguments, { layout }: Carried): Place {
  const path = args.text("field");
  return path === undefined ? { path: "", byteOffset: 0, field: layout } : findPlace(layout, path);
}

/** What an object is, in a line. */
export function heading({ header, layout }: Carried): string {
  const noun = primitiveNoun(header);
  return [
    noun === undefined ? layout.name : `${noun} ${layout.name}`,
    count(layout.size, "byte"),
    `fingerprint ${layout.fingerprint}`,
    `lifetime ${header.lifetime}`,
    `created ${formatCreation(header)}`,
  ].join(", ");
}

/** The values of a line, and how many are left out. */
export function valueCell(row: Row, texts: readonly string[]): string {
  const more = row.more === 0 ? [] : [`... and ${row.more} more`];
  return [...texts, ...more].join(" ");
}

/** How many lines are aligned with each other: all, as a rule. */
const ROWS_AT_A_TIME = 1000;

/** Lines of which the columns are aligned. Their widths never shrink from one batch to the next. */
export class FieldTable {
  #widths: readonly number[] = [0, 0, 0];
  #rows: (readonly [string, string, string, string])[] = [];

  get length(): number {
    return this.#rows.length;
  }

  add({ byteOffset, path, type }: Row, value: string): void {
    this.#rows.push([String(byteOffset), path, type, value]);
  }

  /** The lines that were added since the last time. */
  take(): string[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#widths = this.#widths.map((width, column) =>
      rows.reduce((most, row) => Math.max(most, displayWidth(row[column] as string)), width)
    );
    const [offset, path, type] = this.#widths as [number, number, number];
    return rows.map((row) =>
      [row[0].padStart(offset), row[1].padEnd(path), paint("dim", row[2].padEnd(type)), row[3]]
        .join("  ").trimEnd()
    );
  }
}

/** What is written at a time. */
const PIECE_LENGTH = 2 ** 16;

/** One document, written piece by piece: it may be larger than a string can be. */
async function writeJson(
  target: Target,
  { header, layout }: Carried,
  place: Place,
  bytes: Bytes,
): Promise<void> {
  const head = {
    target: formatTarget(target),
    layout: toLayoutRecord(layout.name, header),
    ...(place.path === "" ? {} : { field: place.path }),
  };
  const synchronisation = syncFields(bytes, place);
  let text = `${toJson(head).slice(0, -1)},"value":`;
  for (const piece of jsonOf(place, bytes)) {
    text += piece;
    if (text.length < PIECE_LENGTH) continue;
    await write(text);
    text = "";
  }
  const rest = synchronisation === undefined ? {} : { synchronisation };
  const end = toJson(rest).slice(1);
  await write(`${text}${end === "}" ? "" : ","}${end}\n`);
}

/** The fields that synchronise in what is shown, as far as they are looked at; undefined for none. */
function syncFields(bytes: Bytes, { path, byteOffset, field, bit }: Place): object | undefined {
  if (bit !== undefined || field.plain) return undefined;
  const fields: object[] = [];
  for (const each of syncPlacesIn(field, path, byteOffset)) {
    const looked = bytes.look?.(each.field, each.position);
    if (looked === undefined) return undefined;
    fields.push(fieldRecord({ ...looked, path: each.path }));
    if (fields.length === MAX_FIELDS) break;
  }
  return { fields, more: countSyncPlaces(field) - fields.length };
}
