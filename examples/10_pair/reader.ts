// Reads the messages of a writer, and prints them:
//
//   reader.ts [--name NAME] [--die-at N]
//
// With --die-at it kills itself when it has taken its Nth permit, and before it gives one back.

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NamedSemaphore, SharedSegment } from "../../mod.ts";
import { NAME, Ring, semaphoreNames, SLOTS } from "./pair.ts";

const { values } = parseArgs({
  options: {
    name: { type: "string", default: NAME },
    "die-at": { type: "string", default: "Infinity" },
  },
});
const names = semaphoreNames(values.name);

using segment = await SharedSegment.openAsync(values.name);
using free = NamedSemaphore.open(names.free);
using full = NamedSemaphore.open(names.full);
const ring = Ring.view(segment.bytes);

for (let number = 1; await full.waitAsync({ timeout: 5000 }); number++) {
  if (number === Number(values["die-at"])) process.kill(process.pid, "SIGKILL");
  const taken = ring.taken.load();
  if (taken === ring.written.load()) throw new Error("somebody else has read the message");
  const message = ring.messages.at(taken % SLOTS);
  ring.taken.add(1);
  free.post();
  if (message === "") process.exit(0);
  console.log(message);
  await sleep(20); // so that the writer has to wait
}
console.log("nobody writes");
process.exitCode = 1;
