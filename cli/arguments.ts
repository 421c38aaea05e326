/**
 * Reading the command line of a verb.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "./exit_codes.ts";
import { parseDuration, parseMode, parseSize } from "./units.ts";

/** An option, by its long name. */
export interface Option {
  /** Its letter. */
  readonly short?: string;
  /** What its value is called in the help; without one it is a switch. */
  readonly value?: string;
  /** What the help says of it. */
  readonly help: string;
}

/** The options of a verb. */
export type Options = Readonly<Record<string, Option>>;

/** The options that every verb has. */
export const COMMON: Options = {
  json: { help: "print JSON, and errors as JSON too" },
  help: { short: "h", help: "show this help" },
};

/** The options that were given, and the arguments that are none. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: ReadonlyMap<string, string | true>;

  constructor(positionals: readonly string[], values: ReadonlyMap<string, string | true>) {
    this.positionals = positionals;
    this.#values = values;
  }

  /** Whether a switch was given, or an option at all. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of an option; of the last one when it was given twice. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === true ? undefined : value;
  }

  /** A number of bytes. */
  size(name: string): number | undefined {
    return this.#read(name, parseSize, "a number of bytes such as 4096, 0x1000, 64K or 1.5G");
  }

  /** A time, in milliseconds. */
  duration(name: string): number | undefined {
    return this.#read(name, parseDuration, "a time such as 500ms, 2s, 10m, 3h or 1d");
  }

  /** Permission bits. */
  mode(name: string): number | undefined {
    return this.#read(name, parseMode, "permission bits in octal, such as 600");
  }

  /** A whole number within bounds. */
  integer(name: string, minimum: number, maximum: number): number | undefined {
    const parse = (text: string) => {
      const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : NaN;
      return value >= minimum && value <= maximum ? value : undefined;
    };
    return this.#read(name, parse, `a whole number from ${minimum} to ${maximum}`);
  }

  /** One of a few words. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const parse = (text: string) => choices.find((choice) => choice === text);
    return this.#read(name, parse, `one of ${choices.join(", ")}`);
  }

  #read<T>(name: string, parse: (text: string) => T | undefined, rule: string): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value !== undefined) return value;
    throw new UsageError(`--${name} must be ${rule}, received ${JSON.stringify(text)}`);
  }
}

/** Reads arguments; throws a `UsageError` that says what would have been right. */
export function readArguments(args: readonly string[], own: Options): Arguments {
  const options: Options = { ...own, ...COMMON };
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { short, value }]) => [name, {
      type: value === undefined ? "boolean" as const : "string" as const,
      ...(short === undefined ? {} : { short }),
    }]),
  );
  // Not strict: the checks below are, and they know what was meant.
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) {
      const near = rawName.startsWith("--") ? nearest(name, Object.keys(options)) : undefined;
      throw new UsageError(`there is no option ${rawName}${suggestion(near, "--")}`);
    }
    if (option.value === undefined) {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
      values.set(name, true);
    } else {
      const isMissing = value === undefined || (!inlineValue && /^-./.test(value));
      if (isMissing) throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
      values.set(name, value);
    }
  }
  return new Arguments(positionals, values);
}

/** `; did you mean --force?` */
export function suggestion(near: string | undefined, prefix: string = ""): string {
  return near === undefined ? "" : `; did you mean ${prefix}${near}?`;
}

/** The word that was probably meant; undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  if (best === undefined) return undefined;
  return best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** How many letters have to be put in, left out, replaced or swapped with the next. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1] as number[];
      const replaced = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? ((rows[i - 2] as number[])[j - 2] as number) + 1
        : Infinity;
      row.push(Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, replaced, swapped));
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}
