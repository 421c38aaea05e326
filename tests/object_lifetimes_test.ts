/**
 * How long objects live, whoever comes and goes, and however they go.
 */

import { describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { type ObjectLifetime, SharedObject, ShmError, t } from "../mod.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { lockByte } from "../ffi/mod.ts";
import { LIFETIME_LOCK } from "../memory/objects/trailer.ts";
import { cleanUpNames, openFiles, ownFiles, uniqueName } from "./support/names.ts";
import { Generation, Player } from "./support/objects.ts";
import { startPeer, succeed } from "./support/peers.ts";
import { HOST, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const SEED = Number(process.env["SHMKIT_SEED"] ?? Date.now() % 2 ** 31);
const LAST = { lifetime: "lastDetach" } as const;
const Other = t.struct("Other", { id: t.u64 });

/** Has another process create an object and be killed. */
async function abandon(name: string, lifetime: ObjectLifetime = "lastDetach"): Promise<void> {
  await using peer = startPeer(HOST, "hold_object.ts", [name, lifetime]);
  expect(await peer.line()).toBe("created");
  expect(SharedObject.exists(name)).toBe(true);
  peer.kill();
  expect((await peer.exit()).signal).toBe("SIGKILL");
  expect(SharedObject.exists(name)).toBe(true);
}

describe("the lifetime", () => {
  test("persist keeps the object after close", () => {
    const name = uniqueName();
    SharedObject.create(name, Player, { id: 7 }).close();
    SharedObject.open(name, Player).close();
    using object = SharedObject.open(name, Player);
    expect(object.value.id).toBe(7);
  });

  test("creator removes it when its creator closes, and nobody else", () => {
    const name = uniqueName();
    using creator = SharedObject.openOrCreate(name, Player, {}, { lifetime: "creator" });
    SharedObject.open(name, Player).close();
    SharedObject.openOrCreate(name, Player, {}, { lifetime: "creator" }).close();
    using user = SharedObject.open(name, Player);
    expect(creator.stat().linked).toBe(true);
    creator.close();
    expect([SharedObject.exists(name), user.stat().linked, user.value.id]).toEqual([
      false,
      false,
      0,
    ]);
  });

  test("lastDetach removes it at the last close, whoever that is", () => {
    const name = uniqueName();
    using creator = SharedObject.create(name, Player, {}, LAST);
    using writer = SharedObject.open(name, Player);
    using reader = SharedObject.open(name, Player, { readonly: true });
    for (const each of [creator, reader, writer]) {
      expect(SharedObject.exists(name)).toBe(true);
      each.close();
      each.close(); // once more
    }
    expect(SharedObject.exists(name)).toBe(false);
  });

  test("lastDetach counts those who only read", () => {
    const name = uniqueName();
    using creator = SharedObject.create(name, Player, {}, LAST);
    using reader = SharedObject.open(name, Player, { readonly: true });
    creator.close();
    expect(reader.stat().linked).toBe(true);
    SharedObject.open(name, Player).close();
    expect(reader.stat().linked).toBe(true);
    reader.close();
    expect(SharedObject.exists(name)).toBe(false);
  });

  test("lastDetach does not count handles by descriptor and by path, which leave the rest alone", () => {
    const name = uniqueName();
    using creator = SharedObject.create(name, Player, {}, LAST);
    for (const readonly of [false, true]) {
      SharedObject.fromDescriptor(creator.fd, Player, { readonly }).close();
      SharedObject.openFile(creator.path, Player, { readonly }).close();
      SharedObject.open(name, Player, { readonly }).close(); // nobody has locked it for good
      expect(SharedObject.exists(name)).toBe(true);
    }
    using other = SharedObject.fromDescriptor(creator.fd, Player);
    creator.close();
    expect([SharedObject.exists(name), other.value.id]).toEqual([false, 0]);
  });

  test("lastDetach does not remove a later object of the name", () => {
    const name = uniqueName();
    using first = SharedObject.create(name, Player, {}, LAST);
    expect(first.unlink()).toBe(true);
    using later = SharedObject.create(name, Player, {}, LAST);
    first.close();
    expect(later.stat().linked).toBe(true);
  });

  for (const runtime of RUNTIMES) {
    for (const lifetime of ["creator", "lastDetach"] as const) {
      test(`${lifetime} removes it when ${runtime.name} ends without close`, async () => {
        const name = uniqueName();
        await using peer = startPeer(runtime, "hold_object.ts", [name, lifetime]);
        expect(await peer.line()).toBe("created");
        expect(SharedObject.exists(name)).toBe(true);
        expect((await peer.exit()).code).toBe(0);
        expect(SharedObject.exists(name)).toBe(false);
      });
    }
  }
});

describe("an object with the lifetime lastDetach, whose processes were killed", () => {
  for (const layout of [Player, Other]) {
    test(`is not there for those who open it as ${layout.name}, and then is gone`, async () => {
      const name = uniqueName();
      for (const readonly of [true, false]) {
        await abandon(name);
        const open = () => SharedObject.open(name, layout, { readonly });
        expect(expectError(open, ShmError, /it does not exist \(ENOENT/).code).toBe("ENOENT");
      }
      expect(SharedObject.exists(name)).toBe(false);
    });

    test(`is free for those who create it as ${layout.name}`, async () => {
      const name = uniqueName();
      await abandon(name);
      using created = SharedObject.create(name, layout, {}, LAST);
      expect(created.created).toBe(true);
      created.close();
      await abandon(name);
      using either = SharedObject.openOrCreate(name, layout, {}, LAST);
      expect(either.created).toBe(true);
    });
  }
});

describe("whoever fails to open an object with the lifetime lastDetach", () => {
  test("is not counted", () => {
    const name = uniqueName();
    const before = openFiles();
    for (const readonly of [false, true]) {
      using object = SharedObject.create(name, Player, {}, LAST);
      const error = expectError(() => SharedObject.open(name, Other, { readonly }), ShmError, /./);
      expect([error.code, object.stat().linked]).toEqual(["ERR_SHM_LAYOUT", true]);
      object.close();
      expect(SharedObject.exists(name)).toBe(false);
    }
    expect(openFiles()).toEqual(before);
  });

  for (const readonly of [false, true]) {
    test(`removes it when it has become the last${readonly ? ", which only reads" : ""}`, () => {
      const name = uniqueName();
      const before = openFiles();
      let whileItFails = () => {};
      const describe = () => (whileItFails(), "field");
      const like = t.bytes(8);
      const prototype = Object.getPrototypeOf(like);
      const field = Object.assign(Object.create(prototype), like, { kind: "field", describe });
      const Slow = t.struct("Slow", { field });
      expect(Slow.fingerprint).toHaveLength(16); // known from now on
      using object = SharedObject.create(name, Player, {}, LAST);
      whileItFails = () => object.close();
      const error = expectError(() => SharedObject.open(name, Slow, { readonly }), ShmError, /./);
      expect([error.code, object.closed]).toEqual(["ERR_SHM_LAYOUT", true]);
      expect(SharedObject.exists(name)).toBe(false);
      expect(openFiles()).toEqual(before);
    });
  }
});

describe("an object on which somebody keeps the lock", () => {
  test("is not waited for without end, and not in openAsync() but by its own rules", async () => {
    using object = SharedObject.create(uniqueName(), Player, {}, LAST);
    const fd = openSync(`/dev/shm/${object.name}`, "r+");
    const attended = lockByte(fd, "shared", LIFETIME_LOCK);
    object.close();
    expect([attended, lockByte(fd, "exclusive", LIFETIME_LOCK)]).toEqual([0, 0]);
    for (const readonly of [false, true]) {
      const open = () => SharedObject.open(object.name, Player, { readonly });
      const rule =
        /others were looking at it all the time \(EAGAIN from fcntl\)\. Somebody holds a/;
      expect(expectError(open, ShmError, rule).code).toBe("EAGAIN");
      const opening = SharedObject.openAsync(object.name, Player, { readonly, timeout: 30 });
      const error = await expectErrorAsync(opening, DOMException, /timeout of 30 ms/);
      expect(error.name).toBe("TimeoutError");
    }
    const opening = SharedObject.openAsync(object.name, Player, { timeout: 20_000 });
    setTimeout(() => lockByte(fd, "shared", LIFETIME_LOCK), 30);
    using same = await opening;
    expect(same.stat().linked).toBe(true);
    closeSync(fd);
  });
});

describe("processes that come and go", () => {
  const start = (runtimes: readonly RuntimeCommand[], name: string, timeMs: number, seed: number) =>
    runtimes.map((runtime, index) =>
      startPeer(runtime, "come_and_go.ts", [name, "lastDetach", timeMs, seed + index])
    );

  test("find one object at a time, and leave none", async () => {
    console.log(`come_and_go: SHMKIT_SEED=${SEED}`);
    const name = uniqueName();
    const peers = start([...RUNTIMES, ...RUNTIMES], name, 2000, SEED);
    const outputs = await Promise.all(peers.map(succeed));
    const counts = outputs.map((output) => JSON.parse(output.replace("ready\n", "")));
    const sum = (what: string) => counts.reduce((total, each) => total + each[what], 0);
    expect(sum("created")).toBeGreaterThan(100);
    expect(sum("opened")).toBeGreaterThan(100);
    expect(ownFiles()).toEqual([]);
  });

  test("count in one object while somebody is attached to it", async () => {
    const name = uniqueName();
    const initial = { generation: 5, check: ~5 >>> 0, filler: new Uint32Array(2000).fill(5) };
    using object = SharedObject.create(name, Generation, initial, LAST);
    const outputs = await Promise.all(start(RUNTIMES, name, 1000, SEED).map(succeed));
    const counts = outputs.map((output) => JSON.parse(output.replace("ready\n", "")));
    expect(counts.map(({ created, missing }) => [created, missing])).toEqual(
      counts.map(() => [0, 0]),
    );
    expect(object.value.hits.load()).toBe(counts.reduce((sum, { hits }) => sum + hits, 0));
    expect(object.value.attached.load()).toBe(0);
  });

  test("leave a free name when all of them are killed, 36 times", async () => {
    console.log(`come_and_go: SHMKIT_SEED=${SEED}`);
    const name = uniqueName();
    // Most in the runtime that starts fastest.
    const [bun, deno, node] = RUNTIMES as [RuntimeCommand, RuntimeCommand, RuntimeCommand];
    let left = 0;
    for (let round = 0; round < 6; round++) {
      const runtimes = [bun, bun, bun, bun, bun, round % 2 === 0 ? deno : node];
      const peers = start(runtimes, name, 0, SEED + 10 * round);
      await Promise.all(peers.map((peer) => peer.line()));
      await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
      for (const peer of peers) peer.kill();
      const exits = await Promise.all(peers.map((peer) => peer.exit()));
      for (const { signal, stderr } of exits) expect([signal, stderr]).toEqual(["SIGKILL", ""]);
      if (SharedObject.exists(name)) left++;
      if (round % 2 === 0) {
        const open = () => SharedObject.open(name, Generation);
        expect(expectError(open, ShmError, /does not exist/).code).toBe("ENOENT");
      }
      using object = SharedObject.create(name, Generation, {}, LAST);
      expect(object.value.hits.load()).toBe(0);
      object.close();
      expect(ownFiles()).toEqual([]);
    }
    expect(left).toBeGreaterThan(0); // some were really killed while attached
  });
});
