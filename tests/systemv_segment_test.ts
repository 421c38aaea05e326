/** SystemVSegment and ftok: keys and ids, what the kernel tells, errors, removal, death. */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ftok, ShmError, type ShmErrorCode, SystemVSegment } from "../mod.ts";
import { type ShmidDs, shmStatus } from "../ffi/mod.ts";
import { SystemVHandle } from "../memory/systemv/systemv_handle.ts";
import { C_COMPILER, MOUNT_NAMESPACE, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { compileC, temporaryDirectory } from "./support/c.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { holdInC } from "./support/hold.ts";
import { runPeer, startPeer } from "./support/peers.ts";
import { HOST, OTHERS } from "./support/runtimes.ts";
import { cleanUpSegments, ownSegments, uniqueKey } from "./support/systemv.ts";

cleanUpSegments();

function expectShmError(body: () => unknown, code: ShmErrorCode, message: RegExp): void {
  expect(expectError(body, ShmError, message).code).toBe(code);
}

describe("SystemVSegment.create()", () => {
  test("makes zeros of exactly the size, found by key and by id", () => {
    const key = uniqueKey();
    using segment = SystemVSegment.create({ key, size: 5001 });
    expect([segment.size, segment.key, segment.created]).toEqual([5001, key, true]);
    expect(segment.bytes.length).toBe(5001);
    expect(segment.bytes.every((byte) => byte === 0)).toBe(true);
    using byKey = SystemVSegment.open({ key });
    using byId = SystemVSegment.open({ id: segment.id });
    segment.view(Int32Array)[1] = 42;
    expect([byKey.view(Int32Array)[1], byId.view(Int32Array)[1]]).toEqual([42, 42]);
    expect([byKey.id, byId.key, byKey.created]).toEqual([segment.id, key, false]);
  });

  test("makes private segments, each its own", () => {
    using one = SystemVSegment.create({ size: 10 });
    using two = SystemVSegment.create({ size: 10 });
    expect([one.key, two.key]).toEqual([0, 0]);
    expect(one.id).not.toBe(two.id);
    using same = SystemVSegment.open({ id: one.id });
    same.bytes[0] = 1;
    expect([one.bytes[0], two.bytes[0]]).toEqual([1, 0]);
  });

  test("takes a key that C prints as a negative number", () => {
    const key = (uniqueKey() | 0x80000000) >>> 0;
    using segment = SystemVSegment.create({ key: key | 0, size: 10, lifetime: "creator" });
    expect(segment.key).toBe(key);
    using same = SystemVSegment.open({ key });
    expect(same.id).toBe(segment.id);
  });

  test("has the mode exactly, whatever the umask", () => {
    const umask = process.umask(0o077);
    try {
      using segment = SystemVSegment.create({ size: 10, mode: 0o664 });
      expect(segment.stat().mode).toBe(0o664);
    } finally {
      process.umask(umask);
    }
  });

  test("refuses a key that is taken, and says by whom", () => {
    const key = uniqueKey();
    using first = SystemVSegment.create({ key, size: 5001 });
    expectShmError(
      () => SystemVSegment.create({ key, size: 10 }),
      "EEXIST",
      new RegExp(`key 0x${key.toString(16)}: it exists already .* id ${first.id}, 5001 bytes`),
    );
    first.close();
    expect(ownSegments()).toEqual([first.id]);
  });

  test("refuses a size beyond the machine", () => {
    expectShmError(
      () => SystemVSegment.create({ size: 2 ** 53 - 1 }),
      "ENOMEM",
      /^Cannot create private System V segment: there is not enough memory/,
    );
    expect(ownSegments()).toEqual([]);
  });

  test("refuses bad arguments before anything is made", () => {
    const create = SystemVSegment.create as (options: unknown) => unknown;
    const cases: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      [undefined, TypeError, /options must be an object with a size, received undefined/],
      [{}, TypeError, /size must be a number of bytes, received undefined/],
      [{ size: 0 }, RangeError, /size must be an integer from 1/],
      [{ size: 8, key: 0 }, RangeError, /key must not be 0, which means a private segment/],
      [{ size: 8, key: 2 ** 32 }, RangeError, /key must be an integer from 1 to 2\^32 - 1/],
      [{ size: 8, key: 1.5 }, RangeError, /key must be an integer/],
      [{ size: 8, key: "1" }, TypeError, /key must be an integer .* received "1"/],
      [{ size: 8, mode: 0o1777 }, RangeError, /mode must be an integer from 0 to 0o777/],
      [{ size: 8, lifetime: "forever" }, TypeError, /lifetime must be "persist" or/],
      [{ size: 8, hugePages: 3 }, RangeError, /hugePages must be true, false or the size/],
      [{ size: 8, hugePages: "yes" }, TypeError, /hugePages must be/],
      [{ size: 8, prefault: 1 }, TypeError, /prefault must be true or false/],
      [{ size: 8, mlock: 1 }, TypeError, /mlock must be true or false/],
    ];
    for (const [options, type, message] of cases) {
      expectError(() => create(options), type, message);
    }
    expect(ownSegments()).toEqual([]);
  });
});

describe("SystemVSegment.open()", () => {
  test("tells what there is not", () => {
    const key = uniqueKey();
    expectShmError(() => SystemVSegment.open({ key }), "ENOENT", /with key 0x5a.*Create it first/);
    expectShmError(
      () => SystemVSegment.open({ id: 2 ** 31 - 1 }),
      "ENOENT",
      /there is no segment with id 2147483647, or none any more \(EINVAL from shmctl\)/,
    );
  });

  test("refuses names that are none", () => {
    const open = SystemVSegment.open as (name: unknown, options?: unknown) => unknown;
    for (const name of [undefined, null, "x", 5, {}, { id: 1, key: 1 }]) {
      expectError(() => open(name), TypeError, /it must be named as { key } or { id }/);
    }
    expectError(() => open({ id: -1 }), RangeError, /id must be an integer from 0/);
    expectError(() => open({ key: 0 }), RangeError, /key must not be 0/);
    expectError(() => open({ id: 1 }, { readonly: 1 }), TypeError, /readonly must be/);
    expectError(
      () => open({ id: 1 }, { trust: 1 }),
      TypeError,
      /trust must be "owner" or "anyone"/,
    );
  });

  test("reads what it may not write", () => {
    using writer = SystemVSegment.create({ size: 5001 });
    writer.bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
    writer.bytes[5000] = 9;
    using reader = SystemVSegment.open({ id: writer.id }, { readonly: true });
    expect([...reader.copy(0, 3), reader.getUint8(5000)]).toEqual([1, 2, 3, 9]);
    expect(reader.loadInt32(4)).toBe(0x08070605);
    expect(reader.getFloat64(0)).toBe(new DataView(writer.bytes.buffer).getFloat64(0, true));
    expect([reader.id, reader.key, reader.size]).toEqual([writer.id, 0, 5001]);
    expectError(() => reader.getInt32(4998), RangeError, /byteOffset must be an integer from 0 to/);
    const atomic = new Int32Array(1);
    reader.copyInto(atomic, 4);
    expect(atomic[0]).toBe(0x08070605);
  });

  testWith([OTHER_USERS], "tells a foreign owner apart", async () => {
    const key = uniqueKey();
    using segment = SystemVSegment.create({ key, size: 64, mode: 0o666 });
    const as = (verb: string) => runPeer(HOST, "act_as.ts", ["65534", verb, String(key)]);
    expect(await as("systemv-open")).toMatch(
      /^ERR_SHM_TRUST .* owned by user 0, and this process runs as user 65534\. Choose another key/,
    );
    expect(await as("systemv-anyone")).toBe("done\n");
    expect(await as("systemv-readonly")).toBe("done\n");
    expect(await as("systemv-create")).toMatch(/^EEXIST .* owned by user 0/);
    expect(await as("systemv-remove")).toMatch(/^EPERM .*Run as the owner/);
    expect(segment.stat().removed).toBe(false);

    using hidden = SystemVSegment.create({ key: uniqueKey(), size: 64 });
    const other = (verb: string) => runPeer(HOST, "act_as.ts", ["65534", verb, `${hidden.key}`]);
    expect(await other("systemv-anyone")).toMatch(/^EACCES .*Ask its owner for rights/);

    using readable = SystemVSegment.create({ key: uniqueKey(), size: 64, mode: 0o644 });
    const third = (verb: string) => runPeer(HOST, "act_as.ts", ["65534", verb, `${readable.key}`]);
    expect(await third("systemv-anyone")).toMatch(/^EACCES .*Open it with { readonly: true }/);
    expect(await third("systemv-readonly")).toBe("done\n");
  });

  testWith([OTHER_USERS], "distrusts a creator who has given it away", async () => {
    const key = uniqueKey();
    await runPeer(HOST, "act_as.ts", ["65534", "systemv-give", `${key}`]);
    expectShmError(
      () => SystemVSegment.open({ key }),
      "ERR_SHM_TRUST",
      /it is made by user 65534, who may still write to it, and this process runs as user 0/,
    );
    using segment = SystemVSegment.open({ key }, { trust: "anyone" });
    expect(segment.stat()).toMatchObject({ uid: 0, creatorUid: 65534 });
    segment.remove();
  });

  test("finds nothing when it is removed meanwhile", async () => {
    const key = uniqueKey();
    await using peer = startPeer(HOST, "make_and_remove_systemv.ts", [key]);
    await peer.line();
    const codes = new Set<unknown>();
    for (let round = 0; round < 20_000; round++) {
      try {
        SystemVSegment.open({ key }).close();
      } catch (error) {
        codes.add((error as ShmError).code);
      }
    }
    expect([...codes]).toEqual(["ENOENT"]);
  });

  test("refuses a segment that has come in the place of the one that was looked at", () => {
    using segment = SystemVSegment.create({ size: 4096 });
    const status = shmStatus(segment.id) as ShmidDs;
    for (const other of [{ segsz: 8192 }, { uid: 12345 }, { cuid: 12345 }, { key: 5 }]) {
      const attach = () =>
        new SystemVHandle(
          { verb: "open", noun: "segment" },
          segment.id,
          { ...status, key: 6, ...other },
          { writable: true, prefault: false, mlock: false },
        );
      if ("key" in other) attach().close(); // marked for removal: it has lost its key
      else expectShmError(attach, "ENOENT", /no segment with id \d+, or none any more/);
    }
    expect(segment.stat().attached).toBe(1);
  });

  test("refuses what everybody may write to, unless anyone is trusted", () => {
    using segment = SystemVSegment.create({ size: 64, mode: 0o606 });
    const name = { id: segment.id };
    expectShmError(() => SystemVSegment.open(name), "ERR_SHM_TRUST", /mode 0o606/);
    SystemVSegment.open(name, { trust: "anyone" }).close();
  });
});

describe("SystemVSegment.openAsync()", () => {
  test("waits until there is one", async () => {
    const key = uniqueKey();
    const opening = SystemVSegment.openAsync({ key }, { readonly: true, timeout: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    using segment = SystemVSegment.create({ key, size: 64 });
    segment.bytes[3] = 7;
    using found = await opening;
    expect([found.id, found.getUint8(3)]).toEqual([segment.id, 7]);
    using again = await SystemVSegment.openAsync({ id: segment.id });
    expect(again.bytes[3]).toBe(7);
  });

  test("gives up in time, when told to, and at once when waiting is no use", async () => {
    const key = uniqueKey();
    const late = SystemVSegment.openAsync({ key }, { timeout: 20 });
    await expectErrorAsync(late, DOMException, /took longer than the timeout of 20 ms/);
    const reason = new Error("enough");
    const aborted = SystemVSegment.openAsync({ key }, { signal: AbortSignal.abort(reason) });
    expect(await aborted.catch((error) => error)).toBe(reason);
    await expectErrorAsync(SystemVSegment.openAsync({ key: 0 }), RangeError, /key must not be 0/);
    using _open = SystemVSegment.create({ key, size: 64, mode: 0o606 });
    await expectErrorAsync(SystemVSegment.openAsync({ key }), ShmError, /every user may write/);
  });
});

describe("SystemVSegment.openOrCreate()", () => {
  test("creates once", () => {
    const key = uniqueKey();
    using first = SystemVSegment.openOrCreate({ key, size: 64 });
    using second = SystemVSegment.openOrCreate({ key, size: 64 });
    expect([first.created, second.created, second.id]).toEqual([true, false, first.id]);
  });

  test("refuses another size, larger or smaller", () => {
    const key = uniqueKey();
    using _first = SystemVSegment.create({ key, size: 64 });
    for (const size of [63, 65, 2 ** 40]) {
      expectShmError(
        () => SystemVSegment.openOrCreate({ key, size }),
        "ERR_SHM_SIZE",
        new RegExp(`it exists with 64 bytes, not ${size}`),
      );
    }
  });

  test("lets one of many processes create", async () => {
    const key = uniqueKey();
    const peers = [HOST, ...OTHERS, HOST, ...OTHERS].map((runtime) =>
      runPeer(runtime, "open_or_create_systemv.ts", [key])
    );
    const created = (await Promise.all(peers)).filter((output) => output === "true\n");
    expect(created.length).toBe(1);
    expect(ownSegments().length).toBe(1);
  });

  test("succeeds, whoever removes it at the same time", async () => {
    const key = uniqueKey();
    await using peer = startPeer(HOST, "make_and_remove_systemv.ts", [key]);
    await peer.line();
    for (let round = 0; round < 20_000; round++) {
      SystemVSegment.openOrCreate({ key, size: 64 }).close();
    }
  });

  test("uses the key that it has checked", () => {
    const keys = [uniqueKey(), uniqueKey()];
    const options = {
      size: 64,
      get key() {
        return keys.shift() as number;
      },
    };
    const [key] = keys as [number];
    using segment = SystemVSegment.openOrCreate(options);
    expect([segment.key, keys.length]).toEqual([key, 1]);
    expectError(
      () => SystemVSegment.openOrCreate({ size: 64 } as never),
      TypeError,
      /key must be given, received undefined/,
    );
  });
});

describe("SystemVSegment.exists()", () => {
  testWith([OTHER_USERS, MOUNT_NAMESPACE], "asks for no right, and no table", async () => {
    const key = uniqueKey();
    using segment = SystemVSegment.create({ key, size: 64 });
    const script = 'mount -t tmpfs none /proc/sysvipc && exec "$@"';
    const wrapper = ["unshare", "-m", "sh", "-c", script, "sh"];
    await runPeer(HOST, "act_as.ts", ["65534", "systemv-exists", `${key}`], { wrapper });
    segment.remove();
    expect(SystemVSegment.exists({ key })).toBe(false);
    expect(SystemVSegment.exists({ id: 2 ** 31 - 1 })).toBe(false);
  });
});

describe("SystemVSegment.prototype.stat()", () => {
  test("tells every field of shmid_ds, as ipcs does", () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const key = uniqueKey();
    using segment = SystemVSegment.create({ key, size: 5001, mode: 0o640, mlock: true });
    const { attachTimeMs, changeTimeMs, ...rest } = segment.stat();
    const [uid, gid] = [process.geteuid?.() ?? -1, process.getegid?.() ?? -1];
    expect(rest).toEqual({
      kind: "systemv",
      id: segment.id,
      key,
      size: 5001,
      residentBytes: 8192,
      mode: 0o640,
      uid,
      gid,
      creatorUid: uid,
      creatorGid: gid,
      attached: 1,
      creatorPid: process.pid,
      lastPid: process.pid,
      detachTimeMs: 0,
      removed: false,
      locked: false, // by mlock(2) of the mapping, not by shmctl(2)
    });
    for (const timeMs of [attachTimeMs, changeTimeMs]) {
      expect(timeMs).toBeGreaterThan(before - 1001);
      expect(timeMs).toBeLessThan(Date.now() + 1);
    }
    expect(SystemVSegment.list().find(({ id }) => id === segment.id)).toEqual(segment.stat());
  });

  test("counts who attaches and detaches", () => {
    using segment = SystemVSegment.create({ size: 64 });
    const another = SystemVSegment.open({ id: segment.id });
    const viewed = SystemVSegment.open({ id: segment.id });
    viewed.bytes[0] = 1;
    expect(segment.stat().attached).toBe(3);
    another.close();
    expect(segment.stat().attached).toBe(2);
    viewed.close();
    expect(segment.stat().attached).toBe(1);
    expect(segment.stat().detachTimeMs).toBeGreaterThan(Date.now() - 5000);
  });

  test("counts windows, which let go of all of it", () => {
    using segment = SystemVSegment.create({ size: 3 * 4096 });
    const unseen = segment.window(8, 8);
    const seen = segment.window(4096, 8);
    seen.bytes[0] = 1;
    expect(segment.stat().attached).toBe(3);
    unseen.close();
    expect(segment.stat().attached).toBe(2);
    seen.close();
    expect(segment.stat().attached).toBe(1);
  });
});

describe("a System V segment ends", () => {
  test("when it is removed and the last has detached", () => {
    const segment = SystemVSegment.create({ key: uniqueKey(), size: 64 });
    const { id, key } = segment;
    expect(SystemVSegment.exists({ key })).toBe(true);
    expect(segment.remove()).toBe(true);
    expect(segment.stat().removed).toBe(true);
    expect([SystemVSegment.exists({ key }), SystemVSegment.exists({ id })]).toEqual([false, true]);
    const late = SystemVSegment.open({ id }); // as Linux allows
    segment.bytes[0] = 5;
    segment.close();
    expect(late.bytes[0]).toBe(5);
    late.close();
    expect(SystemVSegment.exists({ id })).toBe(false);
    expect(SystemVSegment.remove({ id })).toBe(false);
    expect(SystemVSegment.remove({ key })).toBe(false);
  });

  test("by ipcrm, as by remove()", () => {
    const byKey = SystemVSegment.create({ key: uniqueKey(), size: 64 });
    const byId = SystemVSegment.create({ size: 64 });
    const hexadecimal = `0x${byKey.key.toString(16)}`;
    expect(spawnSync("ipcrm", ["-M", hexadecimal, "-m", `${byId.id}`]).status).toBe(0);
    expect([byKey.stat().removed, byId.stat().removed]).toEqual([true, true]);
    expect(byKey.remove()).toBe(true); // it is there to be marked still
    byKey.close();
    byId.close();
    expect(ownSegments()).toEqual([]);

    const { stdout } = spawnSync("ipcmk", ["-M", "4096"], { encoding: "utf8" });
    const id = Number(/id: (\d+)/.exec(stdout)?.[1]);
    expect(SystemVSegment.exists({ id })).toBe(true);
    expect(SystemVSegment.remove({ id })).toBe(true);
    expect(SystemVSegment.exists({ id })).toBe(false);
  });

  test("with its creator, or with its last, by its lifetime", () => {
    const persisting = SystemVSegment.create({ size: 64 });
    const creators = SystemVSegment.create({ size: 64, lifetime: "creator" });
    const last = SystemVSegment.create({ size: 64, lifetime: "lastDetach" });
    expect(last.stat().removed).toBe(true);
    const another = SystemVSegment.open({ id: last.id });
    for (const segment of [persisting, creators, last]) segment.close();
    expect(ownSegments().sort()).toEqual([persisting.id, last.id].sort());
    another.close();
    expect(ownSegments()).toEqual([persisting.id]);
  });

  for (const runtime of [HOST, ...OTHERS]) {
    test(`with the last process, though that is killed (${runtime.name})`, async () => {
      await using peer = startPeer(runtime, "hold_systemv.ts", ["lastDetach"]);
      const id = Number(await peer.line());
      expect(SystemVSegment.exists({ id })).toBe(true);
      peer.kill("SIGKILL");
      await peer.exit();
      expect(SystemVSegment.exists({ id })).toBe(false);
    });

    test(`when its creator ends without close() (${runtime.name})`, async () => {
      await using peer = startPeer(runtime, "hold_systemv.ts", ["creator"]);
      const id = Number(await peer.line());
      expect(SystemVSegment.exists({ id })).toBe(true);
      expect((await peer.exit()).code).toBe(0);
      expect(SystemVSegment.exists({ id })).toBe(false);
    });
  }

  test("and use of it is an error then", () => {
    const segment = SystemVSegment.create({ size: 64, lifetime: "lastDetach" });
    const reader = SystemVSegment.open({ id: segment.id }, { readonly: true });
    const { bytes } = segment;
    const window = segment.window(8, 8);
    for (const each of [segment, reader]) {
      each.close();
      each.close();
      expect(each.closed).toBe(true);
      expectShmError(
        () => each.stat(),
        "ERR_SHM_CLOSED",
        /System V segment with id \d+: this handle/,
      );
      expectShmError(() => each.window(0, 8), "ERR_SHM_CLOSED", /closed/);
      expectShmError(() => each.advise("willNeed"), "ERR_SHM_CLOSED", /closed/);
    }
    expect([bytes.length, window.closed]).toEqual([0, true]);
    expectShmError(() => segment.bytes, "ERR_SHM_CLOSED", /closed/);
    expectShmError(() => segment.view(Int8Array), "ERR_SHM_CLOSED", /closed/);
    expectShmError(() => segment.remove(), "ERR_SHM_CLOSED", /closed/);
    expectShmError(() => window.bytes, "ERR_SHM_CLOSED", /window of System V segment/);
    expectShmError(() => reader.getUint8(0), "ERR_SHM_CLOSED", /closed/);
  });
});

describe("SystemVSegment.list()", () => {
  testWith([C_COMPILER], "has what C programs have made", async () => {
    const key = uniqueKey();
    const { peer, lines } = await holdInC(`systemv:${key}:12345`);
    await using _peer = peer;
    const found = SystemVSegment.list().find(({ id }) => id === Number(lines[0]));
    expect(found).toMatchObject({ key, size: 12345, attached: 1, creatorPid: peer.pid });
    expect(SystemVSegment.exists({ key })).toBe(true);
  });
});

describe("ftok()", () => {
  const path = join(temporaryDirectory(), "file");
  writeFileSync(path, "");

  testWith([C_COMPILER], "gives the key that C gives", () => {
    for (const projectId of [1, 65, 255]) {
      const { stdout } = spawnSync(compileC("ftok.c"), [path, `${projectId}`], {
        encoding: "utf8",
      });
      expect(ftok(path, projectId)).toBe(Number(stdout));
    }
  });

  test("follows the file, not the path", () => {
    spawnSync("ln", [path, `${path}2`]);
    expect(ftok(`${path}2`, 7)).toBe(ftok(path, 7));
    expect(ftok(path, 8)).not.toBe(ftok(path, 7));
  });

  test("refuses what gives none", () => {
    expectShmError(() => ftok(`${path}3`, 1), "ENOENT", /Cannot make key of a file .*must exist/);
    for (const projectId of [0, 256, 1.5, -1]) {
      expectError(() => ftok(path, projectId), RangeError, /projectId must be an integer from 1/);
    }
    for (const bad of [undefined, "", "a\0b", 5] as string[]) {
      expectError(() => ftok(bad, 1), TypeError, /path must be a string of 1 to 1000 characters/);
    }
  });
});
