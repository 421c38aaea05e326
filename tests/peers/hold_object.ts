// Usage: hold_object.ts NAME LIFETIME
// Creates a player, and keeps it until the standard input ends; then ends without closing it.

import process from "node:process";
import { type ObjectLifetime, SharedObject } from "../../mod.ts";
import { Player } from "../support/objects.ts";

const [name, lifetime] = process.argv.slice(2) as [string, ObjectLifetime];
const object = SharedObject.create(name, Player, { id: 7 }, { lifetime });
console.log("created");
process.stdin.resume();
process.stdin.on("end", () => process.exit(object.closed ? 1 : 0));
