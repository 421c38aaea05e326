// Usage: semset.ts KEY MODE
// Uses a set of System V semaphores in one of several ways.

import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { ShmError, SystemVSemaphore } from "../../mod.ts";

const [key, mode] = isMainThread
  ? [Number(process.argv[2]), process.argv[3] as string]
  : [workerData as number, "thread"];

const open = () => SystemVSemaphore.open({ key });

/** Stays until it is killed, or its input ends. */
function stay(): void {
  console.log(open().value);
  process.stdin.resume();
}

const modes: Record<string, () => unknown> = {
  /** Takes a permit that comes back. */
  permit() {
    open().acquire();
    stay();
  },

  /** Takes one that does not. */
  wait() {
    open().wait();
    stay();
  },

  /** Has another thread take a permit that comes back, and terminates that thread. */
  async worker() {
    const worker = new Worker(new URL(import.meta.url), { workerData: key });
    await new Promise((resolve) => worker.on("message", resolve));
    await worker.terminate();
    stay();
  },

  async thread() {
    const { parentPort } = await import("node:worker_threads");
    open().acquire();
    parentPort?.postMessage("taken");
    setInterval(() => {}, 1000);
  },

  /** Blocks until there is a permit, or what else ends it. */
  block() {
    const semaphore = open();
    console.log("waiting");
    try {
      console.log(semaphore.wait());
    } catch (error) {
      if (!(error instanceof ShmError)) throw error;
      console.log(`${error.code} ${error.syscall} ${error.message}`);
    }
  },

  /** Opens or creates a set when it is told to, and tells what it sees first. */
  race() {
    console.log("ready");
    process.stdin.once("data", () => {
      using semaphore = SystemVSemaphore.openOrCreate({ key, initialValue: [5, 0, 7] });
      console.log(`${semaphore.created} ${semaphore.values}`);
      process.stdin.destroy();
    });
  },

  /** Creates a set, and ends without closing it. */
  creator() {
    SystemVSemaphore.create({ key, initialValue: 1, lifetime: "creator" });
    console.log(SystemVSemaphore.exists({ key }));
  },

  /** Removes a set whenever there is one, until it is killed. */
  remover() {
    console.log("ready");
    while (true) SystemVSemaphore.remove({ key });
  },

  /** Creates and removes a set until it is killed. */
  forever() {
    console.log("ready");
    while (true) SystemVSemaphore.create({ key, initialValue: [3, 4] }).remove();
  },
};

await modes[mode]?.();
