// Lets an engine run, 100 ticks a second, until Ctrl-C:
//
//   writer.ts [name]

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SharedObject } from "../../mod.ts";
import { Engine, NAME } from "./engine.ts";

// `exit` lets `lifetime: "creator"` remove the object. Without a handler nothing would.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

using object = SharedObject.create(
  process.argv[2] ?? NAME,
  Engine,
  { model: "Boxer 4", rpm: 800, celsius: 20 },
  { lifetime: "creator" },
);
const engine = object.value; // in a variable: faster than `object.value` every time
console.log(`${engine.model} runs as "${object.name}"`);

let throttle = 0;
while (true) {
  if (engine.throttle.load() !== throttle) {
    throttle = engine.throttle.load();
    console.log(`throttle ${throttle} %`);
  }
  engine.rpm += (800 + 60 * throttle - engine.rpm) / 50;
  engine.celsius += (20 + engine.rpm / 50 - engine.celsius) / 200;
  engine.state = engine.celsius < 40 ? "cold" : engine.celsius < 90 ? "warm" : "hot";
  engine.ticks.add(1n);
  await sleep(10);
}
