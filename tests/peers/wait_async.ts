// Usage: wait_async.ts NAME MODE
// Waits for a semaphore in the event loop, in one of several ways.

import process from "node:process";
import { NamedSemaphore } from "../../mod.ts";

const [name, mode] = process.argv.slice(2) as [string, string];
const semaphore = NamedSemaphore.open(name);

const modes: Record<string, () => Promise<void> | void> = {
  /** Says so when it has a permit. */
  async once() {
    console.log("waiting");
    console.log(await semaphore.waitAsync());
  },

  /** 300 waits, 100 of them aborted while permits come in. */
  async crowd() {
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const reasons = controllers.map((_, index) => new Error(`abort ${index}`));
    const waits = Array.from({ length: 300 }, (_, index) => {
      const controller = index % 3 === 0 ? controllers[index / 3] : undefined;
      return semaphore.waitAsync(controller === undefined ? {} : { signal: controller.signal });
    });
    const settled = Promise.allSettled(waits);
    console.log("waiting");
    for (const [index, controller] of controllers.entries()) {
      if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      controller.abort(reasons[index]);
    }
    const results = await settled;
    const taken = results.filter(({ status }) => status === "fulfilled").length;
    const aborted =
      results.filter((result) => result.status === "rejected" && reasons.includes(result.reason))
        .length;
    console.log(JSON.stringify({ taken, aborted }));
  },

  /** Gives up, and then has nothing to do. */
  async aborted() {
    const waiting = semaphore.waitAsync({ signal: AbortSignal.timeout(30) });
    console.log(await waiting.catch((error) => error.name));
  },

  async timedOut() {
    console.log(await semaphore.waitAsync({ timeout: 30 }));
  },

  async closed() {
    const waiting = semaphore.waitAsync();
    setTimeout(() => semaphore.close(), 30);
    console.log(await waiting.catch((error) => error.code));
  },

  /** Ends by force while it waits. */
  exit() {
    void semaphore.waitAsync();
    setTimeout(() => {
      console.log("exiting");
      process.exit(0);
    }, 100);
  },

  /** Waits for a long time, and then tells how much of a core that took, in percent. */
  async idle() {
    await semaphore.waitAsync({ timeout: 1500 }); // until everything is started and compiled
    const before = process.cpuUsage();
    const start = performance.now();
    await semaphore.waitAsync({ timeout: 4000 });
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / 10 / (performance.now() - start));
  },

  /** Takes permits from several semaphores at once. */
  async several() {
    const others = Array.from({ length: 9 }, (_, index) => NamedSemaphore.open(`${name}-${index}`));
    const all = [semaphore, ...others];
    console.log("waiting");
    for (let round = 0; round < 10; round++) await Promise.all(all.map((each) => each.waitAsync()));
    console.log(all.map((each) => each.value).join());
  },
};

await modes[mode]?.();
