/**
 * `shm layout`: what the bytes of an object mean, for people and for other languages.
 *
 * @module
 */

import { toC } from "../layout/c.ts";
import { difference } from "../layout/difference.ts";
import type { Fields } from "../layout/field.ts";
import { isStruct, type Struct } from "../layout/struct.ts";
import type { Arguments } from "./arguments.ts";
import { carriedBy, primitiveNoun, withoutLayout } from "./carried.ts";
import { toJson } from "./escape.ts";
import { DONE, FAILED, UsageError } from "./exit_codes.ts";
import { type Export, importLayouts, isModule, listed } from "./import_layouts.ts";
import { layoutTable } from "./layout_table.ts";
import { print, write } from "./output.ts";
import { openSource } from "./read.ts";
import { parseTarget } from "./target.ts";
import type { Verb } from "./verb.ts";

/** What a layout can be written as. */
const LANGUAGES = ["text", "c", "rust", "python", "json"] as const;

const USUAL_LANGUAGE = "text";

/** The verb. */
export const layout: Verb = {
  name: "layout",
  summary: "print the layout of an object, or of a module, for any language",
  operands: "TARGET|MODULE",
  description:
    `TARGET is an object that carries its layout. MODULE is TypeScript or JavaScript that exports
what t.struct() gives: its path, with a slash or with .ts, .mts, .js or .mjs behind (/x.ts
is an object). It is imported, so it runs: in a runtime with permissions, with those that
this program has, which must include reading it. TEXT and C have all layouts of a module.
--diff prints a line for each field that differs, "here" being the operand and "there" the
other one, and nothing when they are equal.`,
  options: {
    lang: { short: "l", value: "LANG", help: `one of ${LANGUAGES.join(", ")}; c is C++, too` },
    export: { short: "e", value: "NAME", help: "one layout of a module that exports several" },
    diff: { short: "d", value: "OTHER", help: "compare with another object or module" },
  },
  examples: [
    ["shm layout player", "a table of fields, with the holes between"],
    ["shm layout player -l c > player.h", "a header for C and C++"],
    ["shm layout ./schema.ts -e Player -l rust", "a module for Rust"],
    ["shm layout player --diff ./schema.ts", "in CI: whether they still agree"],
  ],
  exitCodes: { 1: "the layouts differ, or something failed" },
  runsModules: true,
  async run(args) {
    const { positionals } = args;
    if (positionals.length !== 1) {
      throw new UsageError(
        positionals.length === 0
          ? "name an object or a module"
          : "name one object or module; the other one of two follows --diff",
      );
    }
    const operand = positionals[0] as string;
    const other = args.text("diff");
    const language = languageFrom(args);
    if (args.has("export") && ![operand, other ?? ""].some(isModule)) {
      throw new UsageError("--export is for modules; an object has one layout");
    }
    const found = await layoutsOf(operand, args);
    if (other === undefined) return await printLayouts(found, operand, language);
    return await printDifference(found, operand, await layoutsOf(other, args), other, args);
  },
};

type Language = typeof LANGUAGES[number];

function languageFrom(args: Arguments): Language {
  const language = args.choice("lang", LANGUAGES);
  if (args.has("diff") && language !== undefined) {
    throw new UsageError("give --diff or --lang, not both");
  }
  if (!args.has("json")) return language ?? USUAL_LANGUAGE;
  if (language === undefined || language === "json") return "json";
  throw new UsageError(`give --json or --lang ${language}, not both`);
}

/** The layouts of an operand: one of an object, all of a module but for `--export`. */
async function layoutsOf(operand: string, args: Arguments): Promise<Export[]> {
  if (isModule(operand)) {
    return await importLayouts(operand, args.text("export"));
  }
  const target = parseTarget(operand);
  using source = openSource(target);
  const carried = carriedBy(target, source);
  if (carried === undefined) throw withoutLayout("read", target);
  const { header, layout } = carried;
  return [{ name: layout.name, layout, opens: primitiveNoun(header) === undefined }];
}

async function printLayouts(
  found: readonly Export[],
  operand: string,
  language: Language,
): Promise<number> {
  if (language === "text") {
    const tables = found.map(({ layout }) => layoutTable(layout));
    await print(tables.flatMap((table, index) => index === 0 ? table : ["", ...table]));
  } else if (language === "c") {
    await write(found.map(({ layout, opens = true }) => headerOf(layout, opens)).join("\n"));
  } else {
    await write(WRITERS[language](only(found, operand)));
  }
  return DONE;
}

/** A layout of a module may be of another copy of the library, and those of objects are of this one. */
function headerOf(layout: Struct<Fields>, opens: boolean): string {
  return !opens && isStruct(layout) ? toC(layout, false) : layout.toC();
}

const WRITERS: Readonly<Record<"rust" | "python" | "json", (layout: Struct<Fields>) => string>> = {
  rust: (layout) => layout.toRust(),
  python: (layout) => layout.toPython(),
  json: (layout) => `${toJson(layout.describe(), 2)}\n`,
};

/** The one layout that there is. */
function only(found: readonly Export[], operand: string): Struct<Fields> {
  const [first, second] = found as [Export, Export?];
  if (second === undefined) return first.layout;
  throw new UsageError(
    `${JSON.stringify(operand)} exports several layouts; choose one by --export: ${listed(found)}`,
  );
}

async function printDifference(
  here: readonly Export[],
  operand: string,
  there: readonly Export[],
  other: string,
  args: Arguments,
): Promise<number> {
  const [ours, theirs] = pair(here, operand, there, other);
  const lines = difference(ours, theirs);
  if (args.has("json")) {
    const sides = [ours, theirs].map(({ name, fingerprint }) => ({ name, fingerprint }));
    await print([toJson({ here: sides[0], there: sides[1], differences: lines })]);
  } else await print(lines);
  return lines.length === 0 ? DONE : FAILED;
}

/** Of several, the one that is called as the other side is. */
function pair(
  here: readonly Export[],
  operand: string,
  there: readonly Export[],
  other: string,
): [Struct<Fields>, Struct<Fields>] {
  if (here.length > 1 && there.length > 1) return [only(here, operand), only(there, other)];
  if (here.length > 1) return [namesake(here, operand, there), only(there, other)];
  return [
    only(here, operand),
    there.length > 1 ? namesake(there, other, here) : only(there, other),
  ];
}

function namesake(
  several: readonly Export[],
  operand: string,
  [single]: readonly Export[],
): Struct<Fields> {
  const named = several.filter(({ layout }) => layout.name === single?.layout.name);
  return only(named.length === 1 ? named : several, operand);
}
