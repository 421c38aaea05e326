/**
 * How long the compiler takes for a large schema: 20 structs of 50 fields each, nested in each other,
 * with a value, a view and a live view of each: `node bench/types.ts [RUNS]`.
 *
 * The library itself and the compiler's own declarations are checked before, so that what is timed is
 * what the schema costs.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import process from "node:process";
import ts from "typescript";

const STRUCTS = 20;
const FIELDS = 50;

const KINDS = [
  "t.u32",
  "t.f64",
  "t.array(t.f32, 4)",
  "t.cstring(16)",
  "t.enumeration(t.u8, { red: 0, blue: 1 })",
  "t.bits(t.u16, { on: 1, level: 3 })",
  "t.atomic(t.u32)",
  "t.bool",
  "t.u64",
  "t.union({ number: t.u32, float: t.f32 })",
];

/** Each struct has the one before as a field, and an array of it. */
function schema(): string {
  const lines = [
    'import { type Infer, type InferLive, type InferView, t } from "../layout/mod.ts";',
  ];
  for (let index = 0; index < STRUCTS; index++) {
    const fields = Array.from({ length: FIELDS }, (_, at) => {
      const inner = index > 0 && at === 0 ? `S${index - 1}` : KINDS[at % KINDS.length];
      return `f${at}: ${inner},`;
    });
    lines.push(`export const S${index} = t.struct("S${index}", { ${fields.join(" ")} });`);
    lines.push(`export type V${index} = Infer<typeof S${index}>;`);
  }
  const last = STRUCTS - 1;
  const path = ".f0".repeat(last);
  lines.push(`declare const value: Infer<typeof S${last}>;`);
  lines.push(`declare const view: InferView<typeof S${last}>;`);
  lines.push(`declare const live: InferLive<typeof S${last}>;`);
  lines.push(`export const a: number = value${path}.f0 + view${path}.f0 + live${path}.f0;`);
  lines.push(`view${path}.f4 = "blue";`);
  lines.push(`export const s = JSON.stringify(S${last}.read(new Uint8Array(1)));`);
  return lines.join("\n");
}

const here = fileURLToPath(new URL(".", import.meta.url));
const schemaPath = `${here}generated_schema.ts`;
const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2024,
  lib: ["lib.esnext.d.ts", "lib.dom.d.ts"],
  allowImportingTsExtensions: true,
  types: [],
};

function checkSeconds(): number {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === schemaPath || fileExists(path);
  host.getSourceFile = (path, language, ...rest) =>
    path === schemaPath
      ? ts.createSourceFile(path, schema(), language)
      : getSourceFile(path, language, ...rest);
  const program = ts.createProgram([schemaPath], options, host);
  for (const file of program.getSourceFiles()) {
    if (file.fileName !== schemaPath) program.getSemanticDiagnostics(file);
  }
  const start = performance.now();
  const problems = program.getSemanticDiagnostics(program.getSourceFile(schemaPath));
  const seconds = (performance.now() - start) / 1000;
  if (problems.length === 0) return seconds;
  throw new Error(ts.formatDiagnostics(problems, host));
}

const [runs = "5"] = process.argv.slice(2);
const times = Array.from({ length: Number(runs) }, checkSeconds).sort((a, b) => a - b);
const median = times[Math.floor(times.length / 2)] as number;
console.log(
  `TypeScript ${ts.version}: ${STRUCTS} nested structs of ${FIELDS} fields, ${KINDS.length} kinds`,
);
console.log(
  `checked in ${median.toFixed(2)} s (${times.map((each) => each.toFixed(2)).join(", ")})`,
);
