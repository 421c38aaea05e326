// Usage: rwlock.ts NAME
// Does what its standard input says, a line each, and answers each with a line.

import process from "node:process";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import { SharedObject } from "../../mod.ts";
import type { ExclusiveGuard, SharedGuard } from "../../sync/primitives/rwlock_guards.ts";
import { Shelf } from "../support/shelf.ts";

const name = process.argv[2] as string;
const object = SharedObject.open(name, Shelf);
const { value } = object;
const { lock } = value;
const guards: (SharedGuard | ExclusiveGuard)[] = [];
let worker: Worker | undefined;
let torn = 0;
let reads = 0;

function spend(rounds: number): void {
  for (let round = 0; round < rounds; round++) Atomics.load(scratch, 0);
}
const scratch = new Int32Array(1);

function write(guard: ExclusiveGuard): void {
  value.left++;
  spend(50);
  value.right++;
  guard.release();
}

function read(guard: SharedGuard): void {
  const { left } = value;
  spend(reads++ % 8 === 0 ? 20_000 : 50); // now and then a writer has to wait for it
  if (value.right !== left) torn++;
  guard.release();
}

/** Reads and writes in turns, in one way or the other. @returns How often it wrote. */
async function storm(rounds: number, every: number): Promise<number> {
  let writes = 0;
  for (let round = 0; round < rounds; round++) {
    const isWrite = round % every === every - 1;
    if (isWrite) writes++;
    if (round % 3 > 0) isWrite ? write(lock.lockExclusive()) : read(lock.lockShared());
    else if (isWrite) write(await lock.lockExclusiveAsync());
    else {
      await Promise.all([lock.withSharedAsync(read), lock.withSharedAsync(read)]);
    }
  }
  return writes;
}

/** Has the lock again and again, as often as it can, until somebody says so. */
async function spin(get: () => SharedGuard | ExclusiveGuard): Promise<number> {
  let rounds = 0;
  Atomics.store(stop, 0, 0);
  console.log("spinning");
  while (Atomics.load(stop, 0) === 0) {
    for (let round = 0; round < 200; round++, rounds++) {
      const guard = get();
      spend(10_000); // it is hardly ever free
      guard.release();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return rounds;
}
const stop = new Int32Array(1);

const told = (guard: SharedGuard | ExclusiveGuard | null): string => {
  if (guard === null) return "busy";
  guards.push(guard);
  return guard.ownerDied ? "died" : "locked";
};

/** Lets a thread have the lock. */
async function startThread(how: string): Promise<string> {
  worker = new Worker(new URL("rwlock_thread.ts", import.meta.url), { workerData: { name, how } });
  return await new Promise((resolve, reject) => worker?.on("message", resolve).on("error", reject));
}

async function answer(line: string): Promise<unknown> {
  const [verb, ...args] = line.split(" ");
  const [first = 0, second = 0] = args.map(Number);
  const options = first === 0 ? undefined : { timeout: first };
  switch (verb) {
    case "shared":
      return told(lock.lockShared(options));
    case "exclusive":
      return told(lock.lockExclusive(options));
    case "sharedAsync":
      return told(await lock.lockSharedAsync(options));
    case "exclusiveAsync":
      return told(await lock.lockExclusiveAsync(options));
    case "tryShared":
      return told(lock.tryLockShared());
    case "tryExclusive":
      return told(lock.tryLockExclusive());
    case "release":
      guards.pop()?.release();
      return "released";
    case "releaseSoon":
      setTimeout(() => guards.pop()?.release(), 30);
      return "releasing";
    case "mend":
      (guards.at(-1) as ExclusiveGuard).markConsistent();
      return "mended";
    case "storm":
      return `${await storm(first, second)} ${torn}`;
    case "spinShared":
      return await spin(() => lock.lockShared());
    case "spinExclusive":
      return await spin(() => lock.lockExclusive());
    case "stop":
      Atomics.store(stop, 0, 1);
      return "stopping";
    case "thread":
      return await startThread(args[0] as string);
    case "terminate":
      await worker?.terminate();
      return "terminated";
    default:
      throw new Error(`What is ${line}?`);
  }
}

console.log("ready");
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  void answer(line).then(console.log, (error) => console.log(`${error.name}: ${error.message}`));
});
lines.on("close", () => process.exit(object.closed ? 1 : 0));
