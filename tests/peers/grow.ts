// Usage: grow.ts NAME COUNT FIRST
// Lets a segment grow by 4096 bytes many times, from a first size on, while others do the same. Fails
// when it is ever smaller than what was asked for.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const [name, count, first] = process.argv.slice(2) as [string, string, string];
using segment = SharedSegment.open(name);
for (let index = 0; index < Number(count); index++) {
  const size = Number(first) + index * 4096;
  segment.refresh();
  if (segment.size < size) segment.resize(size);
  if (segment.stat().size < size) throw new Error(`${segment.stat().size} bytes, not ${size}`);
  segment.bytes[size - 1] = 1;
}
