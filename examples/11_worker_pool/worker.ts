// Computes its rows of each step, and meets the others:
//
//   worker.ts INDEX [--name NAME] [--die-at N]
//
// With --die-at it is killed, by its own hand, in the middle of step N.

import process from "node:process";
import { parseArgs } from "node:util";
import { SharedObject, ShmError } from "../../mod.ts";
import { cellsAfter, NAME, Pool, rowsOf, step } from "./pool.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: "string", default: NAME },
    "die-at": { type: "string", default: "Infinity" },
  },
});
const index = Number(positionals[0]);
const { first, end } = rowsOf(index);

using object = SharedObject.open(values.name, Pool);
const pool = object.value;
const seat = pool.seats[index] as typeof pool.seats[number];
using member = pool.meeting.join();
console.log("joined");

let finished = false;
while (!finished) {
  try {
    finished = work();
  } catch (error) {
    if (!(error instanceof ShmError && error.code === "ERR_SHM_BROKEN_BARRIER")) throw error;
    console.log(`told in step ${pool.steps.load()}: ${error.code}`);
    seat.isTold.store(1);
    seat.goOn.wait({ timeout: 10_000 });
  }
}

/** Does one step, if there is one. If it is broken off, what it reads is still the same. */
function work(): boolean {
  member.arriveAndWait(); // now all see the same number of steps
  const steps = pool.steps.load();
  if (steps === pool.goal) return true;
  const [from, to] = [cellsAfter(pool, steps), cellsAfter(pool, steps + 1)];
  if (steps === Number(values["die-at"])) {
    step(from, to, first, Math.floor((first + end) / 2));
    process.kill(process.pid, "SIGKILL");
  }
  step(from, to, first, end);
  if (member.arriveAndWait()) pool.steps.store(steps + 1); // one of them says that it is done
  return false;
}
