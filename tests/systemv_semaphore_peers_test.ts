/** SystemVSemaphore between processes: C, Python, the other runtimes, and their deaths. */

import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { ShmError, SystemVSemaphore } from "../mod.ts";
import { C_COMPILER, SYSV_IPC, testWith } from "./support/capabilities.ts";
import { compileC } from "./support/c.ts";
import { expectError } from "./support/errors.ts";
import { Peer, startPeer, succeed } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";
import { cleanUpSets, ownSets } from "./support/semaphore_sets.ts";
import { uniqueKey } from "./support/systemv.ts";

cleanUpSets();

const delay = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

/** Runs the C program to its end. @returns The values that it has printed. */
const inC = (verb: string, key: number, ...args: (string | number)[]) =>
  succeed(new Peer([compileC("semset.c"), verb, String(key), ...args.map(String)]));

function make(...initialValue: number[]): SystemVSemaphore {
  return SystemVSemaphore.create({ key: uniqueKey(), initialValue });
}

describe("a C program", () => {
  testWith([C_COMPILER], "uses what this library has made, and the other way round", async () => {
    using mine = make(2, 0);
    expect(await inC("operate", mine.key, "0-1", "1+3")).toBe("1 3\n");
    expect(mine.values).toEqual([1, 3]);

    const key = uniqueKey();
    expect(await inC("create", key, 4, 5)).toBe("4 5\n");
    using theirs = SystemVSemaphore.open({ key });
    expect([theirs.count, theirs.values]).toEqual([2, [4, 5]]);
    using shared = SystemVSemaphore.openOrCreate({ key, initialValue: [9, 9] });
    expect([shared.created, shared.values]).toEqual([false, [4, 5]]);
    shared.operate([{ index: 0, value: -4 }, { index: 1, value: 1 }]);
    expect(await inC("values", key)).toBe("0 6\n");
  });

  testWith([C_COMPILER], "gives back by its death what it took with SEM_UNDO", async () => {
    using set = make(3, 3);
    await using peer = new Peer([compileC("semset.c"), "hold", `${set.key}`, "0-2u", "1-2"]);
    expect(await peer.line()).toBe("1 1");
    expect(set.values).toEqual([1, 1]);
    peer.kill();
    await peer.exit();
    expect(set.wait({ count: 3, timeout: 10_000 })).toBe(true);
    expect(set.values).toEqual([0, 1]);
  });

  testWith([C_COMPILER], "clears all accounts of a semaphore by SETVAL", async () => {
    using set = make(2);
    await using peer = new Peer([compileC("semset.c"), "hold", `${set.key}`, "0-1u"]);
    expect(await peer.line()).toBe("1");
    expect(await inC("setval", set.key, 0, 1)).toBe("1\n");
    peer.kill();
    await peer.exit();
    expect(set.wait({ count: 2, timeout: 200 })).toBe(false);
    expect(set.value).toBe(1);
  });

  testWith([C_COMPILER], "is woken by a post, and wakes", async () => {
    using set = make(0, 0);
    await using peer = new Peer([compileC("semset.c"), "operate", `${set.key}`, "0-1", "1+1"]);
    while (set.stat().semaphores[0]?.waiting === 0) await delay(5);
    const waiting = set.waitAsync({ index: 1, timeout: 10_000 });
    set.post();
    expect(await waiting).toBe(true);
    expect((await peer.exit()).code).toBe(0);
  });
});

describe("the module sysv_ipc of Python", () => {
  const script = fileURLToPath(new URL("python/semaphore.py", import.meta.url));
  const start = async (key: number, ...args: number[]) => {
    const peer = new Peer([SYSV_IPC.program, script, ...[key, ...args].map(String)]);
    expect(await peer.line()).toBe("ready");
    const ask = async (command: string) => {
      peer.send(command);
      return await peer.line();
    };
    return { peer, ask };
  };

  testWith([SYSV_IPC], "uses what this library has made", async () => {
    using set = make(1);
    const { peer, ask } = await start(set.key);
    await using _ = peer;
    expect(await ask("acquire")).toBe("acquired");
    expect([set.value, set.tryWait()]).toEqual([0, false]);
    expect(await ask("release")).toBe("released");
    expect(set.tryWait()).toBe(true);
    const acquiring = ask("acquire undo");
    while (set.stat().semaphores[0]?.waiting === 0) await delay(5);
    set.post();
    expect(await acquiring).toBe("acquired");
    peer.kill();
    await peer.exit();
    expect(set.wait({ timeout: 10_000 })).toBe(true);
  });

  testWith([SYSV_IPC], "makes what openOrCreate opens, and removes it", async () => {
    const key = uniqueKey();
    const { peer, ask } = await start(key, 3);
    await using _ = peer;
    using set = SystemVSemaphore.openOrCreate({ key, initialValue: 9 });
    expect([set.created, set.value]).toEqual([false, 3]);
    set.post();
    expect(await ask("value")).toBe("4");
    expect(await ask("remove")).toBe("removed");
    expect(expectError(() => set.wait(), ShmError, /the set was removed/).code).toBe("EIDRM");
  });
});

for (const runtime of RUNTIMES) {
  describe(`a process of ${runtime.name}`, () => {
    test("gives permits back when it is killed", async () => {
      using set = make(2);
      await using peer = startPeer(runtime, "semset.ts", [set.key, "permit"]);
      expect(await peer.line()).toBe("1");
      expect(set.tryWait({ count: 2 })).toBe(false);
      peer.kill();
      expect((await peer.exit()).signal).toBe("SIGKILL");
      expect(set.wait({ count: 2, timeout: 10_000 })).toBe(true);
    });

    test("gives nothing back that it took without undo", async () => {
      using set = make(2);
      await using peer = startPeer(runtime, "semset.ts", [set.key, "wait"]);
      expect(await peer.line()).toBe("1");
      peer.kill();
      await peer.exit();
      expect(set.wait({ count: 2, timeout: 200 })).toBe(false);
      expect(set.value).toBe(1);
    });

    test("keeps the permits of a terminated worker, to its own end", async () => {
      using set = make(1);
      // A thread's module is a file, which needs the right to read it in one of the runtimes.
      const command = runtime.command.map((arg) => arg === "--allow-ffi" ? "-A" : arg) as [string];
      await using peer = startPeer({ ...runtime, command }, "semset.ts", [set.key, "worker"]);
      expect(await peer.line()).toBe("0");
      expect(set.wait({ timeout: 200 })).toBe(false);
      expect((await peer.exit()).code).toBe(0);
      expect(set.wait({ timeout: 10_000 })).toBe(true);
    });

    test("is woken out of a wait by a post, and by a removal", async () => {
      using set = make(0);
      await using served = startPeer(runtime, "semset.ts", [set.key, "block"]);
      expect(await served.line()).toBe("waiting");
      await delay(120); // it is blocked by now, in its second or third slice
      set.post();
      expect(await served.line()).toBe("true");
      await using robbed = startPeer(runtime, "semset.ts", [set.key, "block"]);
      expect(await robbed.line()).toBe("waiting");
      await delay(120);
      set.remove();
      expect(await robbed.line()).toMatch(/^EIDRM sem\w*op Cannot wait for .* the set was removed/);
    });

    test("removes at its end what it was the creator of", async () => {
      const key = uniqueKey();
      expect(await succeed(startPeer(runtime, "semset.ts", [key, "creator"]))).toBe("true\n");
      expect(ownSets()).toEqual([]);
    });

    testWith([C_COMPILER], "waits for the values of another's set in openOrCreate", async () => {
      const key = uniqueKey();
      await using peer = startPeer(runtime, "semset.ts", [key, "race"]);
      expect(await peer.line()).toBe("ready");
      await inC("make", key, 3);
      peer.send("go");
      for (const index of [0, 1, 2]) {
        await delay(30);
        await inC("setval", key, index, 6);
      }
      expect(await peer.line()).toBe("false 6,6,6");
    });

    test("that is killed while it creates leaves nothing that is in the way", async () => {
      const key = uniqueKey();
      const seen = new Set<string>();
      for (let round = 0; round < 6; round++) {
        await using peer = startPeer(runtime, "semset.ts", [key, "forever"]);
        expect(await peer.line()).toBe("ready");
        await delay(5 + 7 * round);
        peer.kill();
        await peer.exit();
        const left = SystemVSemaphore.exists({ key });
        if (left) {
          using found = SystemVSemaphore.open({ key });
          seen.add(found.values.join()); // all zeros, or all values: never some of them
        }
        const options = { key, initialValue: [3, 4], uninitialised: "replace" } as const;
        using set = SystemVSemaphore.openOrCreate(options);
        expect(set.values).toEqual([3, 4]);
        set.remove();
      }
      for (const values of seen) expect(["0,0", "3,4"]).toContain(values);
    });
  });
}

test("of many processes that open or create, one gives the values", async () => {
  for (let round = 0; round < 3; round++) {
    const key = uniqueKey();
    const peers = [...RUNTIMES, ...RUNTIMES].map((runtime) =>
      startPeer(runtime, "semset.ts", [key, "race"])
    );
    for (const peer of peers) expect(await peer.line()).toBe("ready");
    for (const peer of peers) peer.send("go");
    const outcomes: string[] = [];
    for (const peer of peers) outcomes.push(await peer.line());
    for (const peer of peers) await peer.exit();
    expect(outcomes.sort()).toEqual([...new Array(5).fill("false 5,0,7"), "true 5,0,7"]);
    using set = SystemVSemaphore.open({ key });
    expect(set.values).toEqual([5, 0, 7]);
  }
});

test("openOrCreate succeeds, whoever removes the set at the same time", async () => {
  const key = uniqueKey();
  await using peer = startPeer(HOST, "semset.ts", [key, "remover"]);
  expect(await peer.line()).toBe("ready");
  let created = 0;
  for (const end = performance.now() + 1500; performance.now() < end;) {
    using set = SystemVSemaphore.openOrCreate({ key, initialValue: [1, 2] });
    if (set.created) created++;
  }
  expect(created).toBeGreaterThan(1);
});
