// Usage: barrier.ts NAME MODE PHASES
// Arrives at the barrier of a race so many times, in one of the ways below. Prints how it ended.

import process from "node:process";
import { SharedObject } from "../../mod.ts";
import { PARTIES, Race } from "../support/pools.ts";

const [name, mode, phases] = process.argv.slice(2) as [string, string, string];
const race = SharedObject.open(name, Race);
const { step, arrivals, leads, early } = race.value;

/** Arrives so many times. */
async function run(arrive: (phase: number) => boolean | Promise<boolean>): Promise<void> {
  try {
    for (let phase = 1; phase <= Number(phases); phase++) {
      arrivals.add(1);
      if (await arrive(phase)) leads.add(1);
      if (arrivals.load() < phase * PARTIES) early.add(1);
    }
    console.log("passed");
  } catch (error) {
    console.log((error as { code?: string }).code ?? (error as Error).name);
  }
}

const modes: Record<string, () => Promise<void> | void> = {
  async plain() {
    await run(() => step.arriveAndWait());
    step.leave();
  },

  async async() {
    using member = step.join();
    await run(() => member.arriveAndWaitAsync());
  },

  async mixed() {
    using member = step.join();
    await run((phase) => phase % 2 === 0 ? member.arriveAndWait() : member.arriveAndWaitAsync());
  },

  /** Comes without arriving, and stays. */
  idle() {
    step.join();
    console.log("joined");
    process.stdin.resume().on("end", () => process.exit(0));
  },

  /** Arrives, says so, and stays in any case. */
  async stay() {
    const member = step.join();
    console.log("joined");
    await run(() => member.arriveAndWaitAsync());
    process.stdin.resume().on("end", () => process.exit(0));
  },

  /** Leaves by closing its handle. */
  close() {
    step.join();
    console.log("joined");
    process.stdin.once("data", () => {
      race.close();
      console.log("closed");
    });
  },
};

await modes[mode]?.();
