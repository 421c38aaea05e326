/**
 * `shm watch`: the fields or the bytes, live, with what has changed.
 *
 * @module
 */

import {
  type Format,
  formatLine,
  formatNumber,
  formatOffset,
  numberToJson,
  type NumberType,
  toHex,
} from "./bytes.ts";
import { carriedBy, withoutLayout } from "./carried.ts";
import { BYTES_OPTIONS, FIELD_OPTIONS, formatFrom, wantsBytes } from "./dump.ts";
import { toJson } from "./escape.ts";
import { isTerminal, paint, print } from "./output.ts";
import { openSource, pieces } from "./read.ts";
import { type Display, Ending, pause, show } from "./screen.ts";
import { Scroll } from "./scroll.ts";
import { formatTarget, parseOneTarget, type Target } from "./target.ts";
import { RHYTHM_OPTIONS, rhythmFrom } from "./top.ts";
import { count, formatClock, formatSize } from "./units.ts";
import type { Verb } from "./verb.ts";
import { watchValue } from "./watch_value.ts";

/** What was there at a moment. */
interface Snapshot {
  readonly size: number;
  readonly byteOffset: number;
  readonly bytes: Uint8Array;
}

/** Opened anew each time: so it is always what has the name now, and is not kept from being freed. */
function takeSnapshot(target: Target, byteOffset: number, byteLength: number): Snapshot {
  using source = openSource(target);
  const { size } = source;
  const start = Math.min(byteOffset, size);
  const bytes = new Uint8Array(Math.min(byteLength, size - start));
  let read = 0;
  for (const piece of pieces(source, { byteOffset: start, byteLength: bytes.length })) {
    bytes.set(piece, read);
    read += piece.length;
  }
  return { size, byteOffset, bytes: bytes.subarray(0, read) };
}

/** The verb. */
export const watch: Verb = {
  name: "watch",
  summary: "show what is in an object, live, and mark what changes",
  operands: "TARGET",
  description:
    `The fields of an object that carries its layout, the bytes of any other. Keys: the arrows,
Page Up, Page Down, Home and End scroll; q and Ctrl-C end it. Where standard output is no
terminal, each change is printed in a line; with --json, as a JSON object in a line.
What changes and changes back between two looks is not seen.`,
  options: { ...BYTES_OPTIONS, ...FIELD_OPTIONS, ...RHYTHM_OPTIONS },
  examples: [
    ["shm watch player", "the fields of an object that carries its layout"],
    ["shm watch player --field position --json", "the changes of one, in JSON"],
    ["shm watch frames", "in hexadecimal"],
    ["shm watch frames --type f64 -s 64 -i 100ms", "numbers behind a header, more often"],
    ["shm watch frames -n 64 | ts", "the changes of 64 bytes, in a log"],
  ],
  exitCodes: { 130: "ended by Ctrl-C", 143: "ended by SIGTERM" },
  async run(args) {
    const target = parseOneTarget(args.positionals);
    const format = formatFrom(args);
    const rhythm = rhythmFrom(args);
    const byteOffset = args.size("offset") ?? 0;
    const byteLength = args.size("length") ?? Infinity;
    if (!wantsBytes(args)) {
      if (hasLayout(target)) return await watchValue(target, args, rhythm);
      if (args.has("field")) throw withoutLayout("read", target);
    }
    if (isTerminal() && !args.has("json")) {
      const view = new View(target, format, byteOffset, byteLength, rhythm.intervalMs);
      return await show(view, rhythm);
    }
    using ending = new Ending();
    const describe = args.has("json") ? changesAsJson : changesAsText;
    let last = takeSnapshot(target, byteOffset, byteLength);
    for (let taken = 1; taken !== rhythm.count; taken++) {
      if (await pause(ending, rhythm.intervalMs)) return ending.code as number;
      const next = takeSnapshot(target, byteOffset, byteLength);
      await print(describe(last, next, format.type));
      last = next;
    }
    return 0;
  },
};

/** Throws where there is one that cannot be read; --raw shows the bytes. */
function hasLayout(target: Target): boolean {
  using source = openSource(target);
  return carriedBy(target, source) !== undefined;
}

/** The bytes on a screen. */
class View implements Display {
  readonly #target: Target;
  readonly #format: Format;
  readonly #start: number;
  readonly #byteLength: number;
  readonly #intervalMs: number;
  readonly #scroll = new Scroll();
  #last: Snapshot | undefined;

  constructor(
    target: Target,
    format: Format,
    start: number,
    byteLength: number,
    intervalMs: number,
  ) {
    this.#target = target;
    this.#format = format;
    this.#start = start;
    this.#byteLength = byteLength;
    this.#intervalMs = intervalMs;
  }

  draw({ rows }: { readonly rows: number }): string[] {
    const { lineByteLength } = this.#format;
    const scroll = this.#scroll;
    scroll.rows = rows - 1;
    const skipped = scroll.line * lineByteLength;
    const byteOffset = this.#start + skipped;
    const room = Math.min(scroll.rows * lineByteLength, Math.max(0, this.#byteLength - skipped));
    const now = takeSnapshot(this.#target, byteOffset, room);
    const end = Math.min(this.#start + this.#byteLength, now.size);
    scroll.lines = Math.ceil((end - this.#start) / lineByteLength);

    const before = this.#last?.byteOffset === byteOffset ? this.#last.bytes : now.bytes;
    this.#last = now;
    let changed = 0;
    for (const [index, byte] of now.bytes.entries()) {
      if (before[index] !== byte) changed++;
    }
    const lines: string[] = [this.#header(now, changed)];
    for (let at = 0; at < now.bytes.length; at += lineByteLength) {
      const bytes = now.bytes.subarray(at, at + lineByteLength);
      const is = (index: number) => before[at + index] !== bytes[index];
      const mark = { is, paint: (text: string) => paint("inverse", text) };
      lines.push(formatLine(bytes, byteOffset + at, this.#format, mark));
    }
    return lines;
  }

  #header(now: Snapshot, changed: number): string {
    const facts = [
      formatClock(Date.now()),
      formatTarget(this.#target),
      formatSize(now.size),
      `${count(changed, "byte")} changed in ${this.#intervalMs} ms`,
    ];
    return paint("dim", facts.join("  "));
  }

  key(key: string): boolean {
    return this.#scroll.key(key);
  }
}

/** Bytes next to each other that have changed, or one number. */
interface Change {
  readonly byteOffset: number;
  readonly old: Uint8Array;
  readonly new: Uint8Array;
}

/** At most so many bytes make one change: a line of it can still be read. */
const MAX_CHANGE_BYTE_LENGTH = 16;

function* changesBetween(last: Snapshot, next: Snapshot, width: number): Generator<Change> {
  const end = Math.min(last.bytes.length, next.bytes.length);
  const differs = (at: number) => last.bytes[at] !== next.bytes[at];
  for (let at = 0; at < end;) {
    if (!differs(at)) {
      at++;
      continue;
    }
    let start = at;
    let behind = at + 1;
    if (width > 1) {
      start -= at % width;
      behind = Math.min(end, start + width);
    } else {
      while (behind < end && behind - start < MAX_CHANGE_BYTE_LENGTH && differs(behind)) behind++;
    }
    yield {
      byteOffset: next.byteOffset + start,
      old: last.bytes.subarray(start, behind),
      new: next.bytes.subarray(start, behind),
    };
    at = behind;
  }
}

/** One number of the bytes, when there are enough of them. */
function numberIn(bytes: Uint8Array, type: NumberType | undefined): number | bigint | undefined {
  if (type === undefined || bytes.length < type.byteLength) return undefined;
  return type.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
}

/** A number type of one byte is no reason to put changes together. */
const widthOf = (type: NumberType | undefined) => type?.byteLength ?? 1;

function* split(change: Change, type: NumberType | undefined): Generator<Change> {
  if (type?.byteLength !== 1) return void (yield change);
  for (let index = 0; index < change.old.length; index++) {
    yield {
      byteOffset: change.byteOffset + index,
      old: change.old.subarray(index, index + 1),
      new: change.new.subarray(index, index + 1),
    };
  }
}

function changesAsText(last: Snapshot, next: Snapshot, type: NumberType | undefined): string[] {
  const time = new Date().toISOString();
  const lines = last.size === next.size ? [] : [`${time}  size  ${last.size} -> ${next.size}`];
  const show = (bytes: Uint8Array) => {
    const number = numberIn(bytes, type);
    return number === undefined
      ? toHex(bytes).replace(/..(?=.)/g, "$& ")
      : formatNumber(number, type as NumberType);
  };
  for (const change of changesBetween(last, next, widthOf(type))) {
    for (const { byteOffset, old, new: now } of split(change, type)) {
      lines.push(`${time}  ${formatOffset(byteOffset)}  ${show(old)} -> ${show(now)}`);
    }
  }
  return lines;
}

function changesAsJson(last: Snapshot, next: Snapshot, type: NumberType | undefined): string[] {
  const time = new Date().toISOString();
  const lines = last.size === next.size
    ? []
    : [toJson({ time, size: { old: last.size, new: next.size } })];
  const show = (bytes: Uint8Array) => {
    const number = numberIn(bytes, type);
    return number === undefined ? toHex(bytes) : numberToJson(number, type as NumberType);
  };
  for (const change of changesBetween(last, next, widthOf(type))) {
    for (const { byteOffset, old, new: now } of split(change, type)) {
      lines.push(toJson({ time, offset: byteOffset, old: show(old), new: show(now) }));
    }
  }
  return lines;
}
