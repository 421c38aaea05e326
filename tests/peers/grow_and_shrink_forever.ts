// Usage: grow_and_shrink_forever.ts NAME
// Changes the size of a segment between 4096 and 100,000 bytes, until it is killed.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

using segment = SharedSegment.open(process.argv[2] as string);
for (let index = 0;; index++) {
  segment.resize(100_000);
  segment.bytes[99_999] = 1;
  segment.resize(4096);
  if (index === 0) console.log("started");
}
