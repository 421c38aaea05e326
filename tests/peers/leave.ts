// Usage: leave.ts NAME return|exit|throw
// Creates a segment that is to live as long as its creator, and ends without closing it.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const [name, ending] = process.argv.slice(2) as [string, string];
SharedSegment.create(name, { size: 64, lifetime: "creator" });
console.log(SharedSegment.exists(name));
if (ending === "exit") process.exit(0);
if (ending === "throw") throw new Error("an end");
