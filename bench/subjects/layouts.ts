/**
 * What a view costs against typed arrays by hand: one line of JSON, in nanoseconds for a round of two
 * writes and four reads. Called with `views` or `hand`.
 *
 * Every layout has a loop of its own, as programs have: one function for objects of many classes is
 * slow in every engine, whatever the classes are.
 *
 * @module
 */

import process from "node:process";
import { array, atomic, f64, type Fields, struct, u32, u8 } from "../../layout/mod.ts";

const byHand = process.argv[2] === "hand";
const ROUNDS = 200_000;

/** A loop that nothing else runs. */
type Loop = (target: unknown, rounds: number) => number;

function makeLoop(source: string): Loop {
  return new Function("target", "rounds", source)() as Loop;
}

/** Some layout, different from all others in names, order and offsets; and a loop over it. */
function makeCase(index: number): { target: unknown; loop: Loop } {
  const [x, y, z, w] = ["x", "y", "z", "w"].map((name) => `${name}${index}`) as string[];
  const before = Array.from(
    { length: index % 5 },
    (_, at) => [`before${at}`, index % 2 ? u8 : u32],
  );
  const Layout = struct(
    `Layout${index}`,
    Object.fromEntries([
      ...before,
      [x, u32],
      [y, u32],
      [z, f64],
      [w, f64],
      ["rest", array(f64, 1 + index % 3)],
      ["count", atomic(u32)],
    ]) as Fields,
  );
  const bytes = new Uint8Array(4096);
  const byteOffset = 128 * (index % 8);
  if (!byHand) {
    const body = `let sum = 0;
      for (let round = 0; round < rounds; round++) {
        view.${x} = round; view.${z} = sum;
        sum = view.${x} + view.${y} + view.${z} * 0.5 + view.${w};
      }
      return sum;`;
    return {
      target: Layout.view(bytes, byteOffset),
      loop: makeLoop(`return (view, rounds) => { ${body} }`),
    };
  }
  const [atX, atY, atZ, atW] = [x, y, z, w].map((name, at) =>
    (byteOffset + Layout.offsetOf(name as string)) / (at < 2 ? 4 : 8)
  );
  const body = `let sum = 0;
    for (let round = 0; round < rounds; round++) {
      words[${atX}] = round; numbers[${atZ}] = sum;
      sum = words[${atX}] + words[${atY}] + numbers[${atZ}] * 0.5 + numbers[${atW}];
    }
    return sum;`;
  const target = { words: new Uint32Array(bytes.buffer), numbers: new Float64Array(bytes.buffer) };
  return { target, loop: makeLoop(`return ({ words, numbers }, rounds) => { ${body} }`) };
}

function nanosecondsPerRound(loop: Loop, target: unknown): number {
  let best = Infinity;
  for (let attempt = 0; attempt < 20; attempt++) {
    const start = performance.now();
    loop(target, ROUNDS);
    best = Math.min(best, performance.now() - start);
  }
  return best * 1e6 / ROUNDS;
}

function measure(count: number): number {
  const cases = Array.from({ length: count }, (_, index) => makeCase(index));
  for (let warm = 0; warm < 20; warm++) {
    for (const { loop, target } of cases) loop(target, ROUNDS / 20);
  }
  const times = cases.map(({ loop, target }) => nanosecondsPerRound(loop, target));
  return times.sort((a, b) => a - b)[Math.floor(count / 2)] as number;
}

console.log(JSON.stringify({ "one layout": measure(1), "24 layouts": measure(24) }));
