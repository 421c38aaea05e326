// Writes messages into a ring of four, as fast as somebody reads them:
//
//   writer.ts [--name NAME] [--count 10]

import process from "node:process";
import { parseArgs } from "node:util";
import { NamedSemaphore, SharedSegment } from "../../mod.ts";
import { NAME, Ring, semaphoreNames, SLOTS } from "./pair.ts";

const { values } = parseArgs({
  options: {
    name: { type: "string", default: NAME },
    count: { type: "string", default: "10" },
  },
});
const names = semaphoreNames(values.name);
const removeSemaphores = () => Object.values(names).forEach((name) => NamedSemaphore.unlink(name));

process.on("exit", removeSemaphores);
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

// What a killed writer has left. A semaphore would have the value that it had then.
SharedSegment.unlink(values.name);
removeSemaphores();
using free = NamedSemaphore.create(names.free, { initialValue: SLOTS });
using full = NamedSemaphore.create(names.full, { initialValue: 0 });
// The segment is the last: who sees it finds the semaphores, too.
using segment = SharedSegment.create(values.name, { size: Ring.size, lifetime: "creator" });
const ring = Ring.view(segment.bytes);
console.log(`writing to "${segment.name}"`);

const count = Number(values.count);
const write = async (message: string): Promise<boolean> => {
  if (!await free.waitAsync({ timeout: 5000 })) return false;
  ring.messages.set(ring.written.load() % SLOTS, message);
  ring.written.add(1); // pairs with the load of the reader: the message is complete
  full.post();
  return true;
};
let number = 1;
while (number <= count && await write(`message ${number} of ${count}`)) number++;
if (number > count && await write("")) number++;

// All of it has been read when all slots are free again.
let freed = 0;
while (freed < SLOTS && number > count + 1 && await free.waitAsync({ timeout: 5000 })) freed++;
if (freed === SLOTS) {
  console.log(`${count} messages were read`);
} else {
  const unread = ring.written.load() - ring.taken.load();
  const lost = SLOTS - freed - free.value - full.value; // who is alive has none for long
  console.log(`nobody reads: ${unread} unread, and ${lost} of ${SLOTS} permits are lost`);
  process.exitCode = 1;
}
