// Usage: count_forever.ts NAME
// Counts words of a segment up until its standard input ends.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const segment = SharedSegment.open(process.argv[2] as string); // `using` would end it with the module
const words = segment.view(Int32Array);
const longs = segment.view(BigInt64Array);
const doubles = segment.view(Float64Array);
let count = 0;

// Words 2 and 3 (32 bits), 2 (64 bits) and 3 (double): see read_forever.ts.
const step = () => {
  for (let index = 0; index < 20_000; index++) {
    count++;
    Atomics.store(words, 2, count);
    Atomics.store(words, 3, count);
    Atomics.store(longs, 2, BigInt(count));
    doubles[3] = count;
  }
  timer = setTimeout(step, 0);
};
let timer = setTimeout(step, 0);
process.stdin.on("data", () => {}).on("end", () => clearTimeout(timer));
