/**
 * The read-write lock, between real processes of all runtimes.
 */

import { describe, expect, test } from "bun:test";
import { SharedObject, ShmError, t } from "../mod.ts";
import { rwlock } from "../sync/fields.ts";
import type { RwLock } from "../sync/primitives/rwlock.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { Shelf, type ShelfObject } from "./support/shelf.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { type Peer, startPeer } from "./support/peers.ts";
import { HOST, RUNTIMES, withFiles } from "./support/runtimes.ts";

cleanUpNames();

const delay = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

const create = (): ShelfObject => SharedObject.create(uniqueName(), Shelf);

/** A peer that obeys. */
async function start({ name }: ShelfObject, runtime = HOST): Promise<Peer> {
  const peer = startPeer(withFiles(runtime), "rwlock.ts", [name]);
  expect(await peer.line()).toBe("ready");
  return peer;
}

async function tell(peer: Peer, ...lines: string[]): Promise<string> {
  let answer = "";
  for (const line of lines) {
    peer.send(line);
    answer = await peer.line();
  }
  return answer;
}

/** Ends a peer in the midst of what it does. */
async function kill(peer: Peer): Promise<void> {
  peer.kill();
  await peer.exit();
}

/** The word of the lock: whether it is owned, also by a writer that waits for readers. */
async function owned({ bytes }: ShelfObject, isOwned = true): Promise<void> {
  const words = new Int32Array(bytes.buffer, Shelf.offsetOf("lock"), 1);
  while (((Atomics.load(words, 0) & 0x3fff_ffff) !== 0) !== isOwned) await delay(1);
}

/** How many timers are started in a time. */
async function timersIn(timeMs: number): Promise<number> {
  const real = globalThis.setTimeout;
  const over = delay(timeMs);
  let count = 0;
  const counting = (callback: () => void, ms?: number) => {
    count++;
    return real(callback, ms);
  };
  globalThis.setTimeout = Object.assign(counting, real) as typeof real;
  try {
    await over;
  } finally {
    globalThis.setTimeout = real;
  }
  return count;
}

const TIMEOUT = { timeout: 20_000 };

describe("RwLock", () => {
  for (const runtime of RUNTIMES) {
    test(`is shared by many or had by one, with ${runtime.name}`, async () => {
      using object = create();
      const { lock } = object.value;
      await using peer = await start(object, runtime);

      expect(await tell(peer, "shared")).toBe("locked");
      const shared = [lock.lockShared(), lock.tryLockShared(), await lock.lockSharedAsync()];
      expect(lock.tryLockExclusive()).toBe(null);
      for (const guard of shared) guard?.release();
      expect(lock.tryLockExclusive()).toBe(null);
      expectError(() => lock.lockExclusive({ timeout: 0 }), DOMException, /timeout of 0 ms/);
      await tell(peer, "release");

      expect(await tell(peer, "exclusive")).toBe("locked");
      expect([lock.tryLockShared(), lock.tryLockExclusive()]).toEqual([null, null]);
      expectError(() => lock.lockShared({ timeout: 0 }), DOMException, /timeout of 0 ms/);
      await tell(peer, "release");

      using guard = lock.lockExclusive();
      expect([guard.held, guard.ownerDied]).toEqual([true, false]);
      expect(await tell(peer, "tryShared")).toBe("busy");
      expect(await tell(peer, "tryExclusive")).toBe("busy");
      expect(await tell(peer, "shared 30")).toMatch(/^TimeoutError: Cannot share read-write lock/);
      expect(await tell(peer, "exclusiveAsync 30")).toMatch(
        /^TimeoutError: Cannot lock read-write lock/,
      );
      guard.release();
      guard.release();
      expect(guard.held).toBe(false);
      expect(await tell(peer, "shared", "shared", "release", "release")).toBe("released");
      expect(await tell(peer, "sharedAsync", "release", "exclusiveAsync")).toBe("locked");
    });

    test(`waits for readers and writers of ${runtime.name}`, async () => {
      using object = create();
      const { lock } = object.value;
      await using peer = await start(object, runtime);
      for (const theirs of ["shared", "exclusive", "sharedAsync", "exclusiveAsync"]) {
        for (const ours of ["lockExclusive", "lockShared"] as const) {
          if (theirs.startsWith("shared") && ours === "lockShared") continue;
          await tell(peer, theirs);
          const waiting = lock[`${ours}Async`](TIMEOUT);
          await tell(peer, "releaseSoon");
          (await waiting).release();
          await tell(peer, theirs, "releaseSoon");
          lock[ours](TIMEOUT).release();

          const guard = lock[ours]();
          peer.send(theirs);
          await delay(20);
          guard.release();
          expect(await peer.line()).toBe("locked");
          await tell(peer, "release");
        }
      }
    });

    test(`tells all of the death of a writer in ${runtime.name}`, async () => {
      using object = create();
      const { lock } = object.value;
      await using other = await start(object, runtime);
      for (const verb of ["exclusive", "exclusiveAsync"]) {
        await using peer = await start(object, runtime);
        expect(await tell(peer, verb)).toBe("locked");
        const waiting = lock.lockSharedAsync(TIMEOUT);
        other.send("shared");
        await delay(20);
        await kill(peer);
        using shared = lock.lockShared(TIMEOUT);
        expect(shared.ownerDied).toBe(true);
        expect((shared as { markConsistent?: unknown }).markConsistent).toBe(undefined);
        using awaited = await waiting;
        expect([awaited.ownerDied, await other.line()]).toEqual([true, "died"]);
        awaited.release();
        shared.release();
        expect(await tell(other, "release", "tryShared", "release", "exclusive")).toBe("died");
        await tell(other, "release");

        using guard = lock.lockExclusive(TIMEOUT);
        expect(guard.ownerDied).toBe(true);
        guard.markConsistent();
        guard.release();
        expectError(() => guard.markConsistent(), ShmError, /mark consistent.*does not hold it/);
        expect(await tell(other, "shared", "release", "exclusive")).toBe("locked");
        await tell(other, "release");
        expect(lock.withShared((each) => each.ownerDied)).toBe(false);
      }
    });

    test(`is not stopped by the death of those who read or wait in ${runtime.name}`, async () => {
      using object = create();
      const { lock } = object.value;
      for (const verb of ["shared", "sharedAsync", "thread shared"]) {
        await using peer = await start(object, runtime);
        expect(await tell(peer, verb)).toBe("locked");
        expect(lock.tryLockExclusive()).toBe(null);
        const waiting = verb === "shared" ? undefined : lock.lockExclusiveAsync(TIMEOUT);
        await delay(20);
        if (verb.startsWith("thread")) await tell(peer, "terminate");
        else await kill(peer);
        using guard = waiting === undefined ? lock.lockExclusive(TIMEOUT) : await waiting;
        expect(guard.ownerDied).toBe(false);
      }
      for (const verb of ["exclusive", "exclusiveAsync"]) {
        await using peer = await start(object, runtime);
        using shared = lock.lockShared();
        peer.send(verb);
        await owned(object);
        await using third = await start(object, runtime);
        third.send("shared");
        await delay(20);
        await kill(peer);
        expect(await third.line()).toBe("locked"); // and nobody had died while writing
        shared.release();
        await tell(third, "release");
        expect(lock.withExclusive((guard) => guard.ownerDied, TIMEOUT)).toBe(false);
      }
    });

    test(`hands out what a terminated thread of ${runtime.name} was writing`, async () => {
      using object = create();
      const { lock } = object.value;
      await using peer = await start(object, runtime);
      expect(await tell(peer, "thread exclusive")).toBe("locked");
      expect(lock.tryLockShared()).toBe(null);
      await tell(peer, "terminate");
      expect(await tell(peer, "shared")).toBe("died");
      using guard = lock.lockShared(TIMEOUT);
      expect(guard.ownerDied).toBe(true);
    });

    test(`lets neither starve the other, with ${runtime.name}`, async () => {
      using object = create();
      const { lock } = object.value;
      await using first = await start(object, runtime);
      await using second = await start(object);
      for (const verb of ["spinShared", "spinExclusive"]) {
        for (const peer of [first, second]) expect(await tell(peer, verb)).toBe("spinning");
        for (let round = 0; round < 3; round++) {
          lock.lockExclusive(TIMEOUT).release();
          lock.lockShared(TIMEOUT).release();
          (await lock.lockSharedAsync(TIMEOUT)).release();
          (await lock.lockExclusiveAsync(TIMEOUT)).release();
        }
        for (const peer of [first, second]) {
          expect(await tell(peer, "stop")).toBe("stopping");
          expect(Number(await peer.line())).toBeGreaterThan(0);
        }
      }
    });
  }

  test("never shows anything half written", async () => {
    using object = create();
    await using first = await start(object, RUNTIMES[0]);
    await using second = await start(object, RUNTIMES[1]);
    await using third = await start(object, RUNTIMES[2]);
    const storms = [[first, 10], [second, 3], [third, 2]] as const;
    for (const [peer, every] of storms) peer.send(`storm 1500 ${every}`);
    const { lock } = object.value;
    let [torn, writes] = [0, 0];
    const check = () => void (object.value.left !== object.value.right && torn++);
    for (let round = 0; round < 200; round++) {
      lock.withShared(check);
      await lock.withSharedAsync(check);
      lock.withExclusive(() => {
        writes++;
        object.value.left++;
        check(); // which sees it, and so the others would
        object.value.right++;
      });
    }
    expect(torn).toBe(200);
    for (const [peer, every] of storms) {
      const ours = Math.floor(1500 / every);
      expect(await peer.line()).toBe(`${ours} 0`);
      writes += ours;
    }
    expect([object.value.left, object.value.right]).toEqual([writes, writes]);
  }, 60_000);

  test("gives a thread more shared locks while a writer waits, and no others", async () => {
    using object = create();
    const { lock } = object.value;
    await using writer = await start(object);
    await using reader = await start(object);
    using first = lock.lockShared();
    writer.send("exclusive");
    await owned(object);
    using second = lock.lockShared(TIMEOUT);
    using third = lock.tryLockShared();
    expect([first.held, second.held, third?.held]).toEqual([true, true, true]);
    expect(await tell(reader, "tryShared")).toBe("busy");
    const late = lock.lockSharedAsync(TIMEOUT);
    for (const guard of [first, second]) guard.release();
    await delay(30);
    expect(await Promise.race([late, delay(0)])).toBe(undefined);
    third?.release();
    expect(await writer.line()).toBe("locked");
    await tell(writer, "release");
    (await late).release();
  });

  test("refuses to wait for its own thread", async () => {
    using object = create();
    const { lock } = object.value;
    const refuse = (body: () => unknown, message: RegExp) =>
      expect(expectError(body, ShmError, message).code).toBe("EDEADLK");
    const shared = lock.lockShared();
    refuse(
      () => lock.lockExclusive(),
      /lock read-write lock "Shelf.lock" of "[^"]*": .* shares it.* cannot become/,
    );
    refuse(() => lock.lockExclusive({ timeout: 0 }), /shares it/);
    expect(lock.tryLockExclusive()).toBe(null);
    const upgraded = lock.lockExclusiveAsync(TIMEOUT);
    shared.release();
    const exclusive = await upgraded;
    using other = SharedObject.open(object.name, Shelf);
    for (const each of [lock, other.value.lock]) {
      refuse(() => each.lockExclusive(), /this thread holds it, and would wait for itself/);
      refuse(() => each.lockShared({ timeout: 5 }), /this thread holds it exclusively/);
      expect([each.tryLockShared(), each.tryLockExclusive()]).toEqual([null, null]);
    }
    expect(expectError(() => object.close(), ShmError, /this thread holds a lock/).code)
      .toBe("EBUSY");
    exclusive.release();
  });

  test("serves the callers of one thread in order, and goes by aborted ones", async () => {
    using object = create();
    const { lock } = object.value;
    const order: string[] = [];
    const enter = (name: string) => async () => {
      order.push(`+${name}`);
      await delay(2);
      order.push(`-${name}`);
    };
    const controller = new AbortController();
    const reason = new Error("enough");
    const { signal } = controller;
    const all = [
      lock.withSharedAsync(enter("a")),
      lock.withSharedAsync(enter("b")),
      lock.withExclusiveAsync(enter("c")),
      lock.withExclusiveAsync(enter("x"), { signal }).catch((error) => order.push(error.message)),
      lock.withSharedAsync(enter("d")),
      lock.withSharedAsync(enter("e")),
    ];
    controller.abort(reason);
    await Promise.all(all);
    expect(order.join(" ")).toBe("+a +b enough -a -b +c -c +d +e -d -e");
    expect((await lock.lockExclusiveAsync({ signal }).catch((error) => error)).message)
      .toBe("enough");
    lock.lockExclusive({ timeout: 0 }).release();
  });

  test("gives up without a trace", async () => {
    using object = create();
    const { lock } = object.value;
    await using reader = await start(object);
    await tell(reader, "shared");
    // A writer that waits for readers already keeps others out, until it gives up.
    expectError(() => lock.lockExclusive({ timeout: 30 }), DOMException, /timeout of 30 ms/);
    const late = lock.lockExclusiveAsync({ timeout: 150 });
    await owned(object);
    lock.lockShared().release(); // that is before it
    expectError(() => lock.lockExclusive({ timeout: 30 }), DOMException, /timeout of 30 ms/);
    await expectErrorAsync(late, DOMException, /timeout of 150 ms/);
    await owned(object, false);
    const controller = new AbortController();
    const aborted = lock.lockExclusiveAsync({ signal: controller.signal });
    await owned(object);
    controller.abort(new Error("enough"));
    await expectErrorAsync(aborted, Error, "enough");
    await owned(object, false);
    lock.lockShared({ timeout: 0 }).release();
    const next = lock.lockExclusiveAsync(TIMEOUT);
    await owned(object);
    expectError(() => lock.lockExclusive({ timeout: 30 }), DOMException, /timeout of 30 ms/);
    await tell(reader, "release");
    (await next).release();
    await tell(reader, "exclusive");
    const closing = [lock.lockSharedAsync(), lock.lockExclusiveAsync()];
    object.close();
    for (const each of closing) {
      expect((await expectErrorAsync(each, ShmError, /closed/)).code).toBe("ERR_SHM_CLOSED");
    }
    expectError(() => lock.tryLockShared(), ShmError, /closed/);
    expectError(() => lock.lockShared(), ShmError, /closed/);
  });

  test("leaves it to who is stopped, and goes by those who wait and are", async () => {
    using object = create();
    const { lock } = object.value;
    await using holder = await start(object);
    await using waiter = await start(object);
    await tell(holder, "exclusive");
    waiter.send("exclusive");
    await delay(150); // it demands to be next
    holder.kill("SIGSTOP");
    waiter.kill("SIGSTOP");
    expectError(() => lock.lockShared({ timeout: 150 }), DOMException, /timeout of 150 ms/);
    holder.kill("SIGCONT");
    await tell(holder, "releaseSoon");
    lock.lockShared(TIMEOUT).release();
    lock.lockExclusive(TIMEOUT).release();
    waiter.kill("SIGCONT");
    expect(await waiter.line()).toBe("locked");
  });

  test("looks often while it waits for readers, since others wait for it", async () => {
    using object = create();
    const { lock } = object.value;
    await using peer = await start(object);
    await tell(peer, "shared");
    const writer = lock.lockExclusiveAsync(TIMEOUT);
    await delay(1500); // after that anybody else looks every 150 ms, or less often
    expect(await timersIn(1500)).toBeGreaterThan(15); // 30, if the machine has time
    await kill(peer);
    (await writer).release();
  });

  test("is one of many in an object, each for itself", async () => {
    using object = create();
    await using peer = await start(object);
    const { lock, parts } = object.value;
    const locks = [lock, ...parts.map((part: { lock: RwLock }) => part.lock)];
    for (const each of locks) {
      using _exclusive = each.lockExclusive();
      const others = locks.filter((other) => other !== each).map((other) => other.lockShared());
      for (const other of locks) expect(other.tryLockExclusive()).toBe(null);
      expect(await tell(peer, "tryShared")).toBe(each === lock ? "busy" : "locked");
      if (each !== lock) await tell(peer, "release");
      for (const other of others) other.release();
    }
    for (const each of locks) each.lockExclusive({ timeout: 0 }).release();
  });

  test("says what is wrong", () => {
    const raw = Shelf.view(new Uint8Array(Shelf.size));
    expectError(
      () => (raw.lock as unknown as { lockShared(): void }).lockShared(),
      ShmError,
      /it is not in a shared object/,
    );
    using object = create();
    const { lock } = object.value;
    const promise = () => Promise.resolve(1) as unknown as number;
    expectError(() => lock.withShared(promise), TypeError, /promise \(use withSharedAsync\(\)\)/);
    expectError(() => lock.withExclusive(promise), TypeError, /\(use withExclusiveAsync\(\)\)/);
    expectError(
      () => lock.lockShared({ timeout: -1 }),
      RangeError,
      /share read-write lock .*: timeout must/,
    );
    expect(() =>
      lock.withExclusive(() => {
        throw new Error("mine");
      })
    ).toThrow("mine");
    lock.lockExclusive({ timeout: 0 }).release();

    // Whatever is written over it is noticed.
    using shared = lock.lockShared();
    const words = new Int32Array(object.bytes.buffer);
    const entry = words.findIndex((word, index) => index * 4 > Shelf.size && (word & 0xfff) === 1);
    expect(entry).toBeGreaterThan(0);
    using exclusive = SharedObject.create(uniqueName(), t.struct("One", { lock: rwlock }));
    const guard = exclusive.value.lock.lockExclusive();
    new Int32Array(exclusive.bytes.buffer)[0] = 0;
    expect(expectError(() => guard.release(), ShmError, /does not hold it/).code)
      .toBe("ERR_SHM_LOCK_LOST");
    expect(shared.held).toBe(true);
  });
});
