/**
 * What may lie under the name of an object, who may have put it there, and how creation fails.
 */

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { SharedObject, ShmError, type ShmErrorCode, t } from "../mod.ts";
import { crc32 } from "../memory/objects/crc32.ts";
import { decodeTrailer, placesOf, type Trailer } from "../memory/objects/trailer.ts";
import { compileC } from "./support/c.ts";
import { C_COMPILER, MOUNT_NAMESPACE, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, openFiles, ownFiles, uniqueName } from "./support/names.ts";
import { Generation, NOBODY, Player } from "./support/objects.ts";
import { runPeer, startPeer } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const USER = 65534;

/** Runs a command with a `/dev/shm` of 4 MiB, and prints what it leaves there. */
const IN_SMALL_SHM = [
  "unshare",
  "-m",
  "sh",
  "-c",
  'mount -t tmpfs -o size=4m tmpfs /dev/shm && "$@"; status=$?; ls /dev/shm; exit $status',
  "sh",
];

/** Expects every way to open it to fail, and nothing to stay open. */
function expectRefused(
  name: string,
  layout: typeof Player,
  code: ShmErrorCode,
  message: string | RegExp,
): void {
  const before = openFiles();
  for (const readonly of [false, true]) {
    const open = () => SharedObject.open(name, layout, { readonly });
    expect(expectError(open, ShmError, message).code).toBe(code);
  }
  expect(openFiles()).toEqual(before);
  expect(SharedObject.exists(name)).toBe(true);
}

describe("SharedObject.open() fails with ERR_SHM_LAYOUT when", () => {
  const Base = t.struct("Base", { id: t.u32, name: t.cstring(8), team: t.array(t.u8, 2) });
  for (
    const [title, other, difference] of [
      ["the name is another", t.struct("Case", Base.fields), "the name is Case here, Base there"],
      [
        "a type is another",
        t.struct("Base", { ...Base.fields, id: t.i32 }),
        "Base.id: i32 at 0 here, u32 at 0 there",
      ],
      [
        "fields are missing, here and there",
        t.struct("Base", { id: t.u32, name: t.cstring(8), level: t.u16 }),
        "Base.level: u16 at 12 here, not there; Base.team: not here, u8[2] at 12 there",
      ],
      [
        "only the alignment is another",
        t.struct("Base", { ...Base.fields, id: t.align(8, t.u32) }),
        "Base.id: align(8, u32) at 0 here, u32 at 0 there; Base: alignment is 8 bytes here, 4 there",
      ],
      [
        "very much is another",
        t.struct(
          "Base",
          Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, t.u8])),
        ),
        "Base.f0: u8 at 0 here, not there; Base.f1: u8 at 1 here, not there; Base.f2: u8 at 2 here, " +
        "not there; Base.f3: u8 at 3 here, not there; Base.f4: u8 at 4 here, not there; Base.f5: u8 " +
        "at 5 here, not there; and 19 more",
      ],
    ] as const
  ) {
    test(title, () => {
      using object = SharedObject.create(uniqueName(), Base, { id: 7 });
      const message = `Cannot open object "${object.name}": it has another layout than ` +
        `${other.name} here: ${difference}. Open it with the layout that it was made with, or ` +
        "unlink it and create it anew.";
      expectRefused(object.name, other as never, "ERR_SHM_LAYOUT", message);
      const either = () => SharedObject.openOrCreate(object.name, other as typeof Base);
      expectError(either, ShmError, message.replace("open", "open or create"));
      expect(object.value.id).toBe(7);
    });
  }

  test("a field has endlessly many names, without saying all of them", () => {
    const members = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`m${at}`, at]));
    const Long = t.struct("Base", { id: t.enumeration(t.u16, members) });
    using object = SharedObject.create(uniqueName(), Long);
    const error = expectError(
      () => SharedObject.open(object.name, Base),
      ShmError,
      /another layout/,
    );
    expect(error.message.length).toBeLessThan(1000);
  });

  test("it says nothing about its layout, and has another size", () => {
    const name = uniqueName();
    for (const size of [1, Player.size - 1, Player.size + 1, 4095, 4097, 8192]) {
      writeFileSync(`/dev/shm/${name}`, new Uint8Array(size), { mode: 0o600 });
      expectRefused(
        name,
        Player,
        "ERR_SHM_LAYOUT",
        `Cannot open object "${name}": it says nothing about its layout, and has ${size} bytes ` +
          `where ${Player.size} are expected. Open it with the layout that its creator has, or as ` +
          "a SharedSegment.",
      );
    }
    const before = openFiles();
    const layoutOf = () => SharedObject.layoutOf(name);
    const message =
      /it says nothing about its layout, and has 8192 bytes\. Open it with the layout/;
    expect(expectError(layoutOf, ShmError, message).code).toBe("ERR_SHM_LAYOUT");
    expect(openFiles()).toEqual(before);
  });
});

describe("SharedObject.open() takes what another program has made", () => {
  for (const size of [Player.size, 4096]) {
    test(`of ${size} bytes`, () => {
      const name = uniqueName();
      const bytes = new Uint8Array(size);
      Player.write(bytes, { ...NOBODY, id: 7, name: "ada" });
      writeFileSync(`/dev/shm/${name}`, bytes, { mode: 0o600 });
      using object = SharedObject.open(name, Player);
      using reader = SharedObject.open(name, Player, { readonly: true });
      using either = SharedObject.openOrCreate(name, Player, {}, { lifetime: "lastDetach" });
      for (const each of [object, reader, either]) {
        expect([each.foreign, each.snapshot()]).toEqual([true, { ...NOBODY, id: 7, name: "ada" }]);
      }
      expect([object.created, either.created]).toEqual([false, false]);
      object.value.id = 8;
      either.close();
      object.close();
      expect(Player.read(new Uint8Array(readFileSync(`/dev/shm/${name}`))).id).toBe(8);
      expect(reader.stat().size).toBe(size);
    });
  }
});

describe("SharedObject.open() refuses", () => {
  /** An object whose trailer says something else, with the right checksum. */
  function withTrailer(byteOffset: number, value: number): string {
    using object = SharedObject.create(uniqueName(), Player);
    const path = `/dev/shm/${object.name}`;
    const bytes = new Uint8Array(readFileSync(path));
    const start = bytes.length - 64;
    const trailer = decodeTrailer(bytes.slice(start), bytes.length) as Trailer;
    const { schema } = placesOf(trailer);
    const description = bytes.slice(schema, schema + trailer.schemaByteLength);
    const view = new DataView(bytes.buffer, start);
    view.setUint16(byteOffset, value, true);
    view.setUint32(60, crc32(bytes.subarray(start, start + 60), crc32(description)), true);
    writeFileSync(path, bytes);
    return object.name;
  }

  test("another kind of object with ERR_SHM_KIND", () => {
    const name = withTrailer(10, 77);
    const rule =
      /it is something else that this library has made \(kind 77\)\. Open it as what it is/;
    expectRefused(name, Player, "ERR_SHM_KIND", rule);
    expectError(() => SharedObject.layoutOf(name), ShmError, rule);
    const either = () => SharedObject.openOrCreate(name, Player);
    expect(expectError(either, ShmError, rule).code).toBe("ERR_SHM_KIND");
  });

  test("another version of the format with ERR_SHM_UNSUPPORTED", () => {
    const name = withTrailer(8, 2);
    expectRefused(
      name,
      Player,
      "ERR_SHM_UNSUPPORTED",
      `Cannot open object "${name}": its format has version 2, and this version of the library ` +
        "reads 1. Open it with the version that made it, or unlink it and create it anew.",
    );
  });

  test("one whose end has been written over with ERR_SHM_CORRUPT", () => {
    using object = SharedObject.create(uniqueName(), Player);
    const path = `/dev/shm/${object.name}`;
    const bytes = new Uint8Array(readFileSync(path));
    bytes.fill(1, bytes.length - 200, bytes.length - 100);
    writeFileSync(path, bytes);
    const rule =
      /its checksum is wrong: something has been written over its end\. Find out who did/;
    expectRefused(object.name, Player, "ERR_SHM_CORRUPT", rule);
    truncateSync(path, bytes.length - 64);
    expectRefused(object.name, Player, "ERR_SHM_LAYOUT", /it says nothing about its layout/);
    truncateSync(path, 0);
    expectRefused(
      object.name,
      Player,
      "ERR_SHM_SIZE",
      /it is empty: whoever made it has not given/,
    );
  });

  test("links, and what everybody may write to", () => {
    using object = SharedObject.create(uniqueName(), Player, {}, { mode: 0o666 });
    expectRefused(
      object.name,
      Player,
      "ERR_SHM_TRUST",
      /every user may write to it \(mode 0o666\)/,
    );
    SharedObject.open(object.name, Player, { trust: "anyone" }).close();
    SharedObject.openOrCreate(object.name, Player, {}, { trust: "anyone" }).close();
    expect(SharedObject.layoutOf(object.name, { trust: "anyone" }).name).toBe("Player");
    expectError(() => SharedObject.layoutOf(object.name), ShmError, /every user may write/);
    chmodSync(`/dev/shm/${object.name}`, 0o600);
    linkSync(`/dev/shm/${object.name}`, `/dev/shm/${uniqueName()}`);
    expectRefused(object.name, Player, "ERR_SHM_TRUST", /it has 2 names \(hard links\)/);
    const link = uniqueName();
    symlinkSync(`/dev/shm/${object.name}`, `/dev/shm/${link}`);
    expectRefused(link, Player, "ELOOP", /symbolic link/);
  });

  for (const runtime of RUNTIMES) {
    const as = (uid: number, verb: string, name: string) =>
      runPeer(runtime, "act_as.ts", [uid, verb, name]);

    testWith([OTHER_USERS], `what another user may not, in ${runtime.name}`, async () => {
      const options = { mode: 0o644, lifetime: "lastDetach" } as const;
      using object = SharedObject.create(uniqueName(), Player, {}, options);
      expect(await as(USER, "object", object.name)).toMatch(/^EACCES Cannot open object/);
      expect(await as(USER, "object-readonly", object.name)).toMatch(
        /^ERR_SHM_TRUST .*it is owned by user 0, and this process runs as user 65534/,
      );
      expect(await as(USER, "object-readonly-anyone", object.name)).toBe("done\n");
      expect(await as(USER, "object-unlink", object.name)).toMatch(/^E\w+ Cannot unlink object/);
      chmodSync(`/dev/shm/${object.name}`, 0o666); // the directory is sticky
      expect(await as(USER, "object-unlink-own", object.name)).toMatch(
        /^(EACCES|EPERM) Cannot unlink object "[^"]+": /,
      );
      expect(object.stat().linked).toBe(true);
      object.close();
      expect(SharedObject.exists(object.name)).toBe(false);
      const squatted = uniqueName();
      expect(await as(USER, "object-create", squatted)).toBe("done\n");
      expectRefused(squatted, Player, "ERR_SHM_TRUST", /it is owned by user 65534/);
    });

    testWith([OTHER_USERS], `what is left to its owner, in ${runtime.name}`, async () => {
      const name = uniqueName();
      await using peer = startPeer(runtime, "hold_object.ts", [name, "lastDetach"]);
      expect(await peer.line()).toBe("created");
      chmodSync(`/dev/shm/${name}`, 0o666);
      peer.kill();
      await peer.exit();
      // Abandoned, it is not there; and its name cannot be had by those who cannot remove it.
      expect(await as(USER, "object-anyone", name)).toMatch(/^ENOENT Cannot open object/);
      expect(await as(USER, "object-open-or-create", name)).toMatch(
        /^EEXIST Cannot open or create/,
      );
      expect(SharedObject.exists(name)).toBe(true);
      const open = () => SharedObject.open(name, Player, { trust: "anyone" });
      expect(expectError(open, ShmError, /it does not exist/).code).toBe("ENOENT");
      expect(SharedObject.exists(name)).toBe(false);
    });
  }
});

describe("SharedObject.create()", () => {
  for (const runtime of RUNTIMES) {
    const create = (name: string, bytes: number, wrapper: readonly string[]) =>
      runPeer(runtime, "create_object_fails.ts", [name, bytes], { wrapper });

    testWith(
      [MOUNT_NAMESPACE],
      `gives ENOSPC, and leaves nothing, in ${runtime.name}`,
      async () => {
        expect(await create(uniqueName(), 8 * 2 ** 20, IN_SMALL_SHM)).toMatch(
          /^ENOSPC Cannot create object "[^"]+": there is not enough shared memory left \(ENOSPC from fallocate\)\. It needs \d+ bytes and \d+ are left in \/dev\/shm\. [^\n]*\n$/,
        );
      },
    );

    test(`gives EFBIG above ulimit -f in ${runtime.name}`, async () => {
      // More than the runtimes' own files take, of which Deno's cache grows with every program.
      const wrapper = ["bash", "-c", 'ulimit -f 500000; exec "$@"', "bash"];
      expect(await create(uniqueName(), 2 ** 29, wrapper)).toMatch(/^EFBIG .*ulimit -f[^\n]*\n$/);
    });

    testWith([C_COMPILER], `makes it under its name if it must, in ${runtime.name}`, async () => {
      const wrapper = [compileC("block_tmpfile.c")];
      const name = uniqueName();
      await using peer = startPeer(runtime, "hold_object.ts", [name, "lastDetach"], { wrapper });
      expect(await peer.line()).toBe("created");
      using object = SharedObject.open(name, Player);
      expect([object.foreign, object.value.id, object.stat().mode]).toEqual([false, 7, 0o600]);
      expect((await peer.exit()).code).toBe(0);
      expect(object.stat().linked).toBe(true);
      object.close();
      expect(ownFiles()).toEqual([]);
      expect(await create(uniqueName(), 0, wrapper)).toBe(
        'RangeError Filled.shade holds 0 in memory, which is none of "light" (1)\n',
      );
    });
  }

  testWith([C_COMPILER], "is never seen half-made where it is made under its name", async () => {
    const wrapper = [compileC("block_tmpfile.c")];
    const name = uniqueName();
    const options = { wrapper, timeoutMs: 60_000 };
    await using peer = startPeer(HOST, "create_object_forever.ts", [name], options);
    await peer.line();
    let opened = 0;
    const look = (): void => {
      try {
        using object = SharedObject.open(name, Generation);
        const { generation, check, filler } = object.snapshot();
        expect([check, filler.every((each) => each === generation)]).toEqual([
          ~generation >>> 0,
          true,
        ]);
        opened++;
      } catch (error) {
        if (!(error instanceof ShmError)) throw error;
        expect(error.code).toMatch(/^(ENOENT|ERR_SHM_SIZE|ERR_SHM_LAYOUT)$/);
        if (error.code === "ERR_SHM_LAYOUT") expect(error.message).toContain("says nothing");
      }
    };
    for (let count = 0; count < 20_000 || opened === 0; count++) look();
    // Whoever can wait never gets to see that.
    for (let count = 0; count < 200; count++) {
      using object = await SharedObject.openAsync(name, Generation, { readonly: true });
      const { generation, check } = object.snapshot();
      expect(check).toBe(~generation >>> 0);
    }
  });

  test("is never seen half-made when it is killed, 60 times", async () => {
    const name = uniqueName();
    let opened = 0;
    const look = (): void => {
      try {
        using object = SharedObject.open(name, Generation);
        const { generation, check, filler } = object.snapshot();
        expect(check).toBe(~generation >>> 0);
        expect(filler.every((each) => each === generation)).toBe(true);
        opened++;
      } catch (error) {
        if (!(error instanceof ShmError && error.code === "ENOENT")) throw error;
      }
    };
    for (let kill = 0; kill < 60 || (opened === 0 && kill < 600); kill++) {
      // Most in the runtime that starts fastest.
      const runtime = RUNTIMES[kill % 10 === 0 ? kill / 10 % 3 : 0] ?? HOST;
      await using peer = startPeer(runtime, "create_object_forever.ts", [name]);
      await peer.line();
      const deadline = performance.now() + Math.random() * 4;
      do look(); while (performance.now() < deadline);
      peer.kill();
      expect((await peer.exit()).signal).toBe("SIGKILL");
      look();
      SharedObject.unlink(name);
      expect(ownFiles()).toEqual([]);
    }
    expect(opened).toBeGreaterThan(0);
  });
});
