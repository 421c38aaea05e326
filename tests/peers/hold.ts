// Usage: hold.ts NAME
// Attaches to a segment, and keeps it until its standard input ends.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

SharedSegment.open(process.argv[2] as string);
console.log("ready");
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
