// Usage: lose_object.ts NAME
// Loses the handle of an object and keeps its value, until the runtime has noticed.

import process from "node:process";
import { type InferLive, SharedObject } from "../../mod.ts";
import { Player } from "../support/objects.ts";
import { collectUntil } from "../support/runtimes.ts";

function valueOfLost(): InferLive<typeof Player> {
  const object = SharedObject.create(process.argv[2] as string, Player, { id: 6 });
  object.unlink();
  return object.value;
}

const value = valueOfLost();
value.id++;
await collectUntil(() => false, 30);
console.log(value.id);
