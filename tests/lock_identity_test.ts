/**
 * Who is who at an object: descriptors that are inherited or received, slots that are used for long,
 * other PID namespaces, objects without a name, and two copies of the library.
 */

import { describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { headerOf } from "../memory/objects/open_object.ts";
import { placesOf } from "../memory/objects/trailer.ts";
import { SharedObject, SharedSegment, ShmError } from "../mod.ts";
import { temporaryDirectory } from "./support/c.ts";
import { type Capability, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { Guarded, UNGUARDED } from "./support/guarded.ts";
import { cleanUpNames, openFiles, uniqueName } from "./support/names.ts";
import { type Peer, type PeerOptions, startPeer, succeed } from "./support/peers.ts";
import { HOST, type RuntimeCommand, RUNTIMES, withFiles } from "./support/runtimes.ts";

cleanUpNames();

const PID_NAMESPACE: Capability = {
  name: "the right to make a PID namespace (root, unshare)",
  present: spawnSync("unshare", ["--pid", "--fork", "true"], { stdio: "ignore" }).status === 0,
};

const TIMEOUT = { timeout: 20_000 };

function guarded(name: string, participants = 64): SharedObject<typeof Guarded> {
  return SharedObject.create(name, Guarded, UNGUARDED, { participants });
}

async function hold(
  runtime: RuntimeCommand,
  args: readonly string[],
  options: PeerOptions = {},
): Promise<Peer> {
  const peer = startPeer(runtime, "proof.ts", ["hold", ...args], options);
  expect(await peer.line()).toBe("held");
  return peer;
}

const filesOf = (pid: number | string) =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });

describe("descriptors", () => {
  test("are never inherited", async () => {
    const name = uniqueName();
    using object = guarded(name);
    await using holder = await hold(HOST, [name]);
    const wait = object.value.inner.lock.lockAsync(TIMEOUT); // with a mailbox
    using _guard = object.value.others[1]?.lock.lock();
    const own = filesOf("self").filter((path) => path.includes("/dev/shm/"));
    expect(own.length).toBeGreaterThanOrEqual(3); // of the handle, the participant, and the mailbox
    const child = spawn("sleep", ["30"], { stdio: "ignore" });
    try {
      while (!readFileSync(`/proc/${child.pid}/cmdline`, "utf8").includes("sleep")) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(filesOf(child.pid as number).filter((path) => path.includes("shmkit"))).toEqual([]);
    } finally {
      child.kill("SIGKILL");
    }
    holder.kill();
    (await wait).release();
  });

  for (const runtime of RUNTIMES) {
    test(`that are received lead to locks of one's own, in ${runtime.name}`, async () => {
      for (const first of ["child", "parent"]) {
        await using parent = startPeer(withFiles(runtime), "proof.ts", ["child", "new"]);
        const { child, path, held } = JSON.parse(await parent.line());
        expect([held, await parent.line()]).toEqual([true, "held"]);
        using object = SharedObject.openFile(path, Guarded);
        const { inner: { lock: childs }, others: [{ lock: parents }] } = object.value as
          & typeof object.value
          & { others: readonly [{ lock: typeof object.value.inner.lock }] };
        const kill = { parent: () => parent.kill(), child: () => process.kill(child, "SIGKILL") };
        try {
          expect([childs.tryLock(), parents.tryLock()]).toEqual([null, null]);
          kill[first as "parent"]();
          const [dead, living] = first === "child" ? [childs, parents] : [parents, childs];
          using guard = dead.lock(TIMEOUT);
          expect([guard.ownerDied, living.tryLock()]).toEqual([true, null]);
          kill[first === "child" ? "parent" : "child"]();
          using other = living.lock(TIMEOUT);
          expect(other.ownerDied).toBe(true);
        } finally {
          kill.parent();
          try {
            kill.child();
          } catch {
            // It is gone.
          }
        }
      }
    });
  }
});

describe("slots", () => {
  test("are told apart when their generations begin anew", async () => {
    const name = uniqueName();
    using object = guarded(name, 2);
    const action = { verb: "open", noun: "object", name };
    const header = headerOf(action, "owner");
    using file = SharedSegment.openFile(object.path);
    const { slots } = placesOf(header);
    for (const slot of [0, 1]) {
      file.view(Int32Array, slots + slot * header.slotByteLength, 1)[0] = 2 ** 20 - 2;
    }
    const generations = () =>
      [0, 1].map((slot) => file.view(Int32Array, slots + slot * header.slotByteLength, 1)[0]);
    for (let round = 0; round < 4; round++) {
      await using victim = await hold(HOST, [name]);
      expect(object.value.inner.lock.tryLock()).toBe(null);
      victim.kill();
      await victim.exit();
      using guard = object.value.inner.lock.lock(TIMEOUT);
      expect(guard.ownerDied).toBe(true);
      guard.markConsistent();
    }
    expect(Math.max(...generations() as number[])).toBeGreaterThan(2 ** 20);
    for (let round = 0; round < 4; round++) {
      using same = SharedObject.open(name, Guarded);
      expect(same.value.inner.lock.withLock((guard) => guard.ownerDied)).toBe(false);
    }
  });

  test("are left without a trace, however often", async () => {
    const name = uniqueName();
    guarded(name, 2).close();
    const before = openFiles();
    const mailboxes = () =>
      readdirSync("/dev/shm").filter((file) => file.startsWith("shmkit-mailbox-")).length;
    const mailboxesBefore = mailboxes();
    for (let round = 0; round < 5000; round++) {
      using object = SharedObject.open(name, Guarded);
      object.value.inner.lock.lock().release();
      if (round % 100 !== 0) continue;
      // With a mailbox: the second has to wait.
      const guards = [1, 2].map(() => object.value.inner.lock.lockAsync());
      for (const guard of guards) (await guard).release();
    }
    expect(openFiles()).toEqual(before);
    expect(mailboxes()).toBeLessThan(mailboxesBefore + 20); // others come and go
    expect(readFileSync("/proc/self/maps", "utf8")).not.toContain(name);
  });

  test("end, which is said, until somebody dies or leaves", async () => {
    const name = uniqueName();
    using object = guarded(name, 2);
    await using first = await hold(HOST, [name]);
    await using second = startPeer(HOST, "proof.ts", ["pending", name]);
    expect(await second.line()).toBe("waiting");
    const deadline = performance.now() + 20_000;
    let error: unknown;
    while (error === undefined && performance.now() < deadline) {
      try {
        using same = SharedObject.open(name, Guarded);
        same.value.inner.lock.tryLock()?.release();
        await new Promise((resolve) => setTimeout(resolve, 10));
      } catch (reason) {
        error = reason;
      }
    }
    expect([(error as ShmError).code, (error as ShmError).message]).toEqual([
      "ERR_SHM_FULL",
      expect.stringContaining("2 threads synchronise on it already"),
    ]);
    first.kill();
    expect(await succeed(second)).toContain("got it\n");
    using guard = object.value.inner.lock.lock(TIMEOUT);
    expect(guard.ownerDied).toBe(true);
  });

  test("are not for who only reads, and not in memory of other programs", () => {
    const name = uniqueName();
    using _object = guarded(name);
    using reader = SharedObject.open(name, Guarded, { readonly: true });
    expect([reader.snapshot(), "value" in reader]).toEqual([UNGUARDED, false]);
    const bare = uniqueName();
    using _bare = SharedSegment.create(bare, { size: Guarded.size });
    using foreign = SharedObject.open(bare, Guarded);
    const { lock } = foreign.value.inner;
    for (const verb of [() => lock.lock(), () => lock.tryLock()]) {
      const { code } = expectError(verb, ShmError, /without the tables that synchronisation needs/);
      expect(code).toBe("ERR_SHM_UNSUPPORTED");
    }
  });
});

test("two copies of the library in a thread are one participant", async () => {
  const copy = temporaryDirectory();
  const root = fileURLToPath(new URL("../", import.meta.url));
  const parts = ["mod.ts", "errors.ts", "ffi", "memory", "layout", "sync", "object"];
  for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true });
  const guardedOf = join("tests", "support", "guarded.ts");
  cpSync(join(root, guardedOf), join(copy, guardedOf), { recursive: true });
  const load = (path: string) => import(pathToFileURL(join(copy, path)).href);
  const other = await load("mod.ts") as typeof import("../mod.ts");
  const { Guarded: Same } = await load(guardedOf) as typeof import("./support/guarded.ts");
  expect(other.SharedObject).not.toBe(SharedObject);
  const name = uniqueName();
  using object = guarded(name, 1);
  using same = other.SharedObject.open(name, Same);
  const [ours, theirs] = [object.value.inner.lock, same.value.inner.lock];
  for (const [one, two, handle] of [[ours, theirs, object], [theirs, ours, same]] as const) {
    const guard = one.lock();
    expect(two.tryLock()).toBe(null);
    let code: unknown;
    try {
      two.lock();
    } catch (error) {
      code = (error as ShmError).code;
    }
    expect(code).toBe("EDEADLK");
    expect(() => handle.close()).toThrow(/holds a lock/);
    const wait = two.lockAsync(TIMEOUT);
    guard.release();
    const next = await wait;
    expect([next.held, one.tryLock()]).toEqual([true, null]);
    next.release();
  }
});

describe("an object without a name", () => {
  for (const runtime of RUNTIMES) {
    test(`has locks that are shared with ${runtime.name}, and survive it`, async () => {
      using object = SharedObject.anonymous(Guarded, UNGUARDED); // sealed against resizing
      const { lock } = object.value.inner;
      const peers = [1, 2].map(() => startPeer(runtime, "proof.ts", ["count", object.path, 5000]));
      for (let round = 0; round < 5000; round++) {
        using _guard = lock.lock();
        object.value.count++;
      }
      for (const peer of peers) await succeed(peer);
      expect(object.value.count).toBe(15_000);
      await using victim = await hold(runtime, [object.path]);
      expect(lock.tryLock()).toBe(null);
      victim.kill();
      using guard = lock.lock(TIMEOUT);
      expect(guard.ownerDied).toBe(true);
    });
  }
});

describe("in other PID namespaces", () => {
  for (const runtime of RUNTIMES) {
    testWith([PID_NAMESPACE], `processes of ${runtime.name} exclude each other`, async () => {
      const wrapper = ["unshare", "--pid", "--fork", "--kill-child"];
      for (const options of [{ wrapper }, { wrapper: [...wrapper, "--mount-proc"] }]) {
        const name = uniqueName();
        using object = guarded(name);
        const { lock } = object.value.inner;
        // Both have the same number in their namespaces.
        const peers = [1, 2].map(() =>
          startPeer(runtime, "proof.ts", ["count", name, 3000], options)
        );
        for (let round = 0; round < 3000; round++) {
          using _guard = lock.lock();
          object.value.count++;
        }
        for (const peer of peers) await succeed(peer);
        expect(object.value.count).toBe(9000);

        await using victim = await hold(runtime, [name], options);
        await using waiter = startPeer(runtime, "lock.ts", [name, "waitAsync"], options);
        expect(await waiter.line()).toBe("waiting");
        expectError(() => lock.lock({ timeout: 200 }), DOMException, /timeout/); // it is not dead
        victim.kill();
        expect(JSON.parse(await waiter.line()).ownerDied).toBe(true);
        using guard = lock.lock(TIMEOUT);
        expect(guard.ownerDied).toBe(true);
      }
    });
  }
});
