/**
 * What is done once, by one of several processes of all runtimes.
 */

import { describe, expect, test } from "bun:test";
import { SharedObject, ShmError } from "../mod.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { Shelf, type ShelfObject } from "./support/shelf.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { type Peer, startPeer } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const delay = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

const create = (): ShelfObject => SharedObject.create(uniqueName(), Shelf);

/** A peer that obeys. */
async function start({ name }: ShelfObject, runtime = HOST): Promise<Peer> {
  const peer = startPeer(runtime, "once.ts", [name]);
  expect(await peer.line()).toBe("ready");
  return peer;
}

async function tell(peer: Peer, line: string): Promise<string> {
  peer.send(line);
  return await peer.line();
}

const TIMEOUT = { timeout: 20_000 };

const never = (): never => {
  throw new Error("It was run again");
};

describe("Once", () => {
  test("is run by one of all who come", async () => {
    for (const verbs of [["run", "run", "run"], ["runAsync", "run", "runAsync"]]) {
      using object = create();
      const peers = await Promise.all(RUNTIMES.map((runtime) => start(object, runtime)));
      peers.forEach((peer, index) => peer.send(verbs[index] as string));
      const { once, runs } = object.value;
      const ours = [once.run(() => void runs.add(1)), await once.runAsync(() => runs.add(1))];
      const theirs = await Promise.all(peers.map((peer) => peer.line()));
      const all = [...ours, ...theirs].map(String);
      expect(all.filter((answer) => answer === "true").length).toBe(1);
      expect(all.filter((answer) => answer === "false").length).toBe(4);
      expect([runs.load(), once.done, once.run(never), await once.runAsync(never)])
        .toEqual([1, true, false, false]);
      for (const peer of peers) {
        expect(await tell(peer, "done")).toBe("true");
        await peer.exit();
      }
    }
  });

  for (const runtime of RUNTIMES) {
    test(`waits for ${runtime.name}, and no longer than asked`, async () => {
      using object = create();
      const { once, runs } = object.value;
      await using peer = await start(object, runtime);
      await using other = await start(object, runtime);
      expect(await tell(peer, "runSlowly")).toBe("running");
      expect(once.done).toBe(false);
      expectError(() => once.run(never, { timeout: 0 }), DOMException, /run once-flag .*of 0 ms/);
      expectError(() => once.run(never, { timeout: 20 }), DOMException, /timeout of 20 ms/);
      await expectErrorAsync(once.runAsync(never, { timeout: 0 }), DOMException, /of 0 ms/);
      await expectErrorAsync(once.runAsync(never, { timeout: 20 }), DOMException, /of 20 ms/);
      other.send("runAsync");
      const waiting = once.runAsync(never, TIMEOUT);
      expect(await tell(peer, "finishSoon")).toBe("finishing");
      expect(once.run(never, TIMEOUT)).toBe(false);
      expect(await waiting).toBe(false);
      expect([await peer.line(), await other.line(), runs.load()]).toEqual(["true", "false", 1]);
    });

    test(`is run again when it failed, or who ran it died, in ${runtime.name}`, async () => {
      using object = create();
      const { once } = object.value;
      {
        await using failing = await start(object, runtime);
        expect(await tell(failing, "fail")).toBe("Error: failed");
      }
      let told: boolean | undefined;
      expect(() =>
        once.run((died) => {
          told = died;
          throw new Error("ours");
        })
      ).toThrow("ours");
      expect([told, once.done]).toEqual([false, false]);
      for (const verb of ["hang", "hangAsync"]) {
        await using peer = await start(object, runtime);
        expect(await tell(peer, verb)).toBe("running");
        // Whoever comes next is told; that it fails does not make good what is half made.
        const waiting = verb === "hang" ? undefined : once.runAsync(
          (died) => {
            told = died;
            throw new Error("ours");
          },
          TIMEOUT,
        );
        waiting?.catch(() => {});
        peer.kill();
        await peer.exit();
        const failing = waiting ?? once.runAsync((died) => {
          told = died;
          throw new Error("ours");
        });
        await expectErrorAsync(failing, Error, "ours");
        expect([told, once.done]).toEqual([true, false]);
      }
      await using last = await start(object, runtime);
      expect([await tell(last, "run"), await last.line()]).toEqual(["died", "true"]);
      expect(once.run(never)).toBe(false);
    });
  }

  test("refuses to wait for its own thread", async () => {
    using object = create();
    using other = SharedObject.open(object.name, Shelf);
    const { once } = object.value;
    const refuse = (body: () => unknown) => {
      const error = expectError(body, ShmError, /^Cannot run once-flag .*: this thread runs it/);
      expect(error.code).toBe("EDEADLK");
    };
    const nested = () => {
      refuse(() => once.run(never));
      refuse(() => once.run(never, { timeout: 0 }));
      refuse(() => other.value.once.run(never));
      expect(once.done).toBe(false);
      expect(expectError(() => object.close(), ShmError, /holds a lock/).code).toBe("EBUSY");
    };
    let waiting: Promise<boolean> | undefined;
    expect(() =>
      once.run(() => {
        nested();
        waiting = once.runAsync(async () => {
          await delay(1);
          nested();
          const late = other.value.once.runAsync(never, { timeout: 5 });
          await expectErrorAsync(late, DOMException, /timeout of 5 ms/);
        }, TIMEOUT);
        throw new Error("mine");
      })
    ).toThrow("mine");
    const third = once.runAsync(never, TIMEOUT);
    expect([await waiting, await third, once.done]).toEqual([true, false, true]);
  });

  test("passes by whoever gave up, and by closed handles", async () => {
    using object = create();
    const { once, runs } = object.value;
    const controller = new AbortController();
    const other = SharedObject.open(object.name, Shelf);
    const { once: late } = other.value;
    const first = once.runAsync(async () => {
      await delay(50);
      throw new Error("mine");
    });
    first.catch(() => {});
    const aborted = once.runAsync(never, { signal: controller.signal });
    const closed = late.runAsync(never);
    const last = once.runAsync(() => runs.add(1), TIMEOUT);
    controller.abort(new Error("enough"));
    await expectErrorAsync(aborted, Error, "enough");
    other.close();
    expect((await expectErrorAsync(closed, ShmError, /closed/)).code).toBe("ERR_SHM_CLOSED");
    await expectErrorAsync(first, Error, "mine");
    expect([await last, runs.load()]).toEqual([true, 1]);
    expectError(() => late.done, ShmError, /closed/);
    expectError(() => late.run(never), ShmError, /closed/);
  });

  test("leaves it to who is stopped", async () => {
    using object = create();
    const { once } = object.value;
    await using peer = await start(object);
    expect(await tell(peer, "runSlowly")).toBe("running");
    peer.kill("SIGSTOP");
    expectError(() => once.run(never, { timeout: 300 }), DOMException, /timeout of 300 ms/);
    await expectErrorAsync(once.runAsync(never, { timeout: 200 }), DOMException, /of 200 ms/);
    peer.kill("SIGCONT");
    expect(await tell(peer, "finishSoon")).toBe("finishing");
    expect([once.run(never, TIMEOUT), await peer.line()]).toEqual([false, "true"]);
  });

  test("says what is wrong, and is one of many", () => {
    using object = create();
    const { once, parts, runs } = object.value;
    const promise = () => Promise.resolve() as unknown as number;
    expectError(() => once.run(promise), TypeError, /must not return a promise \(use runAsync/);
    expectError(
      () => once.run(never, { timeout: NaN }),
      RangeError,
      /run once-flag .*: timeout must/,
    );
    expect(once.done).toBe(false);
    for (const each of [once, ...parts.map((part: { once: typeof once }) => part.once)]) {
      expect([each.done, each.run(() => runs.add(1)), each.done]).toEqual([false, true, true]);
    }
    expect(runs.load()).toBe(4);

    const words = new Int32Array(object.bytes.buffer, Shelf.offsetOf("once"), 1);
    words[0] = 0;
    const error = expectError(() => once.run(() => words.fill(1)), ShmError, /finish once/);
    expect(error.code).toBe("ERR_SHM_LOCK_LOST");
  });
});
