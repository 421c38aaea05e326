/** SystemVSemaphore in one process: keys and ids, values, waits, permits, errors, removal. */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  listSemaphores,
  ShmError,
  type ShmErrorCode,
  SystemVSemaphore,
  type SystemVSemaphoreCreateOptions,
} from "../mod.ts";
import { C_COMPILER, IPC_TOOLS, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { compileC } from "./support/c.ts";
import { shmJson, shmOk } from "./support/cli.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { Peer, runPeer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";
import { cleanUpSets, noteSet, ownSets } from "./support/semaphore_sets.ts";
import { uniqueKey } from "./support/systemv.ts";

cleanUpSets();

const delay = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

function expectShmError(body: () => unknown, code: ShmErrorCode, message: RegExp): ShmError {
  const error = expectError(body, ShmError, message);
  expect(error.code).toBe(code);
  return error;
}

/** A set of its own for each test. */
function make(initialValue: number | number[] = 0): SystemVSemaphore {
  return SystemVSemaphore.create({ key: uniqueKey(), initialValue });
}

describe("SystemVSemaphore.create()", () => {
  test("makes a set with values, found by key and by id", () => {
    const key = uniqueKey();
    using set = SystemVSemaphore.create({ key, initialValue: [1, 0, 32767] });
    expect([set.key, set.count, set.created]).toEqual([key, 3, true]);
    expect([set.values, set.value]).toEqual([[1, 0, 32767], 1]);
    using byKey = SystemVSemaphore.open({ key });
    using byId = SystemVSemaphore.open({ id: set.id });
    expect([byKey.id, byKey.count, byKey.created]).toEqual([set.id, 3, false]);
    set.post();
    expect([byKey.value, byId.value]).toEqual([2, 2]);
    set.close();
    expect(ownSets()).toEqual([byKey.id]);
  });

  test("gives all the same value, and zeros", () => {
    using same = SystemVSemaphore.create({ key: uniqueKey(), count: 3, initialValue: 4 });
    expect(same.values).toEqual([4, 4, 4]);
    using zeros = SystemVSemaphore.create({ key: uniqueKey(), count: 2, initialValue: 0 });
    expect(zeros.values).toEqual([0, 0]);
    for (const set of [same, zeros]) expect(set.stat().operationTimeMs).toBeGreaterThan(0);
  });

  test("makes a set of more semaphores than one call initialises", () => {
    for (const first of [0, 5]) {
      const values = Array.from({ length: 2000 }, (_, index) => index === 0 ? first : 7);
      using set = make(values);
      expect(set.values).toEqual(values);
      expect(set.stat().operationTimeMs).toBeGreaterThan(0);
    }
  });

  test("makes private sets, each its own", () => {
    using one = noteSet(SystemVSemaphore.create({ initialValue: 1, lifetime: "creator" }));
    using two = noteSet(SystemVSemaphore.create({ initialValue: 2, lifetime: "creator" }));
    expect([one.key, two.key]).toEqual([0, 0]);
    expect([one.value, two.value]).toEqual([1, 2]);
    one.close();
    expect(SystemVSemaphore.exists({ id: one.id })).toBe(false);
    expect(SystemVSemaphore.exists({ id: two.id })).toBe(true);
  });

  test("has the mode exactly, whatever the umask", () => {
    const umask = process.umask(0o077);
    try {
      using set = SystemVSemaphore.create({ key: uniqueKey(), initialValue: 1, mode: 0o664 });
      expect(set.stat().mode).toBe(0o664);
    } finally {
      process.umask(umask);
    }
  });

  test("refuses a key that is taken, and says by whom", () => {
    using set = make([1, 2]);
    expectShmError(
      () => SystemVSemaphore.create({ key: set.key, initialValue: 1 }),
      "EEXIST",
      new RegExp(`set with key 0x5a.*: it exists already .* id ${set.id}, 2 semaphores`),
    );
    expect(set.values).toEqual([1, 2]);
  });

  test("refuses bad arguments before anything is made", () => {
    const key = uniqueKey();
    const cases: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      [undefined, TypeError, /options must be an object with initialValue, received undefined/],
      [{}, TypeError, /initialValue must be an integer from 0 to 32767, received undefined/],
      [{ initialValue: -1 }, RangeError, /received -1/],
      [{ initialValue: 32768 }, RangeError, /received 32768/],
      [{ initialValue: [1, 1.5] }, RangeError, /initialValue\[1\] must be .* received 1.5/],
      [{ initialValue: [1, "2"] }, TypeError, /initialValue\[1\] must be .* received "2"/],
      [{ initialValue: [] }, RangeError, /count must be an integer from 1 to 32000, received 0/],
      [{ initialValue: [1, 2], count: 3 }, RangeError, /a number, or an array of 3, received/],
      [{ initialValue: 1, count: 0 }, RangeError, /count must be an integer from 1/],
      [{ initialValue: 1, count: 32001 }, RangeError, /count must be an integer from 1/],
      [{ initialValue: 1, count: "1" }, TypeError, /count must be an integer from 1/],
      [{ initialValue: 1, key: 0 }, RangeError, /key must not be 0, which means a private/],
      [{ initialValue: 1, key: "1" }, TypeError, /key must be an integer/],
      [{ initialValue: 1, mode: 0o1777 }, RangeError, /mode must be an integer from 0 to 0o777/],
      [{ initialValue: 1, lifetime: "lastDetach" }, TypeError, /lifetime must be "persist" or/],
    ];
    for (const [options, type, message] of cases) {
      const withKey = options === undefined ? options : { key, ...options as object };
      expectError(
        () => SystemVSemaphore.create(withKey as SystemVSemaphoreCreateOptions),
        type,
        message,
      );
    }
    expect(ownSets()).toEqual([]);
  });
});

describe("SystemVSemaphore.open(), exists() and remove()", () => {
  test("tell what there is not", () => {
    const key = uniqueKey();
    expectShmError(() => SystemVSemaphore.open({ key }), "ENOENT", /key 0x5a.*Create it first/);
    expectShmError(
      () => SystemVSemaphore.open({ id: 2 ** 31 - 1 }),
      "ENOENT",
      /there is no set with id 2147483647, or none any more \(EINVAL from semctl\)/,
    );
    for (const name of [{ key }, { id: 2 ** 31 - 1 }]) {
      expect([SystemVSemaphore.exists(name), SystemVSemaphore.remove(name)]).toEqual([
        false,
        false,
      ]);
    }
    const open = SystemVSemaphore.open as (name: unknown, options?: unknown) => unknown;
    expectError(() => open({}), TypeError, /it must be named as { key } or { id }/);
    expectError(() => open({ key }, { trust: 1 }), TypeError, /trust must be "owner" or/);
    expectError(() => open({ key }, 1), TypeError, /options must be an object/);
  });

  test("openAsync waits until there is one", async () => {
    const key = uniqueKey();
    const opening = SystemVSemaphore.openAsync({ key }, { timeout: 10_000 });
    await delay(40);
    using _set = SystemVSemaphore.create({ key, initialValue: 2 });
    using opened = await opening;
    expect(opened.value).toBe(2);
    const late = SystemVSemaphore.openAsync({ key: uniqueKey() }, { timeout: 20 });
    expect((await expectErrorAsync(late, DOMException, /timeout of 20 ms/)).name).toBe(
      "TimeoutError",
    );
  });

  testWith([OTHER_USERS], "tell a foreign owner apart", async () => {
    const as = (verb: string, key: number) => runPeer(HOST, "act_as.ts", ["65534", verb, key]);
    using hidden = make(1);
    expect(await as("semset-open", hidden.key)).toMatch(/^EACCES .*for the right to read it/);
    expect(await as("semset-exists", hidden.key)).toBe("done\n");
    expect(await as("semset-create", hidden.key)).toMatch(/^EEXIST .* is owned by user 0/);
    using readable = SystemVSemaphore.create({ key: uniqueKey(), initialValue: 1, mode: 0o644 });
    expect(await as("semset-open", readable.key)).toMatch(/^ERR_SHM_TRUST .*change its values/);
    expect(await as("semset-anyone", readable.key)).toBe("done\n");
    expect(await as("semset-post", readable.key)).toMatch(/^EACCES .*for the right to write to it/);
    expect(await as("semset-remove", readable.key)).toMatch(/^EPERM /);
    using open = SystemVSemaphore.create({ key: uniqueKey(), initialValue: 1, mode: 0o666 });
    expect(await as("semset-post", open.key)).toBe("done\n");
    expect(open.value).toBe(2);
    expectShmError(
      () => SystemVSemaphore.open({ key: open.key }),
      "ERR_SHM_TRUST",
      /every user may write to it \(mode 0o666\)/,
    );
    const key = uniqueKey();
    expect(await as("semset-unwritable", key)).toMatch(/^EACCES /);
    expect(SystemVSemaphore.exists({ key })).toBe(false); // nothing is left of it
  });
});

describe("SystemVSemaphore.openOrCreate()", () => {
  test("creates once", () => {
    const options = { key: uniqueKey(), initialValue: [1, 2] };
    using one = SystemVSemaphore.openOrCreate(options);
    one.post();
    using two = SystemVSemaphore.openOrCreate(options);
    expect([one.created, two.created, two.id]).toEqual([true, false, one.id]);
    expect(two.values).toEqual([2, 2]);
  });

  test("refuses another count, and options that are none", () => {
    using set = make([1, 2]);
    const { key } = set;
    expectShmError(
      () => SystemVSemaphore.openOrCreate({ key, initialValue: 1 }),
      "ERR_SHM_SIZE",
      /it exists with a count of 2, not 1/,
    );
    const call = SystemVSemaphore.openOrCreate as (options: unknown) => unknown;
    expectError(() => call({ initialValue: 1 }), TypeError, /key must be given/);
    expectError(
      () => call({ key, initialValue: 1, uninitialised: true }),
      TypeError,
      /uninitialised must be "refuse" or "accept" or "replace"/,
    );
  });

  testWith([C_COMPILER], "takes what was given values by SETVAL alone", () => {
    const key = String(uniqueKey());
    const program = compileC("semset.c");
    spawnSync(program, ["make", key, "2"]);
    for (const index of ["0", "1"]) spawnSync(program, ["setval", key, index, "3"]);
    using set = SystemVSemaphore.openOrCreate({ key: Number(key), initialValue: [1, 1] });
    expect([set.created, set.values]).toEqual([false, [3, 3]]);
    expect(set.stat().operationTimeMs).toBe(0);
  });

  testWith([C_COMPILER], "does as told with what nobody has given values", async () => {
    const [key, oldKey] = [uniqueKey(), uniqueKey()];
    spawnSync(compileC("semset.c"), ["make", String(oldKey), "1"]);
    spawnSync(compileC("semset.c"), ["make", String(key), "2"]);
    using plain = SystemVSemaphore.open({ key });
    expect(plain.values).toEqual([0, 0]);
    const start = performance.now();
    const options = { key, initialValue: [1, 1] };
    expectShmError(
      () => SystemVSemaphore.openOrCreate(options),
      "ETIMEDOUT",
      new RegExp(`id ${plain.id}, and nobody has given it its values within 1000 ms`),
    );
    expect(performance.now() - start).toBeGreaterThan(900);
    using accepted = SystemVSemaphore.openOrCreate({ ...options, uninitialised: "accept" });
    expect([accepted.id, accepted.created]).toEqual([plain.id, false]);
    using replaced = SystemVSemaphore.openOrCreate({ ...options, uninitialised: "replace" });
    expect([replaced.created, replaced.values]).toEqual([true, [1, 1]]);
    expect(replaced.id).not.toBe(plain.id);
    expectShmError(() => plain.value, "EIDRM", /the set was removed \(EIDRM from semctl\)/);
    await delay(1100);
    // That one is old: nobody can still be at it.
    const again = performance.now();
    const old = { key: oldKey, initialValue: 1 };
    expectShmError(() => SystemVSemaphore.openOrCreate(old), "ETIMEDOUT", /nobody has given it/);
    expect(performance.now() - again).toBeLessThan(900);
  });
});

describe("SystemVSemaphore", () => {
  test("counts", () => {
    using set = make([1, 0]);
    expect(set.tryWait()).toBe(true);
    expect(set.tryWait()).toBe(false);
    expect(set.tryWait({ index: 1 })).toBe(false);
    set.post(5, { index: 1 });
    expect(set.tryWait({ index: 1, count: 6 })).toBe(false);
    expect(set.wait({ index: 1, count: 3 })).toBe(true);
    expect(set.wait({ index: 1, count: 2, timeout: 0 })).toBe(true);
    expect(set.values).toEqual([0, 0]);
  });

  test("wait gives up when the time is over, and not before", async () => {
    using set = make(0);
    for (const timeout of [0, 1, 30, 120]) {
      for (const wait of [() => set.wait({ timeout }), () => set.waitAsync({ timeout })]) {
        const start = performance.now();
        expect(await wait()).toBe(false);
        expect(performance.now() - start).toBeGreaterThanOrEqual(timeout - 0.1);
      }
    }
    expect(set.value).toBe(0);
  });

  test("post refuses what is beyond 32767, and adds nothing then", () => {
    using set = make(32766);
    expectShmError(() => set.post(2), "ERANGE", /would pass 32767 \(ERANGE from semop\)/);
    expect(set.value).toBe(32766);
    set.post();
    expectShmError(() => set.post(), "ERANGE", /Have permits taken first/);
    expect(set.tryWait({ count: 32767 })).toBe(true);
  });

  test("refuses what is to be undone beyond 32767", () => {
    using set = make(30000);
    using permit = set.acquire({ count: 30000 });
    set.post(30000);
    expectShmError(() => set.tryAcquire({ count: 30000 }), "ERANGE", /to be undone at the end/);
    expect([set.value, permit.count]).toEqual([30000, 30000]);
    set.tryWait({ count: 30000 }); // so that the permits fit in again
  });

  test("refuses bad arguments", async () => {
    using set = make([1, 1]);
    type Bad = [unknown, typeof TypeError | typeof RangeError, RegExp];
    const cases: Bad[] = [
      [{ count: 0 }, RangeError, /count must be an integer from 1 to 32767, received 0/],
      [{ count: 32768 }, RangeError, /received 32768/],
      [{ count: "1" }, TypeError, /received "1"/],
      [{ index: 2 }, RangeError, /index must be an integer from 0 to 1, received 2/],
      [{ index: -1 }, RangeError, /received -1/],
      [{ index: 0.5 }, RangeError, /received 0.5/],
      [{ undo: 1 }, TypeError, /undo must be true or false, received 1/],
      [{ timeout: -1 }, RangeError, /timeout must be a number of milliseconds/],
      [5, TypeError, /options must be an object, received 5/],
    ];
    for (const [options, type, rule] of cases) {
      expectError(() => set.wait(options as object), type, rule);
      expectError(() => set.acquire(options as object), type, rule);
      await expectErrorAsync(set.waitAsync(options as object), type, rule);
      if ("timeout" in Object(options)) continue;
      expectError(() => set.tryWait(options as object), type, rule);
      if (!("count" in Object(options))) {
        expectError(() => set.post(1, options as object), type, rule);
      }
    }
    expectError(() => set.post(0), RangeError, /count must be an integer from 1/);
    expectError(() => set.post("1" as unknown as number), TypeError, /received "1"/);
    const operate = (
      operations: unknown,
      type: typeof TypeError | typeof RangeError,
      rule: RegExp,
    ) => expectError(() => set.operate(operations as []), type, rule);
    operate(undefined, TypeError, /operations must be an array/);
    operate([], RangeError, /there must be an operation/);
    operate([5], TypeError, /an operation must be an object, received 5/);
    operate([{}], TypeError, /value must be an integer from -32767 to 32767, received undefined/);
    operate([{ value: 1 }, { value: 1, index: 2 }], RangeError, /index must be/);
    operate([{ value: -32768 }], RangeError, /received -32768/);
    const signal = {} as AbortSignal;
    await expectErrorAsync(set.waitAsync({ signal }), TypeError, /signal must be an AbortSignal/);
    expect(set.values).toEqual([1, 1]);
  });

  test("operate does all or nothing, in order", async () => {
    using set = make([1, 0, 2]);
    const both = [{ index: 0, value: -1 }, { index: 1, value: -1 }];
    expect(set.tryOperate(both)).toBe(false);
    expect(set.operate(both, { timeout: 60 })).toBe(false);
    expect(set.values).toEqual([1, 0, 2]);
    const later = set.operateAsync([{ index: 2, value: 0 }, { index: 1, value: 3 }]);
    await delay(10);
    expect(set.values).toEqual([1, 0, 2]);
    expect(set.tryWait({ index: 2, count: 2 })).toBe(true);
    expect(await later).toBe(true);
    expect(set.values).toEqual([1, 3, 0]);
    expect(set.operate(both)).toBe(true);
    expect(set.values).toEqual([0, 2, 0]);
    expect(set.tryOperate([{ value: 2 }, { value: -1 }])).toBe(true);
    expect(set.tryOperate([{ value: -1 }, { value: 0 }])).toBe(true);
    set.post();
    const beyond = [...both, { value: 32767 }, { value: 1 }];
    expectShmError(() => set.operate(beyond), "ERANGE", /Nothing was done/);
    expect(set.values).toEqual([1, 2, 0]);
  });

  test("operate refuses more operations than the machine allows", () => {
    using set = make(0);
    for (const count of [501, 20_000]) {
      const operations = new Array(count).fill({ value: 1 });
      expectShmError(
        () => set.operate(operations),
        "E2BIG",
        new RegExp(`${count} operations are too many .* this machine allows 500`),
      );
    }
    expect(set.value).toBe(0);
  });

  test("acquire gives permits that come back at the end of their scope", async () => {
    using set = make([1, 3]);
    {
      using permit = set.acquire({ timeout: 1000, index: 1, count: 2 });
      expect([permit.index, permit.count, set.values]).toEqual([1, 2, [1, 1]]);
      expect(set.tryAcquire({ index: 1, count: 2 })).toBe(null);
      const late = /^Cannot acquire System V .*: it took longer than the timeout of 10 ms$/;
      const options = { index: 1, count: 2, timeout: 10 };
      const error = expectError(() => set.acquire(options), DOMException, late);
      expect(error.name).toBe("TimeoutError");
      await expectErrorAsync(set.acquireAsync(options), DOMException, late);
    }
    expect(set.values).toEqual([1, 3]);
    const permit = await set.acquireAsync();
    set.close();
    permit.release();
    permit.release();
    using again = SystemVSemaphore.open({ id: set.id });
    expect(again.value).toBe(1);
  });

  test("a permit says when it cannot be given back", () => {
    using set = make(1);
    const permit = set.acquire();
    set.remove();
    expectShmError(() => permit.release(), "EIDRM", /^Cannot release a permit of .* was removed/);
  });

  test("waitAsync is called off by its signal, and takes nothing then", async () => {
    using set = make(0);
    const reason = { why: "enough" };
    const aborted = set.waitAsync({ signal: AbortSignal.abort(reason) });
    expect(await aborted.catch((error) => error)).toBe(reason);
    const controller = new AbortController();
    const pending = set.waitAsync({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    expect(await pending.catch((error) => error)).toBe(reason);
    const timed = set.waitAsync({ signal: AbortSignal.timeout(20), timeout: 10_000 });
    expect((await timed.catch((error) => error)).name).toBe("TimeoutError");
    set.post();
    await delay(60);
    expect(set.value).toBe(1);
  });

  test("waitAsync does not block the event loop, and serves many", async () => {
    using set = make(0);
    const waits = Array.from({ length: 20 }, () => set.waitAsync());
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await delay(200);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
    set.post(20);
    expect(await Promise.all(waits)).toEqual(new Array(20).fill(true));
    expect(set.value).toBe(0);
  });

  test("throws after close(), and rejects what is pending", async () => {
    const set = make(1);
    const pending = set.waitAsync({ count: 2 });
    set.close();
    set.close();
    set[Symbol.dispose]();
    expect(set.closed).toBe(true);
    const closed = /this handle is closed. Open the set again/;
    expect((await expectErrorAsync(pending, ShmError, closed)).code).toBe("ERR_SHM_CLOSED");
    const uses = [
      () => set.post(),
      () => set.wait(),
      () => set.tryWait(),
      () => set.value,
      () => set.values,
      () => set.acquire(),
      () => set.tryAcquire(),
      () => set.operate([{ value: 1 }]),
      () => set.tryOperate([{ value: 1 }]),
      () => set.stat(),
      () => set.remove(),
    ];
    for (const use of uses) expectShmError(use, "ERR_SHM_CLOSED", closed);
    await expectErrorAsync(set.waitAsync(), ShmError, closed);
    await expectErrorAsync(set.acquireAsync(), ShmError, closed);
    await expectErrorAsync(set.operateAsync([{ value: 1 }]), ShmError, closed);
  });

  test("is harmless to a handle that is closed while it reads the options", async () => {
    const set = make(1);
    const options = {
      get timeout() {
        set.close();
        return 0;
      },
    };
    expectError(() => set.wait(options), ShmError, /this handle is closed/);
    await expectErrorAsync(set.waitAsync(options), ShmError, /this handle is closed/);
    using again = SystemVSemaphore.open({ id: set.id });
    expect(again.value).toBe(1);
  });

  test("says that a set was removed", async () => {
    using set = make(0);
    const pending = set.waitAsync();
    expect([set.remove(), set.remove()]).toEqual([true, false]);
    const removed = /the set was removed \(EIDRM from \w+\)/;
    expect((await expectErrorAsync(pending, ShmError, removed)).code).toBe("EIDRM");
    for (
      const use of [
        () => set.value,
        () => set.values,
        () => set.post(),
        () => set.wait(),
        () => set.stat(),
      ]
    ) expectShmError(use, "EIDRM", removed);
  });
});

describe("SystemVSemaphore.prototype.stat()", () => {
  testWith([C_COMPILER, IPC_TOOLS], "tells who waits, as ipcs does", async () => {
    using set = make([0, 2]);
    const program = compileC("semset.c");
    await using taker = new Peer([program, "operate", String(set.key), "0-1"]);
    await using zero = new Peer([program, "operate", String(set.key), "1+0"]);
    const isWaiting = () =>
      set.stat().semaphores[0]?.waiting === 1 && set.stat().semaphores[1]?.waitingForZero === 1;
    while (!isWaiting()) await delay(5);
    const stat = set.stat();
    expect(stat.semaphores).toEqual([
      { value: 0, lastPid: 0, waiting: 1, waitingForZero: 0 },
      { value: 2, lastPid: process.pid, waiting: 0, waitingForZero: 1 },
    ]);
    const { stdout } = spawnSync("ipcs", ["-s", "-i", String(set.id)], { encoding: "utf8" });
    const rows = stdout.trimEnd().split("\n").slice(-2)
      .map((line) => line.trim().split(/\s+/).map(Number));
    expect(stat.semaphores.map((each, index) => [
      index,
      each.value,
      each.waiting,
      each.waitingForZero,
      each.lastPid,
    ])).toEqual(rows);

    const { semaphores: _, ...common } = stat;
    const isSet = (each: { kind: string; id?: number }) =>
      each.kind === "systemv" && each.id === set.id;
    expect(listSemaphores().find(isSet)).toEqual(common);
    expect(SystemVSemaphore.list().find(isSet)).toEqual(common);

    expect(set.wait({ index: 1, count: 2 })).toBe(true);
    set.post();
    expect((await zero.exit()).code).toBe(0);
    expect((await taker.exit()).code).toBe(0);
    expect(set.stat().semaphores[0]?.lastPid).toBe(taker.pid);
  });

  test("agrees with the command, which also removes", () => {
    using set = make([3, 4]);
    const target = `semid:${set.id}`;
    const shown = shmOk(["stat", target]);
    expect(shown).toMatch(/semaphores +2\n/);
    expect(shown).toMatch(/values +3 4\n/);
    expect(shown).toMatch(new RegExp(`last process +${process.pid} ${process.pid}\n`));
    const records = shmJson<{ target: string; count: number }[]>(["stat", target]);
    expect(records[0]).toMatchObject({ target, count: 2 });
    shmOk(["rm", `semkey:0x${set.key.toString(16)}`]);
    expect(SystemVSemaphore.exists({ id: set.id })).toBe(false);
    expect(shmJson(["rm", "--force", `semkey:0x${set.key.toString(16)}`])).toMatchObject([
      { removed: false },
    ]);
  });
});
