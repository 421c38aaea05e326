/**
 * What one operation through a view costs against the same by hand: one line of JSON, in nanoseconds.
 * Called with `views`, `arrays` or `DataView`.
 *
 * What makes the loops fair:
 * - by hand the position comes in a variable, as that of a view does: a struct is somewhere in the
 *   memory. The `naive` ones have it as a constant, which lets the compiler keep a number in a
 *   register that another process should see change;
 * - every value read is added to what is returned, every value written is another one. Engines do not
 *   drop a store that the next round overwrites: by hand a round takes a cycle, which is a store;
 * - `copy` writes what comes out of an array: of a counter the compiler may know that it fits;
 * - no two loops have the same source, since V8 would let them share what it learns of types.
 *
 * @module
 */

import process from "node:process";
import { array, atomic, type Fields, struct, t } from "../../layout/mod.ts";

const mode = process.argv[2] ?? "views";
const ROUNDS = 100_000;

type Kind = "u8" | "i16" | "u32" | "u64" | "f32" | "f64" | "bool";

const ELEMENTS: Record<Kind, string> = {
  u8: "Uint8",
  i16: "Int16",
  u32: "Uint32",
  u64: "BigUint64",
  f32: "Float32",
  f64: "Float64",
  bool: "Uint8",
};

/** What is copied. The first is there when it is read. */
const VALUES: Record<Kind, readonly unknown[]> = {
  u8: [1, 20, 3, 40, 5, 60, 7, 80],
  i16: [1, -20, 300, 40, -5, 60, 7, 8000],
  u32: [1, 20, 300, 40, 5, 60, 7, 80],
  u64: [1n, 20n, 2n ** 40n, 40n, 5n, 60n, 7n, 80n],
  f32: [1, 2.5, 3, 4e10, 5, 6.25, 7, 8],
  f64: [1, 2.5, 3, 4e10, 5, 6.25, 7, 8],
  bool: [true, false, false, true, true, false, true, true],
};

/** The body of a loop; `X` is the field, and `X = (...)` writes it. */
const OPERATIONS: readonly (readonly [title: string, Kind, body: string])[] = [
  ["u32 read", "u32", "sum += X"],
  ["u32 write", "u32", "X = (round)"],
  ["u32 copy", "u32", "X = (values[round & 7])"],
  ["u32 copy, above 2^31", "u32", "X = (values[round & 7] + 3e9)"],
  ["u32 += 1", "u32", "X = (X + 1)"],
  ["f64 read", "f64", "sum += X"],
  ["f64 write", "f64", "X = (round * 0.5)"],
  ["f64 copy", "f64", "X = (values[round & 7])"],
  ["f64 += 0.5", "f64", "X = (X + 0.5)"],
  ["f32 write", "f32", "X = (round * 0.5)"],
  ["f32 copy", "f32", "X = (values[round & 7])"],
  ["u8 read", "u8", "sum += X"],
  ["u8 write", "u8", "X = (round & 0xff)"],
  ["u8 copy", "u8", "X = (values[round & 7])"],
  ["i16 read", "i16", "sum += X"],
  ["i16 write", "i16", "X = (round & 0x7fff)"],
  ["i16 copy", "i16", "X = (values[round & 7])"],
  ["bool read", "bool", "if (X) sum++"],
  ["bool write", "bool", "X = ((round & 1) === 0)"],
  ["u64 read", "u64", "if (X === 7n) sum++"],
  ["u64 write", "u64", "X = (values[round & 7])"],
  ["u64 += 1n", "u64", "X = (X + 1n)"],
];

/** Also with a constant position by hand. */
const NAIVE = /^(u32|f64) (?!copy)/;

interface Case {
  readonly loop: (target: unknown, at: number, values: unknown, rounds: number) => number;
  readonly target: unknown;
  /** The start of the struct, in elements of a typed array or in bytes. */
  readonly at: number;
  readonly values: unknown;
  best: number;
}

/** Replaces `X` as the mode says. */
function spell(body: string, kind: Kind, get: string): string {
  const set = (value: string) => kind === "bool" ? `${value} ? 1 : 0` : value;
  const read = kind === "bool" && mode !== "views" ? `(${get} !== 0)` : get;
  const [, written] = /^X = \((.*)\)$/.exec(body) ?? [];
  if (written === undefined) return body.replaceAll("X", read);
  const value = written.replaceAll("X", read);
  if (mode === "views") return `${get} = ${value}`;
  if (mode === "arrays") return `${get} = ${set(value)}`;
  const [position] = get.slice(get.indexOf("(") + 1).split(", true)") as [string];
  return `target.set${ELEMENTS[kind]}(${position}, ${set(value)}, true)`;
}

/** Some layout, different from all others in names, order and offsets; and a loop over it. */
function makeCase(title: string, kind: Kind, body: string, index: number, naive: boolean): Case {
  const name = `x${index}`;
  const before = Array.from(
    { length: index % 5 },
    (_, at) => [`before${at}`, index % 2 ? t.u8 : t.u32],
  );
  const Layout = struct(
    `Layout${index}`,
    Object.fromEntries([
      ...before,
      [name, t[kind]],
      [`y${index}`, t.u32],
      ["rest", array(t.f64, 1 + index % 3)],
      ["count", atomic(t.u32)],
    ]) as Fields,
  );
  const bytes = new Uint8Array(4096);
  const start = 128 * (index % 8);
  const view = Layout.view(bytes, start) as Record<string, unknown>;
  view[name] = VALUES[kind][0];

  const unit = mode === "arrays" ? t[kind].size : 1;
  const offset = Layout.offsetOf(name) / unit;
  const place = naive ? `${start / unit + offset}` : `at + ${offset}`;
  const get = mode === "views"
    ? `target.${name}`
    : mode === "arrays"
    ? `target[${place}]`
    : `target.get${ELEMENTS[kind]}(${place}, true)`;
  const elements = globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => unknown>;
  const target = mode === "views"
    ? view
    : new elements[mode === "arrays" ? `${ELEMENTS[kind]}Array` : "DataView"]!(bytes.buffer);
  const source = `/* ${title} ${index} ${naive} */ let sum = 0;
    for (let round = 0; round < rounds; round++) { ${spell(body, kind, get)}; }
    return sum;`;
  return {
    loop: new Function("target", "at", "values", "rounds", source) as Case["loop"],
    target,
    at: start / unit,
    values: [...VALUES[kind]],
    best: Infinity,
  };
}

/** Runs all loops; pauses, for compilers that work beside. */
async function run(cases: readonly Case[], rounds: number, times: number): Promise<void> {
  for (const one of cases) {
    for (let count = 0; count < times; count++) {
      const start = performance.now();
      one.loop(one.target, one.at, one.values, rounds);
      one.best = Math.min(one.best, (performance.now() - start) * 1e6 / rounds);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
}

const figures: Record<string, number> = {};
for (const count of [1, 24]) {
  const all = OPERATIONS.flatMap(([title, kind, body]) =>
    (NAIVE.test(title) ? [false, true] : [false]).map((naive) => ({
      title: `${title}${naive ? ", naive" : ""}, ${count}`,
      cases: Array.from(
        { length: count },
        (_, index) => makeCase(`${title} ${count}`, kind, body, index, naive),
      ),
    }))
  );
  const cases = all.flatMap(({ cases }) => cases);
  for (let pass = 0; pass < 10; pass++) await run(cases, ROUNDS / 5, 3);
  for (const one of cases) one.best = Infinity;
  for (let pass = 0; pass < 10; pass++) await run(cases, ROUNDS, 3);
  for (const { title, cases } of all) {
    const sorted = cases.map(({ best }) => best).sort((a, b) => a - b);
    figures[title] = sorted[Math.floor(count / 2)] as number;
  }
}
console.log(JSON.stringify(figures));
