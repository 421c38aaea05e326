// Usage: hold_counter.ts NAME LIFETIME
// Creates an object, prints its process id, and keeps the object until its standard input ends.

import process from "node:process";
import { type ObjectLifetime, SharedObject, t } from "../../mod.ts";

const [name, lifetime] = process.argv.slice(2) as [string, ObjectLifetime];
SharedObject.create(name, t.struct("Held", { count: t.u32 }), {}, { lifetime });
console.log(process.pid); // which is not that of whatever has started the runtime
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
