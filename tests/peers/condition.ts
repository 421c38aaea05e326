// Usage: condition.ts NAME ROLE [ARGUMENT...]
// Takes part in what happens with the conditions of an object of queues.

import process from "node:process";
import { SharedObject } from "../../mod.ts";
import { append, type LiveQueues, Queues, take, type Way } from "../support/queue.ts";

const [name, role, ...args] = process.argv.slice(2) as [string, string, ...string[]];
const object = SharedObject.open(name, Queues);
const value: LiveQueues = object.value;
const queue = value.queues[1] as LiveQueues["queues"][number];
const { lock, notEmpty, notFull } = queue;

function addOne(): void {
  using _ = lock.lock();
  queue.tail++;
  notEmpty.notify();
}

const roles: Record<string, () => Promise<void> | void> = {
  async produce() {
    const [from, count, way] = args as [string, string, Way];
    for (let item = Number(from); item < Number(from) + Number(count); item++) {
      await append(queue, item, way);
    }
  },

  /** Tells how many items it took, by so many consumers at once. */
  async consume() {
    const [consumers, way] = args as [string, Way];
    let count = 0;
    const consume = async () => {
      while (await take(value, way) !== undefined) count++;
    };
    console.log("consuming");
    await Promise.all(Array.from({ length: Number(consumers) }, consume));
    console.log(count);
  },

  /** Answers each odd number of the tail with an even one. */
  async pong() {
    const [rounds, way] = args as [string, Way];
    using guard = lock.lock();
    console.log("ready");
    for (let round = 0; round < Number(rounds); round++) {
      const isOdd = () => queue.tail === 2 * round + 1;
      if (way === "plain") notEmpty.wait(guard, isOdd);
      else await notEmpty.waitAsync(guard, isOdd);
      queue.tail++;
      notFull.notify();
    }
  },

  /** Changes the data, and dies before it could notify. */
  changeAndDie() {
    lock.lock();
    queue.tail = 1;
    process.kill(process.pid, "SIGKILL");
  },

  /** Changes the data, lets the lock go, and dies before it could notify. */
  changeReleaseAndDie() {
    const guard = lock.lock();
    queue.tail = 1;
    guard.release();
    process.kill(process.pid, "SIGKILL");
  },

  /** Waits until the tail is so large, and tells it; again and again. */
  async follow() {
    const [way] = args as [Way];
    for (let tail = 1;; tail++) {
      using guard = lock.lock();
      console.log("waiting");
      const isThere = () => queue.tail >= tail;
      if (way === "plain") notEmpty.wait(guard, isThere);
      else await notEmpty.waitAsync(guard, isThere);
      queue.head = tail;
      notFull.notifyAll();
    }
  },

  /** Holds the lock for a time. */
  hold() {
    using _ = lock.lock();
    console.log("holding");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(args[0]));
  },

  /** Adds 1 to the tail and notifies one, for each line of the standard input. */
  notify() {
    console.log("ready");
    process.stdin.on("data", (data) => {
      for (const _line of String(data).trim().split("\n")) {
        addOne();
      }
    });
    process.stdin.on("end", () => process.exit(0));
  },

  /** Does so whenever the tail of the other queue has grown, and says so there. */
  relay() {
    const [first] = value.queues as unknown as [typeof queue];
    using guard = first.lock.lock();
    for (let round = 1;; round++) {
      first.notEmpty.wait(guard, () => first.tail === round);
      addOne();
      first.head = round;
      first.notFull.notify();
    }
  },
};

await roles[role]?.();
