// Usage: hold_file.ts PATH
// Maps a file for writing, writes 1 to its first byte, and keeps it until its input ends.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const segment = SharedSegment.openFile(process.argv[2] as string);
segment.bytes[0] = 1;
console.log("open");
process.stdin.resume();
process.stdin.on("end", () => segment.close());
