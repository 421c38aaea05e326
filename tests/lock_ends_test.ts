/**
 * How waits, guards and threads end: nobody gets anything that nobody would release.
 */

import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeTrailer, placesOf, type Trailer } from "../memory/objects/trailer.ts";
import { SharedObject, ShmError } from "../mod.ts";
import type { Condition } from "../sync/primitives/condition.ts";
import { WORD } from "../sync/participants/slots.ts";
import { hasReader } from "../sync/waiting/mail.ts";
import { expectErrorAsync } from "./support/errors.ts";
import { Guarded, UNGUARDED } from "./support/guarded.ts";
import { Locked } from "./support/locked.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer, runPeer, startPeer, succeed } from "./support/peers.ts";
import { HOST, type RuntimeCommand, RUNTIMES, withFiles } from "./support/runtimes.ts";

cleanUpNames();

type Object = SharedObject<typeof Locked>;
type Guard = Parameters<Condition["waitAsync"]>[0] & Disposable & { release(): void };

const delay = (timeMs: number) => new Promise<void>((resolve) => setTimeout(resolve, timeMs));

/** Gives the event loop no time until something holds. */
function blockUntil(condition: () => boolean): void {
  const endMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error("It does not come about");
  }
}

/** Both sorts of guards that can wait for a condition. */
const GUARDS: Record<string, ({ value }: Object) => Guard> = {
  "a mutex": ({ value }) => value.lock.lock(),
  "a read-write lock": ({ value }) => value.shared.lockExclusive(),
};

/** The mailboxes that nobody reads. */
const listAbandoned = () =>
  readdirSync("/dev/shm").filter((name) =>
    name.startsWith("shmkit-mailbox-") && !hasReader(`/dev/shm/${name}`)
  );

/** Whether all locks can be had, here and in another handle of this thread. */
function expectFree({ name, value }: Object): void {
  using other = SharedObject.open(name as string, Locked);
  for (const { lock, shared } of [value, other.value]) {
    const guard = lock.tryLock();
    expect(guard?.held).toBe(true);
    guard?.release();
    expect([lock.withLock(() => 1), shared.withExclusive(() => 2)]).toEqual([1, 2]);
  }
}

describe("a guard that is released while it waits for a condition", () => {
  for (const [what, lock] of Object.entries(GUARDS)) {
    test(`of ${what} is never locked again`, async () => {
      using object = SharedObject.create(uniqueName(), Locked);
      const { changed } = object.value;
      let wait: Promise<void>;
      {
        using guard = lock(object);
        wait = changed.waitAsync(guard, () => false);
        await delay(5);
      }
      await expectErrorAsync(wait, ShmError, /guard was released while the wait went on/);
      expectFree(object);
    });

    test(`of ${what} is not kept when it is in line for the lock`, async () => {
      using object = SharedObject.create(uniqueName(), Locked);
      const { changed } = object.value;
      const guard = lock(object);
      const wait = changed.waitAsync(guard, () => false);
      const other = lock(object);
      changed.notifyAll();
      await delay(5);
      guard.release();
      other.release();
      await expectErrorAsync(wait, ShmError, /guard was released while the wait went on/);
      expectFree(object);
    });

    test(`of ${what} does not keep its handle open`, async () => {
      const object = SharedObject.create(uniqueName(), Locked);
      using other = SharedObject.open(object.name as string, Locked);
      const guard = lock(object);
      const wait = other.value.changed.waitAsync(guard, () => false);
      expect(() => object.close()).toThrow(/holds a lock/);
      guard.release();
      object.close();
      await expectErrorAsync(wait, ShmError, /guard was released while the wait went on/);
      expectFree(other);
    });
  }

  test("of a read-write lock does not keep readers out while it waits for others", async () => {
    using object = SharedObject.create(uniqueName(), Locked);
    const { changed, shared } = object.value;
    const guard = shared.lockExclusive();
    const wait = changed.waitAsync(guard, () => false);
    using reader = shared.lockShared();
    changed.notifyAll();
    await delay(5);
    guard.release();
    await expectErrorAsync(wait, ShmError, /guard was released while the wait went on/);
    await using peer = startPeer(HOST, "locked.ts", [object.name as string, "share"]);
    expect([await peer.line(), reader.held]).toEqual(["held", true]);
  });

  test("is not shown to the predicate any more", async () => {
    for (const lock of Object.values(GUARDS)) {
      for (let turns = 0; turns < 10; turns++) {
        using object = SharedObject.create(uniqueName(), Locked);
        const { changed } = object.value;
        const guard = lock(object) as Guard & { readonly held: boolean };
        const held: boolean[] = [];
        const wait = changed.waitAsync(guard, () => {
          held.push(guard.held);
          return false;
        });
        const error = expectErrorAsync(wait, ShmError, /guard was released while the wait went on/);
        changed.notifyAll();
        for (let turn = 0; turn < turns; turn++) await undefined;
        guard.release();
        await error;
        expect(held).not.toContain(false);
      }
    }
  });

  test("by Promise.race() is an error of the wait, and of nothing else", async () => {
    using object = SharedObject.create(uniqueName(), Locked);
    const { lock, changed } = object.value;
    const gaveUp = lock.withLockAsync((guard) =>
      Promise.race([
        changed.waitAsync(guard, () => false),
        delay(5).then(() => Promise.reject(new RangeError("gave up"))),
      ])
    );
    await expectErrorAsync(gaveUp, RangeError, /gave up/);
    await delay(100);
    expectFree(object);
  });
});

describe("those who wait when something has been released a moment ago", () => {
  for (const way of ["close", "abort"] as const) {
    test(`get nothing when all of them are ended by ${way}()`, async () => {
      using object = SharedObject.create(uniqueName(), Locked);
      const mine = SharedObject.open(object.name as string, Locked);
      const { lock, shared, slots, setup } = mine.value;
      await using peer = startPeer(HOST, "locked.ts", [object.name as string, "letGo"]);
      expect(await peer.line()).toBe("held");

      const controller = new AbortController();
      const options = way === "abort" ? { signal: controller.signal } : {};
      const outcomes = [1, 2, 3].flatMap(() => [
        lock.lockAsync(options),
        shared.lockExclusiveAsync(options),
        shared.lockSharedAsync(options),
        slots.acquireAsync(options),
        setup.runAsync(() => expect("this").toBe("not called"), options),
      ]).map((wait) => wait.then(() => "got it", (error) => error.code ?? error));
      await delay(5);

      // This thread has no time to look while that happens.
      const { holder } = object.value;
      holder.store(1);
      blockUntil(() => holder.load() === 2);
      if (way === "abort") controller.abort("aborted");
      else mine.close();
      const outcome = way === "abort" ? "aborted" : "ERR_SHM_CLOSED";
      expect(await Promise.all(outcomes)).toEqual(Array(15).fill(outcome));
      mine.close();

      expectFree(object);
      const died = object.value.lock.withLock(({ ownerDied }) => ownerDied);
      expect([died, object.value.setup.run(() => {})]).toEqual([false, true]);
      await succeed(peer);
    });
  }

  test("go on when only those before them are ended", async () => {
    using object = SharedObject.create(uniqueName(), Locked);
    const mine = SharedObject.open(object.name as string, Locked);
    await using peer = startPeer(HOST, "locked.ts", [object.name as string, "letGo"]);
    expect(await peer.line()).toBe("held");
    const closed = [1, 2].map(() =>
      expectErrorAsync(mine.value.lock.lockAsync(), ShmError, /handle is closed/)
    );
    const third = object.value.lock.lockAsync();
    const { holder } = object.value;
    holder.store(1);
    blockUntil(() => holder.load() === 2);
    mine.close();
    await Promise.all(closed);
    const guard = await third;
    expect(guard.ownerDied).toBe(false);
    guard.release();
    await succeed(peer);
  });
});

describe("a thread that ends", () => {
  for (const runtime of RUNTIMES) {
    test(`and holds nothing leaves nobody dead behind, in ${runtime.name}`, async () => {
      using object = SharedObject.create(uniqueName(), Guarded, UNGUARDED);
      expect(await runPeer(runtime, "proof.ts", ["natural", object.name])).toBe("done\n");
      const bytes = new Uint8Array(readFileSync(`/dev/shm/${object.name}`));
      const trailer = decodeTrailer(bytes.slice(-64), bytes.length) as Trailer;
      const { slots, readerRows } = placesOf(trailer);
      const table = new Int32Array(bytes.buffer, slots, (readerRows - slots) / 4);
      const words = Array.from({ length: trailer.participants }, (_, slot) => 32 * slot);
      const generations = words.map((slot) => table[slot + WORD.generation]);
      expect(generations.filter((generation) => generation === 1)).toHaveLength(1);
      expect(words.filter((slot) => table[slot + WORD.thread] !== 0)).toEqual([]);
    });

    for (const way of ["return", "exit"]) {
      test(`by ${way} can lock and release until it has, in ${runtime.name}`, async () => {
        using object = SharedObject.create(uniqueName(), Locked);
        const { lock, shared } = object.value;
        const before = listAbandoned();
        await using peer = startPeer(runtime, "end_of_thread.ts", [object.name as string, way]);
        expect(await peer.line()).toBe("shared false");
        expect([shared.tryLockExclusive(), lock.tryLock()]).toEqual([null, null]);
        // Who awaited it there does not get it, since nobody would release it.
        expect((await peer.exit()).stdout).toBe("shared false\nreleased undefined\nagain false\n");
        expect(listAbandoned().filter((mailbox) => !before.includes(mailbox))).toEqual([]);
        // The last one it kept; and what it shared does not count any more.
        expect(lock.withLock(({ ownerDied }) => ownerDied)).toBe(true);
        shared.withExclusive(() => {}, { timeout: 5000 });
      });
    }

    test(`whose process goes on is dead at once, in ${runtime.name}`, async () => {
      using object = SharedObject.create(uniqueName(), Locked);
      const options = [object.name as string, "thread"];
      const output = await runPeer(withFiles(runtime), "end_of_thread.ts", options);
      expect(output).toBe(`${"ERR_SHM_CLOSED\n".repeat(3)}died true\n`);
    });
  }

  test("to be started again in the same process is dead, too", async () => {
    using object = SharedObject.create(uniqueName(), Locked, undefined, { participants: 2 });
    const directory = mkdtempSync(join(tmpdir(), "shmkit-"));
    try {
      const program = join(directory, "watched.ts");
      const path = (relative: string) => JSON.stringify(new URL(relative, import.meta.url).href);
      const write = (run: number) =>
        writeFileSync(
          program,
          `import { SharedObject } from ${path("../mod.ts")};
          import { Locked } from ${path("support/locked.ts")};
          const { lock } = SharedObject.open("${object.name}", Locked).value;
          globalThis.guard = lock.lock({ timeout: 5000 });
          console.log(${run}, globalThis.guard.ownerDied, Deno.pid);`,
        );
      write(1);
      const deno = RUNTIMES.find(({ name }) => name === "deno") as RuntimeCommand;
      const command = [deno.command[0] as string, "run", "-A", "--watch", "--no-clear-screen"];
      await using peer = new Peer([...command, "--no-check", program]);
      expect(await peer.line()).toBe(`1 false ${peer.pid}`);
      for (const run of [2, 3, 4]) {
        await delay(300);
        write(run);
        expect(await peer.line()).toBe(`${run} true ${peer.pid}`);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
