/**
 * `shm dump`: what is in an object: its fields, or its bytes in hexadecimal or as numbers.
 *
 * @module
 */

import type { Arguments, Options } from "./arguments.ts";
import { type Carried, carriedBy, withoutLayout } from "./carried.ts";
import {
  type Format,
  formatOf,
  LineFormatter,
  NUMBER_TYPES,
  numberToJson,
  toHex,
} from "./bytes.ts";
import { dumpValue } from "./dump_value.ts";
import { toJson } from "./escape.ts";
import { DONE, FAILED, UsageError } from "./exit_codes.ts";
import { print, write } from "./output.ts";
import { cutOff, openSource, pieces, type Range, rangeOf, type Source } from "./read.ts";
import { report } from "./report.ts";
import { formatTarget, parseOneTarget, type Target } from "./target.ts";
import type { Verb } from "./verb.ts";

const TYPES = Object.keys(NUMBER_TYPES);

/** The options that say which bytes are shown and how. */
export const BYTES_OPTIONS: Options = {
  type: { short: "t", value: "TYPE", help: `as numbers: ${TYPES.join(" ")}` },
  columns: { short: "c", value: "N", help: "how many bytes, or numbers, stand in a line" },
  offset: { short: "s", value: "SIZE", help: "where to start" },
  length: { short: "n", value: "SIZE", help: "how many bytes; up to the end by default" },
};

/** The options of a verb that shows fields where there are some. */
export const FIELD_OPTIONS: Options = {
  raw: { short: "r", help: "as bytes, also where there is a layout; so do the options above" },
  field: { short: "f", value: "PATH", help: "one field only, such as position or items[3].id" },
};

/** Reads the options of a format. */
export function formatFrom(args: Arguments): Format {
  return formatOf(args.choice("type", TYPES), args.integer("columns", 1, 1024));
}

/** Whether bytes are asked for, even of an object that has a layout. */
export function wantsBytes(args: Arguments): boolean {
  const [option] = ["raw", ...Object.keys(BYTES_OPTIONS)].filter((name) => args.has(name));
  if (option !== undefined && args.has("field")) {
    throw new UsageError(`--${option} shows bytes, and --field a value: give one of them`);
  }
  return option !== undefined;
}

/** The verb. */
export const dump: Verb = {
  name: "dump",
  summary: "show what is in an object: its fields, or its bytes",
  operands: "TARGET",
  description:
    `An object that carries its layout is shown field by field: the offset, the path, the type
and the value. Any other is shown in hexadecimal with ASCII, as hexdump -C, or as numbers
in the byte order of the machine; lines that repeat the one above are left out, and *
stands for them. It is read through its descriptor and not mapped, so that nothing its
owner does can harm the reader. A layout that is damaged is an error, and its bytes follow.`,
  options: {
    ...BYTES_OPTIONS,
    ...FIELD_OPTIONS,
    all: { short: "a", help: "all elements of arrays; repeated lines, too" },
  },
  examples: [
    ["shm dump player", "the fields of an object that carries its layout"],
    ["shm dump player --field position", "one of them"],
    ["shm dump player --json | jq .value", "the value as JSON, all of it"],
    ["shm dump frames -s 0x1000 -n 64", "64 bytes from 4096"],
    ["shm dump frames --type f32 --columns 3", "floats, three in a line"],
    ["shm dump id:3 --type u32 --json | jq '.values[0]'", "a number of a System V segment"],
  ],
  async run(args) {
    const target = parseOneTarget(args.positionals);
    const format = formatFrom(args);
    const [offset, length] = [args.size("offset"), args.size("length")];
    const isRaw = wantsBytes(args);
    using source = openSource(target);
    let carried: Carried | undefined;
    let code = DONE;
    try {
      carried = isRaw ? undefined : carriedBy(target, source);
    } catch (error) {
      if (args.has("field")) throw error;
      await report(error, args.has("json"));
      code = FAILED;
    }
    if (carried !== undefined) return await dumpValue(target, source, carried, args);
    if (args.has("field")) throw withoutLayout("read", target);
    const range = rangeOf(target, source.size, offset, length);
    const read = args.has("json")
      ? await dumpJson(target, source, range, args.text("type"), format)
      : await dumpLines(source, range, format, !args.has("all"));
    if (read < range.byteLength) throw cutOff(target, range, read);
    return code;
  },
};

async function dumpLines(
  source: Source,
  range: Range,
  format: Format,
  squeeze: boolean,
): Promise<number> {
  const formatter = new LineFormatter(format, range.byteOffset, squeeze);
  let read = 0;
  for (const piece of pieces(source, range)) {
    await print(formatter.push(piece));
    read += piece.length;
  }
  await print(formatter.end());
  return read;
}

/** One document, written piece by piece: it may be larger than a string can be. */
async function dumpJson(
  target: Target,
  source: Source,
  range: Range,
  typeName: string | undefined,
  { type }: Format,
): Promise<number> {
  const head = { target: formatTarget(target), size: source.size, offset: range.byteOffset };
  await write(toJson({ ...head, type: typeName ?? "hex" }).slice(0, -1));
  await write(type === undefined ? ',"bytes":"' : ',"values":[');
  let read = 0;
  let comma = "";
  let rest = new Uint8Array(0);
  for (const piece of pieces(source, range)) {
    read += piece.length;
    if (type === undefined) {
      await write(toHex(piece));
      continue;
    }
    const bytes = new Uint8Array(rest.length + piece.length);
    bytes.set(rest);
    bytes.set(piece, rest.length);
    const view = new DataView(bytes.buffer);
    const values: string[] = [];
    let at = 0;
    for (; at + type.byteLength <= bytes.length; at += type.byteLength) {
      values.push(JSON.stringify(numberToJson(type.read(view, at), type)));
    }
    rest = bytes.slice(at);
    if (values.length === 0) continue;
    await write(comma + values.join(","));
    comma = ",";
  }
  const end = type === undefined ? '"' : `],"rest":"${toHex(rest)}"`;
  await write(`${end},"length":${read}}\n`);
  return read;
}
