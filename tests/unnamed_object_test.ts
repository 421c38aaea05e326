/**
 * Objects without a name, and those that are got by a descriptor or a path.
 */

import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ReadonlySharedObject, SharedObject, SharedSegment, ShmError, t } from "../mod.ts";
import { temporaryDirectory } from "./support/c.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, openFiles, uniqueName } from "./support/names.ts";
import { NOBODY, Player } from "./support/objects.ts";
import { runPeer } from "./support/peers.ts";
import { RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();
const directory = temporaryDirectory();
const Other = t.struct("Other", { id: t.u64 });

describe("SharedObject.anonymous()", () => {
  test("makes an object that has no name, and cannot be cut off", () => {
    const before = openFiles();
    const object = SharedObject.anonymous(Player, { id: 7 }, { label: "players", participants: 2 });
    expect(object.snapshot()).toEqual({ ...NOBODY, id: 7 });
    expect([object.name, object.created, object.foreign, object.unlink()]).toEqual([
      "players",
      true,
      false,
      false,
    ]);
    const { kind, linked, size } = object.stat();
    expect([kind, linked]).toEqual(["memfd", false]);
    for (const other of [0, size + 1]) {
      expect(() => truncateSync(object.path, other)).toThrow(/EPERM|not permitted/);
    }
    object.close();
    expect(openFiles()).toEqual(before);
  });

  test("refuses what create() refuses, and leaves nothing", () => {
    const before = openFiles();
    const loose = SharedObject.anonymous as (...args: unknown[]) => unknown;
    expectError(() => loose({}), TypeError, /layout must be one that t\.struct\(\) has made/);
    expectError(() => loose(Player, { id: -1 }), RangeError, /^Player\.id must be an integer/);
    expectError(() => loose(Player, {}, { participants: 0 }), RangeError, /participants must be/);
    expectError(() => loose(Player, {}, { label: "" }), TypeError, /label must/);
    expect(openFiles()).toEqual(before);
  });

  for (const runtime of RUNTIMES) {
    test(`is opened by its path in ${runtime.name}, and changed there`, async () => {
      using object = SharedObject.anonymous(Player, { id: 7 });
      const json = JSON.stringify({ name: "ada", hits: 3 });
      const told = await runPeer(runtime, "object.ts", ["assign", object.path, json]);
      expect(JSON.parse(told)).toMatchObject({ id: 7, name: "ada", hits: 3 });
      expect(object.value.name).toBe("ada");
    });
  }
});

for (const way of ["fromDescriptor", "openFile"] as const) {
  describe(`SharedObject.${way}()`, () => {
    const open = (object: { fd: number; path: string }, layout = Player, readonly = false) =>
      way === "openFile"
        ? SharedObject.openFile(object.path, layout, { readonly })
        : SharedObject.fromDescriptor(object.fd, layout, { readonly });

    test("attaches to objects with a name and without", () => {
      using named = SharedObject.create(uniqueName(), Player, { id: 7 });
      using anonymous = SharedObject.anonymous(Player, { id: 7 });
      for (const object of [named, anonymous]) {
        using same = open(object) as SharedObject<typeof Player>;
        same.value.hits.add(2);
        expect([same.created, same.foreign, object.value.hits.load()]).toEqual([false, false, 2]);
        using reader = open(object, Player, true);
        expect(reader).toBeInstanceOf(ReadonlySharedObject);
        expect(reader.snapshot()).toEqual({ ...NOBODY, id: 7, hits: 2 });
      }
    });

    test("refuses another layout, and what has none, and keeps no descriptor", () => {
      using object = SharedObject.anonymous(Player);
      using bare = SharedSegment.anonymous({ size: 10 });
      const before = openFiles();
      for (const each of [object, bare]) {
        const layout = each === object ? Other as never : Player;
        expect(expectError(() => open(each, layout), ShmError, /layout/).code).toBe(
          "ERR_SHM_LAYOUT",
        );
      }
      expect(openFiles()).toEqual(before);
    });

    test("takes a bare struct for what it is told", () => {
      using bare = SharedSegment.anonymous({ size: Player.size });
      Player.write(bare.bytes, { ...NOBODY, id: 7 });
      using object = open(bare);
      expect([object.foreign, object.snapshot().id]).toEqual([true, 7]);
    });

    test("can demand seals", () => {
      using object = SharedObject.anonymous(Player);
      using named = SharedObject.create(uniqueName(), Player);
      const sealed = ({ fd, path }: { fd: number; path: string }) =>
        way === "openFile"
          ? SharedObject.openFile(path, Player, { seals: ["shrink"] })
          : SharedObject.fromDescriptor(fd, Player, { seals: ["shrink"] });
      sealed(object).close();
      expect(expectError(() => sealed(named), ShmError, /it is not sealed against shrink/).code)
        .toBe("ERR_SHM_TRUST");
    });
  });
}

describe("SharedObject.openFile()", () => {
  test("opens a copy of an object, of which changes stay in the file", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 });
    const path = join(directory, "copy");
    copyFileSync(object.path, path);
    using copy = SharedObject.openFile(path, Player);
    copy.value.id = 8;
    copy.close();
    using again = SharedObject.openFile(path, Player, { readonly: true });
    expect([again.snapshot().id, object.value.id, again.name]).toEqual([8, 7, path]);
  });

  test("never makes a file, and says of an empty one that it is", () => {
    const path = join(directory, "none");
    const options = { create: true, size: Player.size } as object;
    const open = () => SharedObject.openFile(path, Player, options);
    expect(expectError(open, ShmError, /it does not exist/).code).toBe("ENOENT");
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, "", { mode: 0o600 });
    expect(expectError(open, ShmError, /it is empty/).code).toBe("ERR_SHM_SIZE");
    expectError(() => SharedObject.openFile(path, Player, 5 as never), TypeError, /options must/);
  });
});
