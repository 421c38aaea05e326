/**
 * The mutex: one owner at a time among threads and processes of all runtimes, and what happens when
 * the owner, or somebody who waits, dies, stops or gives up.
 */

import { describe, expect, test } from "bun:test";
import process from "node:process";
import { MutexGuard, SharedMutex, SharedObject, SharedSegment, ShmError, t } from "../mod.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { Guarded, UNGUARDED } from "./support/guarded.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { type Peer, startPeer, succeed } from "./support/peers.ts";
import { HOST, RUNTIMES, withFiles } from "./support/runtimes.ts";

cleanUpNames();

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Reads lines until one of them, which must come. */
async function until(peer: Peer, wanted: string): Promise<void> {
  while (true) {
    const line = await peer.line();
    if (line === wanted) return;
    if (line === "done") throw new Error(`The peer did not say ${wanted}`);
  }
}

/** How a peer's wait ended. */
async function waited(peer: Peer): Promise<{ ms: number; ownerDied: boolean }> {
  return JSON.parse(await peer.line());
}

function guarded(name: string = uniqueName()): SharedObject<typeof Guarded> {
  return SharedObject.create(name, Guarded, UNGUARDED);
}

describe("a mutex", () => {
  test("is held by one guard, until it is released", () => {
    using object = guarded();
    const { lock } = object.value.inner;
    const guard = lock.lock();
    expect(guard).toBeInstanceOf(MutexGuard);
    expect([guard.held, guard.ownerDied]).toEqual([true, false]);
    expect(lock.tryLock()).toBe(null);
    guard.release();
    guard.release();
    expect(guard.held).toBe(false);
    {
      using again = lock.tryLock();
      expect(again?.held).toBe(true);
    }
    expect(lock.withLock((held) => held.held)).toBe(true);
  });

  test("is one of many in an object, whatever lies around it", () => {
    using object = guarded();
    const locks = [object.value.inner.lock, ...object.value.others.map(({ lock }) => lock)];
    const guards = locks.map((lock) => lock.lock());
    expect(locks.every((lock) => lock.tryLock() === null)).toBe(true);
    expect(object.snapshot()).toEqual(UNGUARDED);
    for (const guard of guards) guard.release();
    object.assign({ count: 7, letter: 1 });
    expect(locks.every((lock) => lock.withLock(({ held }) => held))).toBe(true);
  });

  test("is the same through every handle of a thread", () => {
    const name = uniqueName();
    using first = guarded(name);
    using second = SharedObject.open(name, Guarded);
    using _guard = first.value.inner.lock.lock();
    expect(second.value.inner.lock.tryLock()).toBe(null);
    const error = expectError(
      () => second.value.inner.lock.lock(),
      ShmError,
      /would wait for itself/,
    );
    expect(error.code).toBe("EDEADLK");
  });

  test("is released when the function throws, and does not take one that awaits", () => {
    using object = guarded();
    const { lock } = object.value.inner;
    expect(() =>
      lock.withLock(() => {
        throw new Error("mine");
      })
    ).toThrow("mine");
    // @ts-expect-error A promise is refused by type, too.
    expectError(() => lock.withLock(() => Promise.resolve()), TypeError, /withLockAsync/);
    expect(lock.tryLock()?.release()).toBe(undefined);
  });

  test("keeps its handle open", () => {
    const name = uniqueName();
    using object = guarded(name);
    const guard = object.value.inner.lock.lock();
    const error = expectError(() => object.close(), ShmError, /holds a lock or permit of it/);
    expect(error.code).toBe("EBUSY");
    expect(object.value.count).toBe(0);
    guard.release();
    const { lock } = object.value.inner;
    object.close();
    expect(expectError(() => lock.lock(), ShmError, /closed/).code).toBe("ERR_SHM_CLOSED");
    expect(expectError(() => lock.tryLock(), ShmError, /closed/).code).toBe("ERR_SHM_CLOSED");
  });

  test("tells when something has been written over it", () => {
    const name = uniqueName();
    using object = guarded(name);
    const guard = object.value.inner.lock.lock();
    using bytes = SharedSegment.open(name);
    const at = Guarded.offsetOf("inner") + 4;
    bytes.view(Int32Array, at, 1)[0] = 0;
    const error = expectError(() => guard.release(), ShmError, /does not hold it/);
    expect(error.code).toBe("ERR_SHM_LOCK_LOST");
    // What is nobody's id is a dead one's.
    bytes.view(Int32Array, at, 1)[0] = 0x3ff;
    using next = object.value.inner.lock.lock({ timeout: 1000 });
    expect(next.ownerDied).toBe(true);
    next.markConsistent();
  });

  test("refuses what it cannot do, in words", () => {
    using object = guarded();
    const { lock } = object.value.inner;
    expectError(() => lock.lock({ timeout: -1 }), RangeError, /timeout must be a number/);
    const { signal } = new AbortController();
    // @ts-expect-error A blocked thread hears of no signal.
    expectError(() => lock.lock({ signal }), TypeError, /signal must be left out/);
    // @ts-expect-error Not a number.
    expectError(() => lock.lock({ timeout: "1" }), TypeError, /timeout must be a number/);
    // @ts-expect-error Nothing to call.
    expectError(() => lock.withLock(), TypeError, /must be a function to call, received undefined/);
    expect(lock.tryLock()?.release()).toBe(undefined);
    const loose = object.value.inner as unknown as Record<string, unknown>;
    expectError(() => loose["lock"] = 1, TypeError, /lock cannot be assigned to: it has no value/);
    const raw = Guarded.view(new Uint8Array(Guarded.size)).inner.lock as typeof lock;
    const error = expectError(() => raw.lock(), ShmError, /not in a shared object/);
    expect(error.code).toBe("ERR_SHM_UNSUPPORTED");
    const name = uniqueName();
    using _bare = SharedSegment.create(name, { size: Guarded.size });
    using foreign = SharedObject.open(name, Guarded);
    expectError(() => foreign.value.inner.lock.lock(), ShmError, /without the tables/);
  });

  test("times out, at once when it is told to", async () => {
    const name = uniqueName();
    using object = guarded(name);
    await using peer = startPeer(HOST, "lock.ts", [name, "hold"]);
    await until(peer, "held");
    const { lock } = object.value.inner;
    for (const timeout of [0, 30]) {
      const startMs = performance.now();
      expectError(() => lock.lock({ timeout }), DOMException, /longer than the timeout/);
      await expectErrorAsync(lock.lockAsync({ timeout }), DOMException, /longer than the timeout/);
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(timeout * 2 - 2);
    }
    const reason = new Error("enough");
    const controller = new AbortController();
    const aborted = lock.lockAsync({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    expect(await aborted.catch((error) => error)).toBe(reason);
    expect(await lock.lockAsync({ signal: controller.signal }).catch((error) => error)).toBe(
      reason,
    );
  });
});

describe("between processes", () => {
  test("every pair of runtimes counts right", async () => {
    for (const [at, first] of RUNTIMES.entries()) {
      for (const second of RUNTIMES.slice(at)) {
        const name = uniqueName();
        using object = guarded(name);
        const peers = [first, second].map((runtime) =>
          startPeer(runtime, "lock.ts", [name, "count:100000"])
        );
        for (const peer of peers) expect(await succeed(peer)).toBe("done\n");
        expect(object.value.count).toBe(200_000);
      }
    }
  });

  test("who waits gets it when the owner releases it, or dies", async () => {
    for (const runtime of RUNTIMES) {
      const name = uniqueName();
      using object = guarded(name);
      const { lock } = object.value.inner;
      for (const command of ["wait", "waitAsync"]) {
        const guard = lock.lock();
        await using waiter = startPeer(runtime, "lock.ts", [name, command]);
        await until(waiter, "waiting");
        await sleep(120); // so that it has demanded to be next
        guard.release();
        expect((await waited(waiter)).ownerDied).toBe(false);
        await succeed(waiter);
      }
      await using owner = startPeer(runtime, "lock.ts", [name, "hold"]);
      await until(owner, "held");
      expect(lock.tryLock()).toBe(null);
      owner.kill();
      await owner.exit();
      using taken = lock.lock({ timeout: 2000 });
      expect(taken.ownerDied).toBe(true);
    }
  });

  test("after a death all are told, until somebody has put it right", async () => {
    const name = uniqueName();
    using object = guarded(name);
    const { lock } = object.value.inner;
    await using victim = startPeer(HOST, "lock.ts", [name, "hold"]);
    await until(victim, "held");
    victim.kill();
    await victim.exit();
    expect(
      (await lock.lockAsync({ timeout: 2000 }).then((guard) => {
        guard.release();
        return guard;
      })).ownerDied,
    ).toBe(true);
    expect(lock.withLock((guard) => guard.ownerDied)).toBe(true);
    await using other = startPeer(HOST, "lock.ts", [name, "wait"]);
    await until(other, "waiting");
    expect((await waited(other)).ownerDied).toBe(true);
    lock.withLock((guard) => guard.markConsistent());
    expect(lock.withLock((guard) => guard.ownerDied)).toBe(false);
  });

  test("a death wakes those who block and those who await, in every runtime", async () => {
    for (const command of ["wait", "waitAsync"]) {
      const name = uniqueName();
      using _object = guarded(name);
      await using victim = startPeer(HOST, "lock.ts", [name, "holdAsync"]);
      await until(victim, "held");
      const waiters = RUNTIMES.map((runtime) => startPeer(runtime, "lock.ts", [name, command]));
      for (const waiter of waiters) await until(waiter, "waiting");
      await sleep(50);
      victim.kill();
      const told = await Promise.all(waiters.map(waited));
      expect(told.map(({ ownerDied }) => ownerDied)).toEqual([true, true, true]);
      for (const waiter of waiters) await succeed(waiter);
    }
  });

  test("a stopped owner is alive, and a stopped waiter holds nobody up", async () => {
    for (const command of ["wait", "waitAsync"]) {
      const name = uniqueName();
      using object = guarded(name);
      const { lock } = object.value.inner;
      await using owner = startPeer(HOST, "lock.ts", [name, "hold"]);
      await until(owner, "held");
      owner.kill("SIGSTOP");
      expectError(() => lock.lock({ timeout: 200 }), DOMException, /timeout/);
      owner.kill("SIGCONT");
      await using waiter = startPeer(HOST, "lock.ts", [name, command]);
      await until(waiter, "waiting");
      await sleep(150); // it demands to be next
      waiter.kill("SIGSTOP");
      owner.kill();
      await owner.exit();
      for (let round = 0; round < 20; round++) lock.lock({ timeout: 2000 }).release();
      waiter.kill("SIGCONT");
      expect((await waited(waiter)).ms).toBeGreaterThan(100);
    }
  });

  test("a terminated worker is dead, though its process lives", async () => {
    for (const runtime of RUNTIMES) {
      const name = uniqueName();
      using object = guarded(name);
      await using peer = startPeer(withFiles(runtime), "lock.ts", [name, "thread"]);
      await until(peer, "terminated");
      using guard = object.value.inner.lock.lock({ timeout: 2000 });
      expect(guard.ownerDied).toBe(true);
    }
  });
});

describe("in one thread", () => {
  test("those who await are served in order", async () => {
    using object = guarded();
    const { lock } = object.value.inner;
    const guard = lock.lock();
    const order: number[] = [];
    const all = Array.from({ length: 20 }, (_, number) =>
      lock.withLockAsync(async () => {
        order.push(number);
        await sleep(number % 3);
      }));
    guard.release();
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 20 }, (_, number) => number));
  });

  test("hundreds await one lock, with time-outs and aborts, and the loop goes on", async () => {
    const name = uniqueName();
    using object = guarded(name);
    const { lock } = object.value.inner;
    await using peer = startPeer(HOST, "lock.ts", [name, "hold"]);
    await until(peer, "held");
    let [got, timedOut, aborted] = [0, 0, 0];
    const all = Array.from({ length: 500 }, async (_, number) => {
      const signal = AbortSignal.abort("given up");
      const kinds = [{}, { timeout: 20 + number % 50 }, { signal }];
      try {
        using _guard = await lock.lockAsync(kinds[number % 3]);
        got++;
      } catch (error) {
        if (error === "given up") aborted++;
        else if ((error as Error).name === "TimeoutError") timedOut++;
        else throw error;
      }
    });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await sleep(300);
    expect(ticks).toBeGreaterThan(15);
    peer.kill();
    await Promise.all(all);
    clearInterval(timer);
    expect([got, timedOut, aborted]).toEqual([167, 167, 166]);
  });

  test("closing ends the waits of the handle", async () => {
    const name = uniqueName();
    using object = guarded(name);
    const other = SharedObject.open(name, Guarded);
    const guard = object.value.inner.lock.lock();
    const wait = other.value.inner.lock.lockAsync();
    other.close();
    await expectErrorAsync(wait, ShmError, /closed/);
    guard.release();
    expect(object.value.inner.lock.tryLock()?.release()).toBe(undefined);
  });

  test("a mailbox is there while somebody awaits, and goes with the object", async () => {
    const { existsSync, readdirSync, readlinkSync } = await import("node:fs");
    const descriptors = () => new Set(readdirSync("/proc/self/fd"));
    const before = descriptors();
    const name = uniqueName();
    const object = guarded(name);
    await using peer = startPeer(HOST, "lock.ts", [name, "hold"]);
    await until(peer, "held");
    const wait = object.value.inner.lock.lockAsync();
    const mailboxes = [...descriptors()].filter((fd) => !before.has(fd)).flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`);
        return path.startsWith("/dev/shm/shmkit-mailbox-") ? [path] : [];
      } catch {
        return []; // that of the directory
      }
    });
    expect(new Set(mailboxes).size).toBe(1);
    expect(existsSync(mailboxes[0] as string)).toBe(true);
    peer.kill();
    (await wait).release();
    object.close();
    expect(existsSync(mailboxes[0] as string)).toBe(false);
  });
});

describe("a named mutex", () => {
  test("is created, opened, found and removed", async () => {
    const name = uniqueName();
    const opening = SharedMutex.openAsync(name, { timeout: 5000 });
    using mutex = SharedMutex.create(name);
    expect([mutex.name, mutex.created, mutex.closed]).toEqual([name, true, false]);
    using other = await opening;
    using third = SharedMutex.openOrCreate(name);
    expect([other.created, third.created]).toEqual([false, false]);
    const guard = other.lock();
    expect(mutex.tryLock()).toBe(null);
    expectError(() => other.close(), ShmError, /holds a lock/);
    guard.release();
    expect(SharedMutex.exists(name)).toBe(true);
    expect([SharedMutex.unlink(name), SharedMutex.unlink(name)]).toEqual([true, false]);
    expect(SharedMutex.exists(name)).toBe(false);
    expect(expectError(() => SharedMutex.open(name), ShmError, /not exist/).code).toBe("ENOENT");
  });

  test("is no other kind of object", () => {
    const name = uniqueName();
    using _mutex = SharedMutex.create(name);
    const error = expectError(() => SharedObject.open(name, Guarded), ShmError, /mutex/);
    expect(error.code).toBe("ERR_SHM_KIND");
    using segment = SharedSegment.open(name);
    expect(segment.size).toBeGreaterThan(16);
    const object = uniqueName();
    using _object = guarded(object);
    expect(expectError(() => SharedMutex.open(object), ShmError, /it is an object/).code).toBe(
      "ERR_SHM_KIND",
    );
  });

  test("has room for as many threads as it was made for", () => {
    const name = uniqueName();
    using mutex = SharedMutex.create(name, { participants: 1 });
    mutex.lock().release();
    const peer = SharedMutex.open(name); // the same thread: the same place
    peer.lock().release();
    peer.close();
    expect(ownFiles()).toContain(name);
  });
});

test("a struct of locks has no value", () => {
  using object = SharedObject.create(uniqueName(), t.struct("Bare", { lock: t.mutex }), {});
  expect(object.snapshot()).toEqual({});
  expect(object.value.lock.tryLock()?.release()).toBe(undefined);
  expect(process.pid).toBeGreaterThan(0);
});
