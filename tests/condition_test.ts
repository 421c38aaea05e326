/**
 * Conditions: waiting under a mutex for what others do, who may die before they say so.
 */

import { describe, expect, test } from "bun:test";
import process from "node:process";
import { SharedObject, ShmError, t } from "../mod.ts";
import { condition, mutex, rwlock } from "../sync/fields.ts";
import type { MutexGuard } from "../sync/primitives/mutex.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { startPeer, succeed } from "./support/peers.ts";
import { end, type LiveQueues, MAX_ITEMS, Queues, type Way } from "./support/queue.ts";
import { HOST, OTHERS, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const [other] = OTHERS as [RuntimeCommand];
const WAYS: readonly Way[] = ["plain", "async"];

const create = (name: string) => SharedObject.create(name, Queues);
const queueOf = ({ queues }: LiveQueues) => queues[1] as LiveQueues["queues"][number];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const middle = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1] as number;

/** Waits either way. */
async function wait(
  way: Way,
  queue: LiveQueues["queues"][number],
  guard: MutexGuard,
  predicate: (guard: MutexGuard) => boolean,
  timeout: number = 20_000,
): Promise<void> {
  if (way === "plain") queue.notFull.wait(guard, predicate, { timeout });
  else await queue.notFull.waitAsync(guard, predicate, { timeout });
}

test("a queue of all runtimes gives each item to one consumer", async () => {
  const name = uniqueName();
  using object = create(name);
  const count = MAX_ITEMS / 4;
  const consumers = RUNTIMES.map((runtime, index) =>
    startPeer(
      runtime,
      "condition.ts",
      index === 0 ? [name, "consume", 1, "plain"] : [name, "consume", 5, "async"],
    )
  );
  const producers = [...RUNTIMES, HOST].map((runtime, index) =>
    startPeer(runtime, "condition.ts", [
      name,
      "produce",
      index * count,
      count,
      index % 2 === 0 ? "plain" : "async",
    ])
  );
  await Promise.all(producers.map(succeed));
  end(queueOf(object.value));
  const outputs = await Promise.all(consumers.map(succeed));
  const counts = outputs.map((output) => Number(output.split("\n")[1]));
  expect(counts.reduce((a, b) => a + b)).toBe(MAX_ITEMS);
  expect(Array.from(object.value.taken).every((times) => times === 1)).toBe(true);
});

for (const way of WAYS) {
  describe(`${way} waits`, () => {
    for (const theirWay of WAYS) {
      test(`end promptly when a peer with ${theirWay} waits notifies, and the other way round`, async () => {
        const name = uniqueName();
        using object = create(name);
        const queue = queueOf(object.value);
        const rounds = 60;
        await using peer = startPeer(other, "condition.ts", [name, "pong", rounds, theirWay]);
        await peer.line();
        const times: number[] = [];
        using guard = queue.lock.lock();
        for (let round = 0; round < rounds; round++) {
          const start = performance.now();
          queue.tail++;
          queue.notEmpty.notify();
          await wait(way, queue, guard, () => queue.tail === 2 * round + 2);
          times.push(performance.now() - start);
        }
        // Two hand-overs each: of slices, there would be one or two of 50 ms in it.
        expect(middle(times)).toBeLessThan(25);
      });
    }

    test("end soon when the one who changed the data died before it could notify", async () => {
      const name = uniqueName();
      using object = create(name);
      const queue = queueOf(object.value);
      using guard = queue.lock.lock();
      await using _ = startPeer(other, "condition.ts", [name, "changeReleaseAndDie"]);
      await wait(way, queue, guard, () => queue.tail === 1);
      expect([guard.held, guard.ownerDied]).toEqual([true, false]);
    });

    test("tell the predicate and the guard of owners who died meanwhile", async () => {
      const name = uniqueName();
      using object = create(name);
      const queue = queueOf(object.value);
      const seen: boolean[] = [];
      {
        using guard = queue.lock.lock();
        await using _ = startPeer(other, "condition.ts", [name, "changeAndDie"]);
        await wait(way, queue, guard, ({ ownerDied }) => {
          seen.push(ownerDied);
          return ownerDied;
        });
        expect([seen.shift(), seen.pop(), guard.ownerDied]).toEqual([false, true, true]);
        const isDead = await wait(way, queue, guard, () => false, 1).catch(() => guard.ownerDied);
        expect(isDead).toBe(true); // since nobody has repaired it
        await wait(way, queue, guard, (same) => {
          same.markConsistent();
          return true;
        });
        await wait(way, queue, guard, () => false, 1).catch(() => {});
        expect([guard.held, guard.ownerDied]).toEqual([true, false]);
      }
      using guard = queue.lock.lock();
      expect(guard.ownerDied).toBe(false);
    });

    test("go on when the one who was notified is stopped, and when it is killed", async () => {
      const name = uniqueName();
      using object = create(name);
      const queue = queueOf(object.value);
      await using first = startPeer(other, "condition.ts", [name, "follow", way]);
      await first.line();
      await sleep(100);
      await using second = startPeer(HOST, "condition.ts", [name, "follow", way]);
      await second.line();
      await sleep(100);
      for (const signal of ["SIGSTOP", "SIGKILL", undefined] as const) {
        using guard = await queue.lock.lockAsync(); // so it cannot be stopped while it has it
        if (signal !== undefined) process.kill(first.pid, signal);
        queue.tail++;
        queue.notEmpty.notify();
        const start = performance.now();
        await wait(way, queue, guard, () => queue.head === queue.tail);
        expect(performance.now() - start).toBeLessThan(5000);
        expect(guard.ownerDied).toBe(false);
      }
    });

    test("that run out of time say so only when they have the lock again", async () => {
      const name = uniqueName();
      using object = create(name);
      const queue = queueOf(object.value);
      using guard = queue.lock.lock();
      const start = performance.now();
      await using peer = startPeer(other, "condition.ts", [name, "hold", 800]);
      const isStarted = wait(way, queue, guard, () => queue.lock.tryLock() !== null, 1);
      await isStarted.catch(() => {});
      let calls = 0;
      // In slices, until the peer is there: the last one ends while it holds the lock.
      while (performance.now() - start < 15_000 && calls >= 0) {
        const before = performance.now();
        const error = await wait(way, queue, guard, () => ++calls < 0, 1).catch((reason) => reason);
        expect([error.name, guard.held]).toEqual(["TimeoutError", true]);
        if (performance.now() - before > 500) calls = -1;
      }
      expect(calls).toBe(-1);
      expect(await peer.line()).toBe("holding");
    });
  });
}

test("a plain wait does not let promises of its own thread have the lock, as they could not use it", async () => {
  const name = uniqueName();
  using object = create(name);
  const queue = queueOf(object.value);
  const guard = queue.lock.lock();
  const waiting = queue.lock.lockAsync();
  await using _ = startPeer(other, "condition.ts", [name, "changeReleaseAndDie"]);
  queue.notEmpty.wait(guard, () => queue.tail === 1, { timeout: 20_000 });
  expect(guard.held).toBe(true);
  guard.release();
  using own = await waiting;
  expect(own.held).toBe(true);
});

describe("waitAsync()", () => {
  test("lets hundreds wait in one thread, each for itself", async () => {
    const name = uniqueName();
    using object = create(name);
    const queue = queueOf(object.value);
    const ended: number[] = [];
    const waits = Array.from({ length: 300 }, async (_, index) => {
      using guard = await queue.lock.lockAsync();
      await queue.notEmpty.waitAsync(
        guard,
        () => queue.tail === 2 || index === 7 && queue.tail === 1,
      );
      ended.push(index);
    });
    await using peer = startPeer(other, "condition.ts", [name, "notify"]);
    await peer.line();
    peer.send("");
    await waits[7];
    expect(ended).toEqual([7]);
    peer.send("");
    await Promise.all(waits);
    expect(ended.length).toBe(300);
  });

  test("is ended by what happens in its own thread", async () => {
    using object = create(uniqueName());
    const queue = queueOf(object.value);
    const times: number[] = [];
    for (let round = 1; round <= 30; round++) {
      const guard = queue.lock.lock();
      const waiting = queue.notEmpty.waitAsync(guard, () => queue.tail === round);
      expect(guard.held).toBe(false);
      const start = performance.now();
      {
        using _ = queue.lock.lock();
        queue.tail++;
        if (round % 2 === 0) queue.notEmpty.notify();
        else queue.notEmpty.notifyAll();
      }
      await waiting;
      times.push(performance.now() - start);
      guard.release();
    }
    expect(middle(times)).toBeLessThan(25);
  });

  test("passes on the notification that it was not there for when it is aborted", async () => {
    const name = uniqueName();
    using object = create(name);
    const queue = queueOf(object.value);
    await using waiter = startPeer(other, "condition.ts", [name, "follow", "async"]);
    await using _ = startPeer(HOST, "condition.ts", [name, "relay"]);
    const [start] = object.value.queues as unknown as [typeof queue];
    const times: number[] = [];
    for (let round = 1; round <= 24; round++) {
      await waiter.line();
      await sleep(5);
      const controller = new AbortController();
      const reason = new Error("enough");
      const guard = await queue.lock.lockAsync();
      const waiting = queue.notEmpty.waitAsync(guard, () => false, { signal: controller.signal });
      const rejected = expectErrorAsync(waiting, Error, "enough");
      // From here to the abort it is deaf to mail.
      using first = start.lock.lock();
      start.tail++;
      start.notEmpty.notify();
      start.notFull.wait(first, () => start.head === round, { timeout: 20_000 });
      controller.abort(reason);
      await rejected;
      expect(guard.held).toBe(true);
      const end = performance.now();
      await queue.notFull.waitAsync(guard, () => queue.head === round);
      times.push(performance.now() - end);
      guard.release();
    }
    times.sort((a, b) => a - b);
    // Every other notification is mailed here.
    expect(times[18]).toBeLessThan(25);
  });

  test("is refused with the reason of a signal, and holds the lock then", async () => {
    using object = create(uniqueName());
    const { lock, notEmpty } = queueOf(object.value);
    using guard = lock.lock();
    const reason = new Error("enough");
    const aborted = notEmpty.waitAsync(guard, () => true, { signal: AbortSignal.abort(reason) });
    expect(await aborted.catch((error) => error)).toBe(reason);
    expect(guard.held).toBe(true);
    const controller = new AbortController();
    const waiting = notEmpty.waitAsync(guard, () => false, { signal: controller.signal });
    expect(guard.held).toBe(false);
    const blocker = lock.lock();
    controller.abort(reason);
    let isSettled = false;
    const settled = waiting.catch((error) => {
      isSettled = true;
      return error;
    });
    await sleep(100);
    expect(isSettled).toBe(false);
    blocker.release();
    expect(await settled).toBe(reason);
    expect(guard.held).toBe(true);
  });

  test("keeps the handle of its mutex open, and is ended when that of the condition is closed", async () => {
    const name = uniqueName();
    using object = create(name);
    using same = SharedObject.open(name, Queues);
    const guard = queueOf(object.value).lock.lock();
    const waiting = queueOf(same.value).notEmpty.waitAsync(guard, () => false);
    expectError(() => object.close(), ShmError, /this thread holds a lock or permit of it/);
    const rejected = expectErrorAsync(waiting, ShmError, /this handle is closed/);
    same.close();
    expect((await rejected).code).toBe("ERR_SHM_CLOSED");
    expect(guard.held).toBe(true);
    guard.release();
    object.close();
    expect(object.closed).toBe(true);
  });
});

test("the lock may be a read-write lock that is held exclusively", async () => {
  const Shelf = t.struct("Shelf", { lock: rwlock, changed: condition, books: t.u32 });
  using object = SharedObject.create(uniqueName(), Shelf);
  const { lock, changed } = object.value;
  const guard = lock.lockExclusive();
  const waiting = changed.waitAsync(guard, () => object.value.books === 1);
  expect([guard.held, lock.tryLockShared()?.release()]).toEqual([false, undefined]);
  await lock.withExclusiveAsync(() => {
    object.value.books = 1;
    changed.notify();
  });
  await waiting;
  expect([guard.held, guard.ownerDied, lock.tryLockShared()]).toEqual([true, false, null]);
  const timeout = 20;
  const wait = () => changed.wait(guard, () => object.value.books === 2, { timeout });
  expectError(wait, Error, /timeout of 20 ms$/);
  expect([guard.held, lock.tryLockShared()]).toEqual([true, null]);
  guard.release();
  using shared = lock.lockShared() as unknown as MutexGuard;
  expectError(() => changed.wait(shared, () => true), TypeError, /the exclusive one of a read/);
});

describe("notify()", () => {
  test("wakes as many as it is told", async () => {
    const name = uniqueName();
    using object = create(name);
    const queue = queueOf(object.value);
    const { lock, notEmpty } = queue;
    let calls = 0;
    const waits = [0, 1, 2].map(async () => {
      using guard = await lock.lockAsync();
      await notEmpty.waitAsync(guard, () => {
        calls++;
        return queue.tail === 1;
      });
    });
    while (calls < 3) await sleep(1);
    {
      using _ = await lock.lockAsync();
      queue.tail = 1;
      notEmpty.notify(0);
      notEmpty.notify(3);
    }
    await Promise.all(waits);
    notEmpty.notify();
    notEmpty.notifyAll();
  });
});

describe("mistakes", () => {
  test("are told", async () => {
    const name = uniqueName();
    using object = create(name);
    const { lock, notEmpty } = queueOf(object.value);
    const what = 'Cannot wait for condition "State.notEmpty":';
    const released = lock.lock();
    released.release();
    const isTrue = () => true;
    const lost = expectError(
      () => notEmpty.wait(released, isTrue),
      ShmError,
      `${what} the guard does not hold its lock. Lock it, and wait before it is released.`,
    );
    expect(lost.code).toBe("ERR_SHM_LOCK_LOST");
    using guard = lock.lock();
    const none = {} as MutexGuard;
    const promise = (() => Promise.resolve(true)) as unknown as () => boolean;
    const number = 3 as unknown as () => boolean;
    for (const way of ["wait", "waitAsync"] as const) {
      const check = async (
        [lock, predicate]: [MutexGuard, (guard: MutexGuard) => boolean],
        type: ErrorConstructor,
        message: string,
      ) => {
        const wait = async () => await notEmpty[way](lock, predicate);
        await expectErrorAsync(wait(), type, `${what} ${message}`);
      };
      const object = "received an object ([object Object])";
      await check(
        [none, isTrue],
        TypeError,
        `the guard must be that of a mutex, or the exclusive one of a read-write lock, ${object}`,
      );
      await check([guard, number], TypeError, "the predicate must be a function, received 3");
      const received = "received an object ([object Promise])";
      await check(
        [guard, promise],
        TypeError,
        `the predicate must not return a promise, ${received}`,
      );
      expect(guard.held).toBe(true);
      await check(
        [lock === undefined ? guard : guard, () => {
          throw new TypeError(`${what} mine`);
        }],
        TypeError,
        "mine",
      );
      expect(guard.held).toBe(true);
    }
    const release = expectError(
      () => notEmpty.wait(guard, () => (guard.release(), true)),
      ShmError,
      `${what} the predicate has released the guard. Release it after the wait.`,
    );
    expect(release.code).toBe("ERR_SHM_LOCK_LOST");
    const rule = 'Cannot notify condition "State.notEmpty": count must be an integer from 0';
    expectError(() => notEmpty.notify(-1), RangeError, `${rule} to 2^31 - 1, received -1`);
    expectError(() => notEmpty.notify("1" as unknown as number), TypeError, /received "1"/);
  });

  test("with a time-out of 0 the predicate is called once", () => {
    using object = create(uniqueName());
    const { lock, notEmpty } = queueOf(object.value);
    using guard = lock.lock();
    let calls = 0;
    const isCalled = () => ++calls > 1;
    const error = expectError(
      () => notEmpty.wait(guard, isCalled, { timeout: 0 }),
      DOMException as unknown as ErrorConstructor,
      /took longer than the timeout of 0 ms/,
    );
    expect([error.name, calls, guard.held]).toEqual(["TimeoutError", 1, true]);
    notEmpty.wait(guard, isCalled, { timeout: 0 });
  });

  test("a lock that was written over is not taken for held", () => {
    const Raw = t.struct("Raw", { lock: mutex, ready: condition });
    using object = SharedObject.create(uniqueName(), Raw);
    const { lock, ready } = object.value;
    const guard = lock.lock();
    const words = new Int32Array(object.bytes.buffer, object.bytes.byteOffset, 4);
    Atomics.store(words, 0, 0);
    const lost = expectError(() => ready.wait(guard, () => false), ShmError, /does not hold it/);
    expect([lost.code, guard.held]).toEqual(["ERR_SHM_LOCK_LOST", false]);
  });
});
