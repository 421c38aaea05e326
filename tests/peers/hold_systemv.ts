// Usage: hold_systemv.ts LIFETIME
// Creates a System V segment, prints its id, and ends without closing it when its input ends.

import process from "node:process";
import { SystemVSegment } from "../../mod.ts";

const lifetime = process.argv[2] as "creator" | "lastDetach";
const segment = SystemVSegment.create({ size: 64, lifetime });
segment.bytes[0] = 1;
console.log(segment.id);
process.stdin.resume();
