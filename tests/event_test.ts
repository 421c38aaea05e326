/**
 * Events: with manual reset all pass, with automatic reset one for each time that they are set.
 */

import { describe, expect, test } from "bun:test";
import process from "node:process";
import { SharedObject, ShmError, t } from "../mod.ts";
import { autoResetEvent, event } from "../sync/fields.ts";
import type { ResetEvent } from "../sync/primitives/reset_event.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { Gates } from "./support/gates.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { type Peer, startPeer, succeed } from "./support/peers.ts";
import { OTHERS, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const [other, third] = OTHERS as [RuntimeCommand, RuntimeCommand];

const create = (name: string) => SharedObject.create(name, Gates);
const gateOf = ({ value }: ReturnType<typeof create>) =>
  value.gates[1] as typeof value.gates[number];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const middle = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1] as number;

/** The name of the error with which a plain wait ends; undefined when it passes. */
function nameOfFailure(wait: () => void): string | undefined {
  try {
    wait();
  } catch (error) {
    return (error as Error).name;
  }
  return undefined;
}

/** Until a condition holds; fails after 20 s. */
async function until(condition: () => boolean): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 20_000) throw new Error(`never: ${condition}`);
    await sleep(2);
  }
}

describe("an event with manual reset", () => {
  test("lets all pass from when it is set until it is reset", async () => {
    using object = create(uniqueName());
    const { open } = gateOf(object);
    expect([open.isSet, open.tryWait()]).toEqual([false, false]);
    expect(nameOfFailure(() => open.wait({ timeout: 20 }))).toBe("TimeoutError");
    open.set();
    open.set();
    for (let time = 0; time < 2; time++) {
      open.wait();
      await open.waitAsync();
      expect([open.isSet, open.tryWait()]).toEqual([true, true]);
    }
    open.reset();
    open.reset();
    expect([open.isSet, open.tryWait()]).toEqual([false, false]);
    expect(nameOfFailure(() => open.wait({ timeout: 0 }))).toBe("TimeoutError");
    await expectErrorAsync(open.waitAsync({ timeout: 0 }), Error, /timeout of 0 ms$/);
    await expectErrorAsync(open.waitAsync({ timeout: 20 }), Error, /timeout of 20 ms$/);
  });

  test("lets all pass who wait in any runtime, plainly or hundreds of promises at once", async () => {
    const name = uniqueName();
    using object = create(name);
    const { open, passed } = gateOf(object);
    const peers = RUNTIMES.flatMap((runtime) => [
      startPeer(runtime, "event.ts", [name, "pass", 1, "plain"]),
      startPeer(runtime, "event.ts", [name, "pass", 200, "async"]),
    ]);
    for (const peer of peers) expect(await peer.line()).toBe("waiting");
    const own = Array.from({ length: 300 }, () => open.waitAsync());
    await sleep(100);
    expect(passed.load()).toBe(0);
    open.set();
    await Promise.all([...own, ...peers.map(succeed)]);
    expect(passed.load()).toBe(603);
  });

  test("wakes all at once", async () => {
    const name = uniqueName();
    using object = create(name);
    type Gate = ReturnType<typeof gateOf>;
    const [first, gate] = object.value.gates as unknown as [Gate, Gate];
    const rounds = 30;
    const peers = [...RUNTIMES, third].map((runtime, index) =>
      startPeer(runtime, "event.ts", [name, "turns", rounds, index === 3 ? "async" : "plain"])
    );
    for (const peer of peers) await peer.line();
    await sleep(100);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [open, closed] = round % 2 === 0 ? [gate.open, first.open] : [first.open, gate.open];
      closed.reset();
      await sleep(10);
      const start = performance.now();
      open.set();
      await until(() => gate.passed.load() === peers.length * (round + 1));
      times.push(performance.now() - start);
    }
    await Promise.all(peers.map(succeed));
    expect(middle(times)).toBeLessThan(25); // or some would sleep until their slice is over
  });

  test("ends each wait that has begun even if it is reset at once", async () => {
    const name = uniqueName();
    using object = create(name);
    const { open } = gateOf(object);
    await using peer = startPeer(other, "event.ts", [name, "pulse"]);
    await peer.line();
    const times: number[] = [];
    for (let round = 0; round < 30; round++) {
      const waits = Array.from({ length: 20 }, () => open.waitAsync({ timeout: 20_000 }));
      await Promise.resolve();
      const start = performance.now();
      peer.send("");
      await Promise.all(waits);
      times.push(performance.now() - start);
      expect(await peer.line()).toBe("false");
    }
    expect(middle(times)).toBeLessThan(25);
    const waits = Array.from({ length: 20 }, () => open.waitAsync());
    open.set(); // by the thread itself
    open.reset();
    await Promise.all(waits);
    expect(nameOfFailure(() => open.wait({ timeout: 1 }))).toBe("TimeoutError");
  });
});

describe("an event with automatic reset", () => {
  test("lets one pass each time, whether it is set before or after the wait", async () => {
    using object = create(uniqueName());
    const { next } = gateOf(object);
    expect([next.isSet, next.tryWait()]).toEqual([false, false]);
    next.set();
    next.set();
    expect(next.isSet).toBe(true);
    next.wait();
    expect([next.isSet, nameOfFailure(() => next.wait({ timeout: 20 }))]).toEqual([
      false,
      "TimeoutError",
    ]);
    next.set();
    await next.waitAsync();
    await expectErrorAsync(next.waitAsync({ timeout: 20 }), Error, /timeout of 20 ms$/);
    next.set();
    next.reset();
    expect(next.tryWait()).toBe(false);
    next.set();
    expect([next.tryWait(), next.tryWait()]).toEqual([true, false]);
  });

  test("lets those of one thread pass in order", async () => {
    using object = create(uniqueName());
    const { next } = gateOf(object);
    const order: number[] = [];
    const waits = Array.from({ length: 300 }, async (_, index) => {
      await next.waitAsync();
      order.push(index);
    });
    for (let count = 1; count <= 300; count++) {
      next.set();
      expect(next.isSet).toBe(false);
    }
    await Promise.all(waits);
    expect(order).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  test("lets exactly one pass for each time, of all runtimes", async () => {
    const name = uniqueName();
    using object = create(name);
    const { next, passed } = gateOf(object);
    const peers: Peer[] = RUNTIMES.flatMap((runtime) => [
      startPeer(runtime, "event.ts", [name, "take", 1, "plain"]),
      startPeer(runtime, "event.ts", [name, "take", 100, "async"]),
    ]);
    for (const peer of peers) await peer.line();
    const rounds = 200;
    await succeed(startPeer(third, "event.ts", [name, "give", rounds]));
    await sleep(100); // for those who pass without having been let
    expect([passed.load(), next.isSet]).toEqual([rounds, false]);
    for (const peer of peers) await peer[Symbol.asyncDispose]();
  });

  test("is not given twice to those who grab it", async () => {
    const name = uniqueName();
    using object = create(name);
    const { open, next, passed } = gateOf(object);
    const peers = RUNTIMES.map((runtime) => startPeer(runtime, "event.ts", [name, "grab"]));
    for (const peer of peers) await peer.line();
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < 2000; count++) {
      next.set();
      while (next.isSet);
    }
    open.set();
    await Promise.all(peers.map(succeed));
    expect(passed.load()).toBe(count);
  });

  test("is taken by others when the one who was woken is stopped, killed, or called off", async () => {
    const name = uniqueName();
    using object = create(name);
    const { next, passed } = gateOf(object);
    for (const way of ["plain", "async"] as const) {
      await using first = startPeer(other, "event.ts", [name, "take", 1, way]);
      await first.line();
      await sleep(100);
      await using second = startPeer(third, "event.ts", [name, "take", 1, way]);
      await second.line();
      await sleep(100);
      for (const signal of ["SIGSTOP", "SIGKILL", undefined] as const) {
        const before = passed.load();
        if (signal !== undefined) process.kill(first.pid, signal);
        await sleep(20); // it may be about to pass
        next.set();
        await until(() => passed.load() === before + 1);
      }
    }
  });

  test("is passed on promptly by those who are called off", async () => {
    const name = uniqueName();
    using object = create(name);
    const { next, done, passed } = gateOf(object);
    await using peer = startPeer(other, "event.ts", [name, "take", 1, "async"]);
    await peer.line();
    await sleep(100);
    const reason = new Error("enough");
    for (let round = 0; round < 60; round++) {
      const controllers = Array.from({ length: 10 }, () => new AbortController());
      const waits = controllers.map(({ signal }) => next.waitAsync({ signal }));
      const settled = Promise.allSettled(waits);
      const before = passed.load();
      // Whether the set comes before the abort or after it: one passes.
      const abort = () => controllers.forEach((each) => each.abort(reason));
      if (round % 2 === 0) abort();
      next.set();
      abort();
      const results = await settled;
      const own = results.filter(({ status }) => status === "fulfilled").length;
      const reasons = results.filter((each) =>
        each.status === "rejected" && each.reason === reason
      );
      expect(own + reasons.length).toBe(10);
      await done.waitAsync({ timeout: own === 0 ? 20_000 : 1 }).catch(() => {});
      await until(() => passed.load() + own >= before + 1);
      expect(passed.load() + own).toBe(before + 1);
      expect(next.isSet).toBe(false);
    }
  });
});

test("what was set stays set when the one who did it dies", async () => {
  const name = uniqueName();
  using object = create(name);
  const { open, next } = gateOf(object);
  for (const [which, gate] of [["manual", open], ["automatic", next]] as const) {
    const waiting = gate.waitAsync({ timeout: 20_000 });
    await using _ = startPeer(other, "event.ts", [name, "setAndDie", which]);
    gate.wait({ timeout: 20_000 });
    if (which === "automatic") gate.set();
    await waiting;
  }
});

describe("the end of a wait", () => {
  const kinds: [string, (object: ReturnType<typeof create>) => ResetEvent][] = [
    ["event", (object) => gateOf(object).open],
    ["auto-reset event", (object) => gateOf(object).next],
  ];
  for (const [noun, eventOf] of kinds) {
    const path = noun === "event" ? "Gate.open" : "Gate.next";

    test(`is an error when the handle of an ${noun} is closed, the time is over, or it is called off`, async () => {
      const object = create(uniqueName());
      const gate = eventOf(object);
      const message = `Cannot wait for ${noun} "${path}": it took longer than the timeout of 30 ms`;
      const start = performance.now();
      expectError(() => gate.wait({ timeout: 30 }), Error, message);
      await expectErrorAsync(gate.waitAsync({ timeout: 30 }), Error, message);
      expect(performance.now() - start).toBeGreaterThan(55);
      const reason = new Error("enough");
      const aborted = gate.waitAsync({ signal: AbortSignal.abort(reason) });
      expect(await aborted.catch((error) => error)).toBe(reason);
      const controller = new AbortController();
      const waiting = gate.waitAsync({ signal: controller.signal }).catch((error) => error);
      controller.abort(reason);
      expect(await waiting).toBe(reason);
      const pending = [gate.waitAsync(), gate.waitAsync()];
      const rejected = pending.map((each) => expectErrorAsync(each, ShmError, /handle is closed/));
      object.close();
      for (const error of await Promise.all(rejected)) expect(error.code).toBe("ERR_SHM_CLOSED");
      for (const verb of ["set", "reset", "tryWait", "wait"] as const) {
        expect(expectError(() => gate[verb](), ShmError, /closed/).code).toBe("ERR_SHM_CLOSED");
      }
      expectError(() => gate.isSet, ShmError, /closed/);
      await expectErrorAsync(gate.waitAsync(), ShmError, /closed/);
    });
  }

  test("comes for the promises of each handle, and for no other, when that is closed", async () => {
    const name = uniqueName();
    using object = create(name);
    const same = SharedObject.open(name, Gates);
    const waits = [object, same].map((each) => gateOf(each).next.waitAsync());
    const rejected = expectErrorAsync(waits[1] as Promise<void>, ShmError, /handle is closed/);
    same.close();
    await rejected;
    gateOf(object).next.set();
    await waits[0];
  });
});

test("mistakes are told", async () => {
  using object = create(uniqueName());
  const { open } = gateOf(object);
  const what = 'Cannot wait for event "Gate.open":';
  const rule = "timeout must be a number of milliseconds, zero or more";
  expectError(() => open.wait({ timeout: -1 }), RangeError, `${what} ${rule}, received -1`);
  const text = "1" as unknown as number;
  expectError(() => open.wait({ timeout: text }), TypeError, `${what} ${rule}, received "1"`);
  const signal = {} as AbortSignal;
  await expectErrorAsync(open.waitAsync({ signal }), TypeError, /signal must be an AbortSignal/);
  const Raw = t.struct("Raw", { open: event, next: autoResetEvent });
  const view = Raw.view(new Uint8Array(32)) as unknown as { open: ResetEvent; next: ResetEvent };
  for (const each of [view.open, view.next]) {
    expect(expectError(() => each.set(), ShmError, /not in a shared object/).code).toBe(
      "ERR_SHM_UNSUPPORTED",
    );
  }
});

test("in C they have the names of the header", () => {
  const text = t.struct("Raw", { open: event, next: autoResetEvent }).toC();
  expect(text).toContain("shmkit_event open;");
  expect(text).toContain("shmkit_auto_reset_event next;");
});
