// Usage: open_or_create.ts NAME
// Says that it starts, opens or creates a segment, counts itself in it, and tells which it was.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

console.log("started");
using segment = SharedSegment.openOrCreate(process.argv[2] as string, { size: 64 });
Atomics.add(segment.view(Int32Array), 0, 1);
console.log(segment.created ? "created" : "opened");
