/**
 * The value of an object that carries its layout, live, field by field.
 *
 * @module
 */

import { syncPlacesIn } from "../sync/inspect/places.ts";
import type { Arguments } from "./arguments.ts";
import { type Carried, carriedBy, Payload, withoutLayout } from "./carried.ts";
import { FieldTable, placeFrom, valueCell } from "./dump_value.ts";
import { toJson } from "./escape.ts";
import { type Value, valuesOf } from "./field_values.ts";
import type { Place } from "./fields.ts";
import { isTerminal, paint, print } from "./output.ts";
import { openSource } from "./read.ts";
import { countRows, type Row, rowsOf } from "./rows.ts";
import { type Display, Ending, pause, type Rhythm, show } from "./screen.ts";
import { Scroll } from "./scroll.ts";
import { briefText, stateText } from "./sync_words.ts";
import { Sightings } from "./synchronisation.ts";
import { formatTarget, type Target } from "./target.ts";
import { count, formatClock } from "./units.ts";

/** Shows it until it has been looked at often enough, or the user ends it. @returns The exit code. */
export async function watchValue(
  target: Target,
  args: Arguments,
  rhythm: Rhythm,
): Promise<number> {
  if (isTerminal() && !args.has("json")) {
    return await show(new View(target, args, rhythm.intervalMs), rhythm);
  }
  using ending = new Ending();
  const describe = args.has("json") ? asJson : asText;
  let last = takeSnapshot(target, args);
  for (let taken = 1; taken !== rhythm.count; taken++) {
    if (await pause(ending, rhythm.intervalMs)) return ending.code as number;
    const next = takeSnapshot(target, args);
    const time = new Date().toISOString();
    if (fingerprint(last) !== fingerprint(next)) {
      await print([describe.layout(time, last.carried, next.carried)]);
    } else {
      for (const changes of batches(changesBetween(last, next))) {
        await print(changes.map((change) => describe.change(time, change)));
      }
    }
    last = next;
  }
  return 0;
}

/** The same text again and again is not parsed again and again. */
const known = new WeakMap<Target, Carried>();

/** Opened anew each time, as `watch` says why. */
function open<T>(target: Target, use: (carried: Carried, payload: Payload) => T): T {
  using source = openSource(target);
  const carried = carriedBy(target, source, known.get(target));
  if (carried === undefined) throw withoutLayout("read", target);
  known.set(target, carried);
  return use(carried, new Payload(target, source, carried));
}

/** What was there at a moment. */
interface Snapshot {
  readonly carried: Carried;
  readonly place: Place;
  readonly bytes: Uint8Array;
  /** The states of what synchronises, by the paths. */
  readonly states: ReadonlyMap<string, string>;
}

/** Of how many fields the states are compared. */
const MAX_STATES = 1024;

function takeSnapshot(target: Target, args: Arguments): Snapshot {
  return open(target, (carried, payload) => {
    const place = placeFrom(args, carried);
    return { carried, place, bytes: payload.whole(), states: statesOf(place, payload) };
  });
}

/** They are not in the bytes of the value alone: who dies changes none of them. */
function statesOf({ path, byteOffset, field, bit }: Place, payload: Payload): Map<string, string> {
  const states = new Map<string, string>();
  if (bit !== undefined) return states;
  for (const each of syncPlacesIn(field, path, byteOffset)) {
    const looked = payload.look(each.field, each.position);
    if (looked === undefined || states.size === MAX_STATES) break;
    states.set(each.path, briefText(looked));
  }
  return states;
}

const fingerprint = ({ carried }: Snapshot) => carried.layout.fingerprint;

/** A value that has changed. */
interface Change {
  readonly field: string;
  readonly old: Value;
  readonly new: Value;
}

function* changesBetween(last: Snapshot, next: Snapshot): Generator<Change> {
  const { carried: { layout }, place } = next;
  const touched = changedBytes(last.bytes, next.bytes);
  for (const row of rowsOf(place, { all: true, touched })) {
    const [before, after] = [last.bytes, next.bytes].map((bytes) =>
      valuesOf(row, { at: (start, length) => bytes.subarray(start, start + length) })
    ) as [Value[], Value[]];
    for (const [index, now] of after.entries()) {
      const old = before[index] as Value;
      if (isSame(old, now)) continue;
      yield { field: `${layout.name}${suffix(pathOf(row, index))}`, old, new: now };
    }
  }
  for (const [path, now] of next.states) {
    const old = last.states.get(path) ?? now;
    if (old === now) continue;
    yield { field: `${layout.name}${suffix(path)}`, old: words(old), new: words(now) };
  }
}

const words = (text: string): Value => ({ text, json: text });

/** By value: NaN is NaN, 0 is not -0, and what lies behind the end of a text does not matter. */
function isSame(a: Value | undefined, b: Value): boolean {
  return a?.text === b.text;
}

/** The path of one of the values of a line. */
function pathOf({ path, array, first }: Row, index: number): string {
  return array === undefined ? path : `${array}[${first + index}]`;
}

const suffix = (path: string) => path.startsWith("[") || path === "" ? path : `.${path}`;

const BLOCK_BYTE_LENGTH = 64;

/** Makes a test for whether any of some bytes has changed, or may have: it knows of whole blocks. */
function changedBytes(last: Uint8Array, next: Uint8Array): (at: number, length: number) => boolean {
  const blocks = Math.ceil(next.length / BLOCK_BYTE_LENGTH);
  /** How many blocks before each have changed. */
  const before = new Uint32Array(blocks + 1);
  for (let block = 0; block < blocks; block++) {
    const end = Math.min(next.length, (block + 1) * BLOCK_BYTE_LENGTH);
    let at = block * BLOCK_BYTE_LENGTH;
    while (at < end && last[at] === next[at]) at++;
    before[block + 1] = (before[block] as number) + (at < end ? 1 : 0);
  }
  return (at, length) => {
    const first = Math.floor(at / BLOCK_BYTE_LENGTH);
    const end = Math.ceil((at + length) / BLOCK_BYTE_LENGTH);
    return before[end] !== before[first];
  };
}

function* batches<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    if (batch.push(item) < 1000) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const named = ({ layout: { name, fingerprint } }: Carried) => ({ name, fingerprint });

const asText = {
  change: (time: string, { field, old, new: now }: Change) =>
    `${time}  ${field}  ${old.text} -> ${now.text}`,
  layout: (time: string, old: Carried, now: Carried) => {
    const text = (each: Carried) => `${each.layout.name} ${each.layout.fingerprint}`;
    return `${time}  layout  ${text(old)} -> ${text(now)}`;
  },
};

const asJson = {
  change: (time: string, { field, old, new: now }: Change) =>
    toJson({ time, field, old: old.json, new: now.json }),
  layout: (time: string, old: Carried, now: Carried) =>
    toJson({ time, layout: { old: named(old), new: named(now) } }),
};

/** The fields on a screen. */
class View implements Display {
  readonly #target: Target;
  readonly #args: Arguments;
  readonly #intervalMs: number;
  readonly #scroll = new Scroll();
  /** The values on the screen when it was drawn for the last time, by their paths. */
  #last: ReadonlyMap<string, readonly Value[]> = new Map();
  #fingerprint = "";
  readonly #sightings = new Sightings();

  constructor(target: Target, args: Arguments, intervalMs: number) {
    this.#target = target;
    this.#args = args;
    this.#intervalMs = intervalMs;
  }

  draw({ rows }: { readonly rows: number }): string[] {
    return open(this.#target, (carried, payload) => {
      const place = placeFrom(this.#args, carried);
      this.#sightings.begin();
      const scroll = this.#scroll;
      scroll.rows = rows - 1;
      scroll.lines = countRows(place, { all: true });
      const { fingerprint, name } = carried.layout;
      if (this.#fingerprint !== fingerprint) this.#last = new Map();
      this.#fingerprint = fingerprint;

      const shown = new Map<string, readonly Value[]>();
      const table = new FieldTable();
      let changed = 0;
      for (const row of rowsOf(place, { all: true, skip: scroll.line })) {
        const values = valuesOf(row, payload);
        const before = this.#last.get(row.path) ?? values;
        const texts = values.map((value, index) => {
          const text = this.#textOf(value);
          if (isSame(before[index], value)) return text;
          changed++;
          return paint("inverse", text);
        });
        shown.set(row.path, values);
        table.add(row, valueCell(row, texts));
        if (table.length === scroll.rows) break;
      }
      this.#last = shown;
      const facts = [
        formatClock(Date.now()),
        formatTarget(this.#target),
        name,
        `${count(changed, "value")} changed in ${this.#intervalMs} ms`,
      ];
      return [paint("dim", facts.join("  ")), ...table.take()];
    });
  }

  /** The state of what synchronises also tells for how long it has been seen. */
  #textOf({ text, sync }: Value): string {
    return sync === undefined ? text : stateText(sync, this.#sightings.seen("", sync));
  }

  key(key: string): boolean {
    return this.#scroll.key(key);
  }
}
