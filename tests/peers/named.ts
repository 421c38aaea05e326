// Usage: named.ts
// Does what each line of its standard input says, `KIND NAME VERB`, with what synchronises under that
// name, and prints what came of it: for an error, its code.

import process from "node:process";
import {
  type ExclusiveGuard,
  type MutexGuard,
  type Permit,
  SharedBarrier,
  SharedCondition,
  SharedEvent,
  type SharedGuard,
  SharedMutex,
  SharedOnce,
  SharedRwLock,
  SharedSemaphore,
  ShmError,
} from "../../mod.ts";

type Named =
  | SharedBarrier
  | SharedCondition
  | SharedEvent
  | SharedMutex
  | SharedOnce
  | SharedRwLock
  | SharedSemaphore;

const openers: Record<string, (name: string) => Named> = {
  barrier: (name) => SharedBarrier.open(name),
  condition: (name) => SharedCondition.open(name),
  event: (name) => SharedEvent.open(name),
  mutex: (name) => SharedMutex.open(name),
  once: (name) => SharedOnce.open(name),
  rwlock: (name) => SharedRwLock.open(name),
  semaphore: (name) => SharedSemaphore.open(name),
};

const handles = new Map<string, Named>();
const held = new Map<string, MutexGuard | SharedGuard | ExclusiveGuard | Permit>();

/** Takes part, and nothing else. */
function use(named: Named): unknown {
  if (named instanceof SharedMutex) return named.tryLock()?.release();
  if (named instanceof SharedRwLock) return named.tryLockShared()?.release();
  if (named instanceof SharedSemaphore) return named.tryAcquire()?.release();
  if (named instanceof SharedCondition) return named.notifyAll();
  if (named instanceof SharedEvent) return named.isSet;
  return named instanceof SharedBarrier ? named.joined : named.done;
}

/** Holds it, or goes through it. */
function take(named: Named): unknown {
  const { name } = named;
  if (named instanceof SharedMutex) return held.set(name, named.lock()).size;
  if (named instanceof SharedRwLock) return held.set(name, named.lockShared()).size;
  if (named instanceof SharedSemaphore) {
    held.set(name, named.acquire());
    return named.permits;
  }
  if (named instanceof SharedCondition) {
    using mutex = SharedMutex.open(`${name}-mutex`);
    using changed = SharedEvent.open(`${name}-event`);
    using guard = mutex.lock();
    named.wait(guard, () => changed.isSet);
    return guard.held;
  }
  if (named instanceof SharedEvent) {
    named.wait();
    return named.autoReset;
  }
  return named instanceof SharedBarrier ? named.arriveAndWait() : named.run(() => {});
}

function obey([kind, name, verb]: [string, string, string]): unknown {
  let named = handles.get(name);
  if (named === undefined) handles.set(name, named = openers[kind]?.(name) as Named);
  if (verb === "use") use(named);
  if (verb === "take") return take(named);
  if (verb === "release") held.get(name)?.release();
  if (verb === "close") {
    if (named instanceof SharedBarrier) named.leave();
    named.close();
    handles.delete(name);
  }
  return "done";
}

console.log("ready");
let text = "";
process.stdin.setEncoding("utf8").on("data", (more: string) => {
  text += more;
  const lines = text.split("\n");
  text = lines.pop() as string;
  for (const line of lines) {
    try {
      console.log(String(obey(line.split(" ") as [string, string, string])));
    } catch (error) {
      console.log(error instanceof ShmError ? error.code : String(error));
    }
  }
});
process.stdin.on("end", () => process.exit(0));
