// Usage: hold_anonymous.ts
// Makes anonymous memory, prints the path of it, and keeps it until its input ends.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const segment = SharedSegment.anonymous({ size: 64 });
segment.bytes[0] = 1;
console.log(segment.path);
process.stdin.resume();
process.stdin.on("end", () => segment.close());
