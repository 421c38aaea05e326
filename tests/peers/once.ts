// Usage: once.ts NAME
// Does what its standard input says, a line each, and answers each with a line.

import process from "node:process";
import { createInterface } from "node:readline";
import { SharedObject } from "../../mod.ts";
import { Shelf } from "../support/shelf.ts";

const object = SharedObject.open(process.argv[2] as string, Shelf);
const { once, runs } = object.value;
const scratch = new Int32Array(1);

let finish = (): void => {};

/** Takes a while, and lets nobody see but those who come after it. */
function work(died: boolean): void {
  if (died) console.log("died");
  for (let round = 0; round < 1000; round++) Atomics.add(scratch, 0, 1);
  runs.add(1);
}

async function answer(verb: string): Promise<unknown> {
  switch (verb) {
    case "run":
      return once.run(work);
    case "runAsync":
      return await once.runAsync(work);
    case "fail":
      return once.run(() => {
        throw new Error("failed");
      });
    case "hang":
      // Says so, and ends in the midst of it.
      return once.run(() => {
        console.log("running");
        while (Atomics.load(scratch, 0) === 0);
      });
    case "hangAsync":
      return await once.runAsync(async () => {
        console.log("running");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });
    case "runSlowly":
      return await once.runAsync(async () => {
        console.log("running");
        await new Promise<void>((resolve) => finish = resolve);
        runs.add(1);
      });
    case "finishSoon":
      setTimeout(finish, 50);
      return "finishing";
    case "done":
      return once.done;
    default:
      throw new Error(`What is ${verb}?`);
  }
}

console.log("ready");
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  void answer(line).then(console.log, (error) => console.log(`${error.name}: ${error.message}`));
});
lines.on("close", () => process.exit(object.closed ? 1 : 0));
