/**
 * Semaphores whose permits are owned: no more of them than there are, and none is lost with its holder.
 */

import { afterAll, describe, expect, test } from "bun:test";
import { type Infer, t } from "../layout/mod.ts";
import { SharedObject, SharedSegment, ShmError } from "../mod.ts";
import { semaphore } from "../sync/fields.ts";
import type { Permit } from "../sync/primitives/semaphore.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, openFiles, uniqueName } from "./support/names.ts";
import { type Peer, startPeer, succeed } from "./support/peers.ts";
import { PERMITS, Pool } from "./support/pools.ts";
import { HOST, OTHERS, type RuntimeCommand, RUNTIMES, withFiles } from "./support/runtimes.ts";

cleanUpNames();
const filesBefore = openFiles();
afterAll(() => expect(openFiles()).toEqual(filesBefore));

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const EMPTY: Infer<typeof Pool> = { pad: 1, tail: 2, holders: 0, most: 0, stop: 0, turns: 0 };
const createPool = () => SharedObject.create(uniqueName(), Pool, EMPTY);

async function startIn(
  runtime: RuntimeCommand,
  name: string,
  mode: string,
  number: number = 1,
): Promise<Peer> {
  const peer = startPeer(runtime, "semaphore.ts", [name, mode, number]);
  await peer.line();
  return peer;
}

/** Waits until something holds: what others do takes them a moment. */
async function until(condition: () => boolean, timeoutMs: number = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error("It does not come about");
    await sleep(5);
  }
}

/** All of the permits: what is left over would be seen. */
function takeAll(pool: SharedObject<typeof Pool>, timeout: number = 10_000): Permit[] {
  const permits = Array.from({ length: PERMITS }, () => pool.value.slots.acquire({ timeout }));
  expect([pool.value.slots.available, pool.value.slots.tryAcquire()]).toEqual([0, null]);
  return permits;
}

describe("a semaphore in one thread", () => {
  test("has so many permits, each of which is given back once", () => {
    using pool = createPool();
    const { slots } = pool.value;
    expect([slots.permits, slots.available]).toEqual([PERMITS, PERMITS]);
    const permits = takeAll(pool);
    const [first] = permits as [Permit];
    expect(first.held).toBe(true);
    first.release();
    first.release();
    expect([first.held, slots.available]).toEqual([false, 1]);
    const again = slots.tryAcquire();
    expect([again?.held, slots.tryAcquire()]).toEqual([true, null]);
    first.release(); // is not the one that was acquired since
    expect(slots.available).toBe(0);
    for (const permit of [again, ...permits]) permit?.release();
    {
      using _permit = slots.acquire();
      expect(slots.available).toBe(PERMITS - 1);
    }
    expect(slots.available).toBe(PERMITS);
    expect(pool.snapshot()).toEqual(EMPTY); // and nothing was written beside it
  });

  test("does not wait for itself", () => {
    using pool = createPool();
    using same = SharedObject.open(pool.name, Pool);
    const permits = takeAll(pool);
    for (const { value } of [pool, same]) {
      const error = expectError(
        () => value.slots.acquire({ timeout: 100 }),
        ShmError,
        'Cannot acquire semaphore "Pool.slots": this thread holds all of its 3 permits, and would ' +
          "wait for itself. Release one first; acquireAsync() queues, but comes only when one has been released.",
      );
      expect(error.code).toBe("EDEADLK");
    }
    permits.pop()?.release();
    same.value.slots.acquire().release();
    using _one = pool.value.one.acquire();
    expectError(() => pool.value.one.acquire(), ShmError, /holds its one permit/);
    for (const permit of permits) permit.release();
  });

  test("serves those who await it in order, through all handles", async () => {
    using pool = createPool();
    using same = SharedObject.open(pool.name, Pool);
    const permits = takeAll(pool);
    const order: number[] = [];
    const waits = Array.from({ length: 300 }, async (_, index) => {
      using _permit = await (index % 2 === 0 ? pool : same).value.slots.acquireAsync();
      order.push(index);
      if (index % 50 === 0) await sleep(1);
    });
    for (const permit of permits) permit.release();
    await Promise.all(waits);
    expect(order).toEqual(order.map((_, index) => index));
    expect(pool.value.slots.available).toBe(PERMITS);
  });

  test("passes on what those do not get who are called off", async () => {
    using pool = createPool();
    const { one } = pool.value;
    const permit = one.acquire();
    const controller = new AbortController();
    const reason = new Error("enough");
    const waits = Array.from({ length: 200 }, (_, index) => {
      const options = index % 3 === 0
        ? { signal: controller.signal }
        : index % 3 === 1
        ? { timeout: 20 }
        : {};
      return one.acquireAsync(options).then((each) => {
        each.release();
        return "taken";
      }, (error) => error === reason ? "aborted" : error.name);
    });
    await sleep(60);
    controller.abort(reason);
    permit.release();
    const results = await Promise.all(waits);
    expect(results).toEqual(
      results.map((_, index) => ["aborted", "TimeoutError", "taken"][index % 3]),
    );
    expect(one.available).toBe(1);
    await expectErrorAsync(one.acquireAsync({ signal: controller.signal }), Error, "enough");
  });

  test("does not wait longer than it is told", async () => {
    using pool = createPool();
    const { one } = pool.value;
    await using _holder = await startIn(HOST, pool.name, "hold");
    const permits = [pool.value.slots.acquire(), pool.value.slots.acquire()];
    const startMs = performance.now();
    for (const timeout of [0, 30, 120]) {
      const message = 'Cannot acquire semaphore "Pool.slots": it took longer than the timeout of ' +
        `${timeout} ms`;
      const { slots } = pool.value;
      const error = expectError(() => slots.acquire({ timeout }), DOMException, message);
      expect(error.name).toBe("TimeoutError");
      await expectErrorAsync(slots.acquireAsync({ timeout }), DOMException, message);
    }
    expect(performance.now() - startMs).toBeGreaterThan(290);
    for (const permit of permits) permit.release();
    one.acquire({ timeout: 0 }).release();
    (await one.acquireAsync({ timeout: 0 })).release();
  });

  test("releases after withPermit(), whatever happens in it", async () => {
    using pool = createPool();
    const { one } = pool.value;
    expect(one.withPermit((permit) => [permit.held, one.available])).toEqual([true, 0]);
    const fail = () => {
      throw new Error("a mistake");
    };
    expectError(() => one.withPermit(fail), Error, "a mistake");
    await expectErrorAsync(one.withPermitAsync(fail), Error, "a mistake");
    // @ts-expect-error: the permit would be gone before the promise has settled.
    expectError(() => one.withPermit(async () => {}), TypeError, /use withPermitAsync\(\)/);
    expect(
      await one.withPermitAsync(async (permit) => {
        await sleep(1);
        return [permit.held, one.available];
      }),
    ).toEqual([true, 0]);
    expect(one.available).toBe(1);
  });

  test("refuses to be closed while a permit is held, and calls off who waits", async () => {
    const pool = createPool();
    const same = SharedObject.open(pool.name, Pool);
    const permits = takeAll(pool);
    const waits = [pool, same].map(({ value }) => value.slots.acquireAsync());
    const error = expectError(
      () => pool.close(),
      ShmError,
      `Cannot close object "${pool.name}": this thread holds 3 locks or permits of it. Release ` +
        "what is held first: best with using.",
    );
    expect([error.code, pool.closed]).toEqual(["EBUSY", false]);
    same.close();
    const [first, second] = waits as [Promise<Permit>, Promise<Permit>];
    expect((await expectErrorAsync(second, ShmError, /this handle is closed/)).code).toBe(
      "ERR_SHM_CLOSED",
    );
    permits.pop()?.release();
    (await first).release();
    for (const permit of permits) permit.release();
    const { slots } = pool.value;
    pool.close();
    for (const use of [() => slots.acquire(), () => slots.tryAcquire(), () => slots.available]) {
      expect(expectError(use, ShmError, /closed/).code).toBe("ERR_SHM_CLOSED");
    }
  });

  test("tells when something has been written over a permit", () => {
    using pool = createPool();
    const permit = pool.value.slots.acquire();
    using bytes = SharedSegment.open(pool.name);
    bytes.bytes.fill(0, Pool.offsetOf("slots"), Pool.offsetOf("tail"));
    const error = expectError(() => permit.release(), ShmError, /not this thread's any more/);
    expect([error.code, permit.held]).toEqual(["ERR_SHM_LOCK_LOST", false]);
    // What has this thread's id, and is no permit that it knows of, comes back.
    const words = new Int32Array(bytes.bytes.buffer, Pool.offsetOf("slots"), 4 + PERMITS);
    using other = pool.value.slots.acquire();
    const id = words.find((word) => word !== 0) as number;
    words.fill(id, 4);
    expect(pool.value.slots.available).toBe(PERMITS - 1);
    const rest = [pool.value.slots.acquire(), pool.value.slots.acquire()];
    expect(pool.value.slots.tryAcquire()).toBe(null);
    for (const each of rest) each.release();
    expect(other.held).toBe(true);
  });
});

describe("the field", () => {
  test("has 16 bytes, and 4 for each permit", () => {
    for (const permits of [1, 2, 8, 4096]) {
      const field = semaphore(permits);
      expect([field.size, field.alignment, field.describe()]).toEqual([
        16 + 4 * permits,
        4,
        { kind: "semaphore", permits },
      ]);
    }
    const pool = t.struct("Pools", { pad: t.u16, many: t.array(Pool, 2) });
    using object = SharedObject.create(uniqueName(), pool, { pad: 7 });
    const again = SharedObject.layoutOf(object.name);
    expect([again.fingerprint, again.toC()]).toEqual([pool.fingerprint, pool.toC()]);
    const [first, second] = object.value.many;
    const permits = Array.from({ length: PERMITS }, () => second?.slots.acquire());
    expect([first?.slots.available, second?.slots.available]).toEqual([PERMITS, 0]);
    for (const permit of permits) permit?.release();
    expect(object.snapshot().many.length).toBe(2);
  });

  test("wants a number of permits that there can be", () => {
    for (const permits of [0, 4097, 1.5, NaN, -1]) {
      const message =
        "Cannot make semaphore: permits must be an integer from 1 to 4096, received " +
        permits;
      expectError(() => semaphore(permits), RangeError, message);
    }
    expectError(() => semaphore("3" as unknown as number), TypeError, /received "3"/);
  });

  test("checks its options", async () => {
    using pool = createPool();
    const { one } = pool.value;
    expectError(() => one.acquire({ timeout: -1 }), RangeError, /timeout must be a number/);
    expectError(() => one.acquire(5 as unknown as object), TypeError, /options must be an object/);
    const signal = {} as AbortSignal;
    await expectErrorAsync(one.acquireAsync({ signal }), TypeError, /an AbortSignal/);
    expect(one.available).toBe(1);
  });

  test("has no verbs in plain memory", () => {
    const view = Pool.view(new Uint8Array(Pool.size)) as unknown as SharedObject<
      typeof Pool
    >["value"];
    const error = expectError(() => view.slots.acquire(), ShmError, /not in a shared object/);
    expect(error.code).toBe("ERR_SHM_UNSUPPORTED");
  });
});

describe("a semaphore between processes", () => {
  test("is never held by more than it has permits, by whatever runtimes", async () => {
    using pool = createPool();
    const peers = await Promise.all(
      [...RUNTIMES, ...OTHERS].map((runtime) => startIn(runtime, pool.name, "mix")),
    );
    const { most, stop, turns, holders } = pool.value;
    await sleep(1500);
    stop.store(1);
    await Promise.all(peers.map(succeed));
    expect([most.load(), holders.load()]).toEqual([PERMITS, 0]);
    expect(turns.load()).toBeGreaterThan(1000);
    for (const permit of takeAll(pool, 0)) permit.release();
  });

  test("gets the permits of the killed back", async () => {
    await Promise.all(RUNTIMES.map(async (runtime) => {
      using pool = createPool();
      const { slots } = pool.value;
      await using holder = await startIn(runtime, pool.name, "hold", PERMITS);
      expect([slots.available, slots.tryAcquire()]).toEqual([0, null]);
      const waits = Array.from({ length: 2 }, () => slots.acquireAsync({ timeout: 10_000 }));
      holder.kill();
      const permits = [slots.acquire({ timeout: 10_000 }), ...await Promise.all(waits)];
      expect(slots.tryAcquire()).toBe(null);
      for (const permit of permits) permit.release();
      expect(slots.available).toBe(PERMITS);
    }));
  });

  test("gets them back from a stopped process only when that is killed", async () => {
    using pool = createPool();
    await using holder = await startIn(HOST, pool.name, "hold", PERMITS);
    holder.kill("SIGSTOP");
    const { slots } = pool.value;
    expectError(() => slots.acquire({ timeout: 200 }), DOMException, /timeout/);
    await expectErrorAsync(slots.acquireAsync({ timeout: 200 }), DOMException, /timeout/);
    expect(slots.available).toBe(0);
    holder.kill("SIGKILL");
    for (const permit of takeAll(pool)) permit.release();
  });

  test("gets the permits of terminated threads back", async () => {
    await Promise.all(RUNTIMES.map(async (runtime) => {
      using pool = createPool();
      await using holder = await startIn(withFiles(runtime), pool.name, "thread", PERMITS);
      const { slots } = pool.value;
      expect([slots.available, slots.tryAcquire()]).toEqual([0, null]);
      holder.send("terminate");
      expect(await holder.line()).toBe("terminated");
      const permits: Permit[] = [];
      for (let count = 0; count < PERMITS; count++) {
        permits.push(await slots.acquireAsync({ timeout: 10_000 }));
      }
      for (const permit of permits) permit.release();
    }));
  });

  test("is not blocked by those who wait and are stopped or killed", async () => {
    using pool = createPool();
    const permits = takeAll(pool);
    const waiters: Peer[] = [];
    for (const runtime of RUNTIMES) {
      for (const mode of ["wait", "waitAsync"]) {
        waiters.push(await startIn(runtime, pool.name, mode));
      }
    }
    await sleep(250); // so that one demands it
    for (const [index, waiter] of waiters.entries()) {
      waiter.kill(index % 2 === 0 ? "SIGSTOP" : "SIGKILL");
    }
    for (const permit of permits) permit.release();
    for (let round = 0; round < 5; round++) {
      pool.value.slots.acquire({ timeout: 5000 }).release();
      (await pool.value.slots.acquireAsync({ timeout: 5000 })).release();
    }
    for (const waiter of waiters) waiter.kill();
  });

  test("wakes who waits, in each runtime and each way", async () => {
    using pool = createPool();
    const { slots } = pool.value;
    for (const runtime of RUNTIMES) {
      for (const mode of ["wait", "waitAsync"]) {
        const permits = takeAll(pool);
        await using waiter = await startIn(runtime, pool.name, mode);
        await sleep(20);
        permits.pop()?.release();
        expect(await waiter.line()).toMatch(/^got/);
        await waiter.exit();
        await until(() => slots.available === 1);
        for (const permit of permits) permit.release();
      }
    }
  });

  test("is not kept by those who take it again at once", async () => {
    using pool = createPool();
    const { one, stop, turns } = pool.value;
    const peers = await Promise.all(
      RUNTIMES.map((runtime) => startIn(runtime, pool.name, "tight")),
    );
    let longestMs = 0;
    for (let round = 0; round < 8; round++) {
      const startMs = performance.now();
      const permit = round % 2 === 0
        ? one.acquire({ timeout: 10_000 })
        : await one.acquireAsync({ timeout: 10_000 });
      permit.release();
      longestMs = Math.max(longestMs, performance.now() - startMs);
      await sleep(10);
    }
    stop.store(1);
    await Promise.all(peers.map(succeed));
    expect(turns.load()).toBeGreaterThan(20);
    expect(longestMs).toBeLessThan(500);
  });
});
