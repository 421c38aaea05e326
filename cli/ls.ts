/**
 * `shm ls`: what there is.
 *
 * @module
 */

import type { Arguments, Options } from "./arguments.ts";
import { briefOf, primitiveNoun } from "./carried.ts";
import { toJson } from "./escape.ts";
import { DONE, UsageError } from "./exit_codes.ts";
import {
  formatHolders,
  formatUser,
  isOrphan,
  KINDS,
  listObjects,
  type SharedObject,
  toRecord,
} from "./objects.ts";
import { print } from "./output.ts";
import {
  briefSync,
  formatTroubles,
  type TroubledField,
  troubleRecords,
  troublesIn,
} from "./synchronisation.ts";
import { type Column, layOut } from "./table.ts";
import { formatTarget, matcher } from "./target.ts";
import { count, formatAge, formatKey, formatOctal, formatSize } from "./units.ts";
import type { Verb } from "./verb.ts";

/** By what objects are sorted: ascending for words, descending for numbers. */
type Order = (a: SharedObject, b: SharedObject) => number;

const number = (value: number | undefined) => value ?? -1;
const word = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;

/** The orders, by the name of the column. */
export const ORDERS: Readonly<Record<string, Order>> = {
  name: (a, b) => word(a.label, b.label),
  kind: (a, b) => word(a.kind, b.kind),
  owner: (a, b) => word(formatUser(a.uid), formatUser(b.uid)),
  held: (a, b) => number(b.processes?.length) - number(a.processes?.length),
  size: (a, b) => number(b.size) - number(a.size),
  resident: (a, b) => number(b.residentBytes) - number(a.residentBytes),
  age: (a, b) => number(a.bornMs) - number(b.bornMs),
};

/** The columns of a table of objects. */
export function objectColumns(exact: boolean, nowMs: number): Column<SharedObject>[] {
  const bytes = (value: number | undefined) => value === undefined ? "-" : formatSize(value, exact);
  return [
    { title: "KIND", cell: ({ kind }) => kind },
    { title: "MODE", cell: ({ mode }) => mode === undefined ? "?" : formatOctal(mode) },
    { title: "OWNER", cell: ({ uid }) => formatUser(uid) },
    { title: "HELD", align: "right", cell: formatHolders },
    { title: "SIZE", align: "right", cell: ({ size }) => bytes(size) },
    { title: "RESIDENT", align: "right", cell: ({ residentBytes }) => bytes(residentBytes) },
    {
      title: "AGE",
      align: "right",
      cell: ({ bornMs }) => bornMs === undefined ? "?" : formatAge(nowMs - bornMs),
    },
    {
      title: "NAME",
      cell: nameCell,
      style: (object) =>
        troublesOf(object).length > 0 ? "red" : isOrphan(object) ? "yellow" : undefined,
    },
  ];
}

/** What is wrong with what synchronises in an object: looked at once for each. */
const troubles = new WeakMap<SharedObject, TroubledField[]>();

function troublesOf(object: SharedObject): TroubledField[] {
  let found = troubles.get(object);
  if (found === undefined) troubles.set(object, found = troublesIn(briefSync(object.target)));
  return found;
}

/** An object as JSON has it in a list. */
export function toListRecord(object: SharedObject): object {
  return { ...toRecord(object), troubles: troubleRecords(troublesOf(object)) };
}

function nameCell(object: SharedObject): string {
  const { kind, label, info } = object;
  switch (kind) {
    case "semaphore":
      return info.value === undefined ? label : `${label}  value ${info.value}`;
    case "semset":
      return `${label}${keyCell("semkey", info.key)}  ${count(info.count, "semaphore")}`;
    case "systemv":
      return `${label}${keyCell("key", info.key)}${info.removed ? "  removed" : ""}`;
    default:
      return `${label}${layoutCell(object)}${troubleCell(object)}`;
  }
}

/** What an object adds: what it is, or the name of its layout. One look at each is enough: they are a table of a moment. */
function layoutCell({ target }: SharedObject): string {
  const brief = briefOf(target);
  if (brief === undefined) return "";
  if (brief.trailer === undefined) return "  layout unreadable";
  return `  ${primitiveNoun(brief.trailer) ?? `layout ${brief.name ?? "of no name"}`}`;
}

function troubleCell(object: SharedObject): string {
  const text = formatTroubles(troublesOf(object));
  return text === "" ? "" : `  (${text})`;
}

const keyCell = (scheme: string, key: number) => key === 0 ? "" : `  ${scheme}:${formatKey(key)}`;

/** The options by which objects are chosen and sorted. */
export const CHOICE_OPTIONS: Options = {
  kind: { short: "k", value: "KIND", help: `only some of ${KINDS.join(",")}` },
  owner: { short: "u", value: "USER", help: "only those of a user, by name or number" },
  orphans: { short: "o", help: "only those that no process is known to hold" },
  all: { short: "a", help: "also memory without a name: memfds, unlinked segments" },
  sort: { short: "s", value: "COLUMN", help: `sort by ${Object.keys(ORDERS).join(", ")}` },
  reverse: { short: "r", help: "sort the other way round" },
};

/** Checks the options, and makes a function that lists what they ask for. */
export function chooser(args: Arguments): () => SharedObject[] {
  const kinds = args.text("kind")?.split(",");
  const unknown = kinds?.find((kind) => !KINDS.some((known) => known === kind));
  if (unknown !== undefined) {
    throw new UsageError(`--kind must be some of ${KINDS.join(", ")}, received "${unknown}"`);
  }
  const owner = args.text("owner");
  const patterns = args.positionals.map(matcher);
  const withUnnamed = args.has("all") || kinds?.includes("memfd") === true;
  return () =>
    listObjects(withUnnamed)
      .filter((object) => kinds === undefined || kinds.includes(object.kind))
      .filter(({ uid }) =>
        owner === undefined || owner === formatUser(uid) || owner === String(uid)
      )
      .filter((object) => !args.has("orphans") || isOrphan(object))
      .filter((object) =>
        patterns.length === 0 || patterns.some((matches) => isMatch(object, matches))
      );
}

/** The column that `--sort` names. */
export function orderFrom(args: Arguments, usual: string): string {
  return args.choice("sort", Object.keys(ORDERS)) ?? usual;
}

/** Sorts objects by a column, and by name where that says nothing. */
export function sorted(
  objects: readonly SharedObject[],
  column: string,
  reverse: boolean,
): SharedObject[] {
  const order = ORDERS[column] as Order;
  const sign = reverse ? -1 : 1;
  return objects.toSorted((a, b) => sign * (order(a, b) || word(a.label, b.label)));
}

/** Whether a pattern is of an object: of its name, its number or its key. */
export function isMatch(
  { kind, label, info }: SharedObject,
  matches: (printed: string) => boolean,
): boolean {
  if (matches(label)) return true;
  if (kind !== "systemv" && kind !== "semset") return false;
  const { key } = info as { key: number };
  const target = { kind, key } as const;
  return key !== 0 && matches(formatTarget(target));
}

/** The verb. */
export const ls: Verb = {
  name: "ls",
  summary: "list segments and semaphores",
  operands: "[PATTERN]...",
  description:
    `One table for POSIX segments, System V segments and semaphores. HELD is the number of
processes that have it mapped or open; "2+" means that there may be more, in processes
of other users. AGE is the time since it was made (System V: made or changed). Orphans,
which nobody holds, are yellow. Red are objects of which a lock has a dead owner or needs
repair, which whoever locks it next is told, or a barrier is broken. In patterns, * stands
for any characters and ? for one.`,
  options: {
    ...CHOICE_OPTIONS,
    bytes: { short: "b", help: "sizes in bytes, exactly" },
    "no-header": { help: "no line of titles" },
  },
  examples: [
    ["shm ls", "everything that has a name"],
    ["shm ls 'frames-*' --sort size", "the largest first"],
    ["shm ls --kind systemv,semaphore", "some kinds"],
    ["shm ls --orphans --owner root", "what nobody holds"],
    ["shm ls --json | jq -r '.[].target'", "names, as arguments have them"],
  ],
  async run(args) {
    const order = orderFrom(args, "name");
    const objects = sorted(chooser(args)(), order, args.has("reverse"));
    if (args.has("json")) {
      await print([toJson(objects.map(toListRecord), 2)]);
      return DONE;
    }
    const lines = layOut(objectColumns(args.has("bytes"), Date.now()), objects);
    if (args.has("no-header")) lines.shift();
    if (objects.length > 0) await print(lines);
    return DONE;
  },
};
