// Usage: locked.ts NAME COMMAND
// Does one thing with an object of tests/support/locked.ts and keeps it: says so, and stays until its
// standard input ends. Those that wait say so before, and then whether they got it.

import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SharedMutex, SharedObject } from "../../mod.ts";
import { Locked } from "../support/locked.ts";

const [name, command] = (isMainThread ? process.argv.slice(2) : workerData) as [string, string];
const kept: unknown[] = [];
const { value } = command === "awaitMutex" ? { value: undefined } as never : open();

function open(): SharedObject<typeof Locked> {
  const object = SharedObject.open(name, Locked);
  kept.push(object);
  return object;
}

const sleep = (ms: number) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};
const say = (line: string) => isMainThread ? console.log(line) : parentPort?.postMessage(line);
const keep = (what: unknown) => {
  kept.push(what);
  say("held");
};

const commands: Record<string, () => unknown> = {
  hold: () => keep(value.lock.lock()),
  holdItem: () => keep(value.items[299]?.lock.lock()),
  share: () => keep([value.shared.lockShared(), value.shared.lockShared()]),
  exclude: () => keep(value.shared.lockExclusive()),
  permits: () => keep([value.slots.acquire(), value.slots.acquire()]),
  join: () => keep(value.step.join()),
  set: () => {
    value.ready.set();
    say("held");
  },
  run: () =>
    value.setup.run(() => {
      say("held");
      sleep(55_000); // it is killed before
    }),
  /** Has one of everything until `holder` is 1, and sets it to 2 when it has released all. */
  letGo() {
    const { lock, shared, slots, setup, holder } = value;
    const [guard, exclusive] = [lock.lock(), shared.lockExclusive()];
    const permits = [slots.acquire(), slots.acquire(), slots.acquire()];
    try {
      setup.run(() => {
        say("held");
        while (holder.load() !== 1) sleep(1);
        throw new Error("has not worked");
      });
    } catch {
      for (const held of [guard, exclusive, ...permits]) held.release();
    }
    holder.store(2);
  },
  done: () => {
    value.setup.run(() => {});
    say("held");
  },
  async thread() {
    const worker = new Worker(new URL(import.meta.url), { workerData: [name, "hold"] });
    await new Promise((resolve) => worker.on("message", resolve));
    await worker.terminate();
    say("held");
  },
  wait() {
    say("waiting");
    keep(value.lock.lock());
  },
  async waitAsync() {
    say("waiting");
    keep(await value.lock.lockAsync());
  },
  async awaitMutex() {
    const mutex = SharedMutex.open(name);
    kept.push(mutex);
    say("waiting");
    keep(await mutex.lockAsync());
  },
  waitExclusive() {
    say("waiting");
    keep(value.shared.lockExclusive());
  },
  waitReady() {
    say("waiting");
    value.ready.wait();
    say("held");
  },
  async waitTicketAsync() {
    say("waiting");
    await value.ticket.waitAsync();
    say("held");
  },
  async shareAndAwait() {
    kept.push(value.shared.lockShared());
    const wait = value.ticket.waitAsync();
    say("waiting");
    await wait;
  },
  async arrive() {
    const member = value.step.join();
    say("waiting");
    try {
      await member.arriveAndWaitAsync();
    } catch {
      say("broken");
    }
  },
  waitChanged() {
    using guard = value.lock.lock();
    say("waiting");
    value.changed.wait(guard, () => value.count > 0);
    say("held");
  },
};

await commands[command as string]?.();
if (isMainThread) process.stdin.resume().on("end", () => process.exit(kept.length > 0 ? 0 : 1));
else setInterval(() => {}, 1000);
