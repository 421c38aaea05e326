// Usage: segment.ts create|verify SEED NAME:SIZE...
// Makes and fills segments, or compares them with what a writer is expected to have left.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";
import { countMismatches, writePattern } from "../support/pattern.ts";

const [verb, seed, ...segments] = process.argv.slice(2) as [string, string, ...string[]];

for (const each of segments) {
  const [name, size] = each.split(":") as [string, string];
  if (verb === "create") {
    using segment = SharedSegment.create(name, { size: Number(size) });
    writePattern(segment.bytes, Number(seed));
  } else {
    using segment = SharedSegment.open(name);
    console.log(`${name} ${segment.size} ${countMismatches(segment.bytes, Number(seed))}`);
  }
}
