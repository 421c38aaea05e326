// Looks at the player of an owner, and hits her until she is out:
//
//   peer.ts [name]

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SharedObject } from "../../mod.ts";
import { NAME, Player } from "./player.ts";

using object = await SharedObject.openAsync(process.argv[2] ?? NAME, Player);
if (object.foreign) console.log("(made by another program, which does not say what its layout is)");
const player = object.value;

do {
  await tenSteps();
  const [x = 0, y = 0] = player.position;
  const at = `(${x.toFixed(2)}, ${y.toFixed(2)})`;
  console.log(`${player.name}, team ${player.team}, at ${at}, health ${player.health}`);
  player.health = Math.max(0, player.health - 40);
  player.flags.alive = player.health > 0;
  player.hitBy = "TypeScript";
  player.hits.add(1); // pairs with the load of the owner: the fields above are complete
} while (player.flags.alive);

async function tenSteps(): Promise<void> {
  const goal = player.steps.load() + 10;
  for (let waits = 0; player.steps.load() < goal; waits++) {
    if (waits === 500) throw new Error("the player does not move: her owner has gone");
    await sleep(10);
  }
}
