// Makes a player, and lets her walk in a circle until she is out:
//
//   owner.ts [name]

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SharedObject } from "../../mod.ts";
import { NAME, Player } from "./player.ts";

// `exit` lets `lifetime: "creator"` remove the object. Without a handler nothing would.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

using object = SharedObject.create(
  process.argv[2] ?? NAME,
  Player,
  { name: "ada", team: "blue", flags: { alive: true, level: 3 }, health: 100 },
  { lifetime: "creator" },
);
const player = object.value;
console.log(`${player.name} walks as "${object.name}"`);

let hits = 0;
for (let step = 1;; step++) {
  player.position.set([Math.cos(step / 10), Math.sin(step / 10), 0]);
  player.steps.add(1); // pairs with the load of the peer: the position is complete
  if (player.hits.load() !== hits) {
    hits = player.hits.load();
    console.log(`hit ${hits} by ${player.hitBy}: health ${player.health}`);
    if (!player.flags.alive) break;
  }
  await sleep(10);
}
console.log(`${player.name} is out`);
