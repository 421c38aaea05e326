// Usage: semaphore.ts NAME MODE [NUMBER]
// Uses the semaphores of a pool in one of the ways below.

import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SharedObject } from "../../mod.ts";
import type { Permit } from "../../sync/primitives/semaphore.ts";
import { Pool } from "../support/pools.ts";

const [name, mode, number = "1"] = (isMainThread ? process.argv.slice(2) : workerData) as [
  string,
  string,
  string?,
];
const pool = SharedObject.open(name, Pool);
const { slots, one, holders, most, stop, turns } = pool.value;

function pass(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

/** Holds a permit for a moment, and counts those who do. */
function use(permit: Permit): void {
  const count = holders.add(1) + 1;
  for (let seen = most.load(); count > seen; seen = most.load()) {
    most.compareExchange(seen, count);
  }
  turns.add(1);
  pass(Math.random() < 0.1 ? 0.3 : 0);
  holders.sub(1);
  permit.release();
}

async function hold(): Promise<void> {
  for (let count = 0; count < Number(number); count++) {
    if (count % 2 === 0) slots.acquire();
    else await slots.acquireAsync();
  }
  if (isMainThread) console.log("held");
  else parentPort?.postMessage("held");
}

const modes: Record<string, () => Promise<void> | void> = {
  /** Takes permits in every way there is, until it is told to stop. */
  async mix() {
    console.log("started");
    const several = async () => {
      while (stop.load() === 0) {
        for (let count = 0; count < 20; count++) {
          const permit = slots.tryAcquire() ?? slots.acquire();
          use(permit);
        }
        use(await slots.acquireAsync());
        await slots.acquireAsync({ timeout: 2 * Math.random() }).then(use, () => {});
        const signal = AbortSignal.timeout(1);
        await slots.acquireAsync({ signal }).then(use, () => {});
        try {
          use(slots.acquire({ timeout: Math.random() }));
        } catch (error) {
          if ((error as Error).name !== "TimeoutError") throw error;
        }
      }
    };
    await several();
  },

  /** Holds so many, until it is killed or its standard input ends. */
  async hold() {
    await hold();
    process.stdin.resume().on("end", () => process.exit(0));
  },

  /** Waits for one with the thread, and keeps it. */
  wait() {
    console.log("waiting");
    slots.acquire();
    console.log("got");
  },

  /** Waits for one with the event loop, and keeps it. */
  async waitAsync() {
    console.log("waiting");
    const permit = await slots.acquireAsync();
    console.log("got", permit.held);
  },

  /** Holds the one permit for 2 ms, again and again, with no moment in between. */
  tight() {
    console.log("started");
    while (stop.load() === 0) {
      const permit = one.acquire();
      pass(2);
      permit.release();
      turns.add(1);
    }
  },

  /** Has a thread hold so many, terminates it, and lives on. */
  async thread() {
    if (!isMainThread) {
      setInterval(() => {}, 1000);
      return await hold();
    }
    const worker = new Worker(new URL(import.meta.url), { workerData: [name, mode, number] });
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    console.log("held");
    process.stdin.once("data", async () => {
      await worker.terminate();
      console.log("terminated");
    });
  },
};

await modes[mode]?.();
if (mode === "mix" || mode === "tight") process.exit(0);
