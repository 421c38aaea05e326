// Usage: object.ts create|read|assign NAME|PATH [JSON]
// Creates a player and keeps it until the standard input ends, or tells or changes one.

import process from "node:process";
import { SharedObject } from "../../mod.ts";
import { Player } from "../support/objects.ts";

const [verb, name, json = "{}"] = process.argv.slice(2) as [string, string, string?];

if (verb === "create") {
  SharedObject.create(name, Player, JSON.parse(json), { lifetime: "creator" });
  console.log("created");
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
} else {
  using object = name.includes("/")
    ? SharedObject.openFile(name, Player)
    : SharedObject.open(name, Player);
  if (verb === "assign") object.assign(JSON.parse(json));
  console.log(JSON.stringify(object));
}
