/** SharedSegment.openFile(): memory that is a file. */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SharedSegment, ShmError, type ShmErrorCode } from "../mod.ts";
import { compileC, temporaryDirectory } from "./support/c.ts";
import { C_COMPILER, MOUNT_NAMESPACE, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { runPeer, startPeer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

cleanUpNames();

const directory = temporaryDirectory();
let count = 0;
const uniquePath = () => join(directory, `file-${count++}`);

function expectShmError(body: () => unknown, code: ShmErrorCode, message: RegExp): void {
  expect(expectError(body, ShmError, message).code).toBe(code);
}

describe("SharedSegment.openFile()", () => {
  test("writes to the file, and reads what is written to it", () => {
    const path = uniquePath();
    writeFileSync(path, "hello");
    using segment = SharedSegment.openFile(path);
    expect([segment.size, segment.kind, segment.name, segment.path, segment.created])
      .toEqual([5, "file", path, path, false]);
    segment.bytes[0] = "j".charCodeAt(0);
    segment.flush();
    expect(readFileSync(path, "utf8")).toBe("jello");
    writeFileSync(path, "jolly", { flag: "r+" });
    expect(new TextDecoder().decode(segment.bytes)).toBe("jolly");
  });

  test("creates it with size, mode and zeros", () => {
    const path = uniquePath();
    using segment = SharedSegment.openFile(path, { create: true, size: 10_000, mode: 0o640 });
    expect(segment.created).toBe(true);
    const { size, mode, blocks } = statSync(path);
    expect([size, mode & 0o777]).toEqual([10_000, 0o640]);
    expect(blocks * 512).toBeGreaterThan(9_999);
    expect(readFileSync(path).every((byte) => byte === 0)).toBe(true);
    using same = SharedSegment.openFile(path, { create: true, size: 10_000 });
    same.bytes[9_999] = 3;
    expect([same.created, segment.bytes[9_999]]).toEqual([false, 3]);
  });

  test("keeps what is in it", () => {
    const path = uniquePath();
    {
      using segment = SharedSegment.openFile(path, { create: true, size: 64 });
      segment.bytes.fill(5);
      segment.flush(10, 20);
    }
    using segment = SharedSegment.openFile(path, { create: true, size: 64 });
    expect(segment.bytes).toEqual(new Uint8Array(64).fill(5));
  });

  test("gives a size to an empty one, if told to", () => {
    const path = uniquePath();
    writeFileSync(path, "");
    expectShmError(() => SharedSegment.openFile(path), "ERR_SHM_SIZE", /it is empty/);
    expectShmError(() => SharedSegment.openFile(path, { size: 9 }), "ERR_SHM_SIZE", /it is empty/);
    using segment = SharedSegment.openFile(path, { create: true, size: 9 });
    expect([segment.size, segment.created, statSync(path).size]).toEqual([9, false, 9]);
  });

  test("leaves an empty one empty when there is no space for it", () => {
    const path = uniquePath();
    writeFileSync(path, "");
    const options = { create: true, size: 2 ** 42 };
    expectShmError(() => SharedSegment.openFile(path, options), "ENOSPC", /are left in/);
    expect(statSync(path).size).toBe(0);
  });

  test("refuses another size, and changes nothing", () => {
    const path = uniquePath();
    writeFileSync(path, "hello");
    for (const options of [{ size: 4 }, { size: 6 }, { create: true, size: 6 }]) {
      expectShmError(
        () => SharedSegment.openFile(path, options),
        "ERR_SHM_SIZE",
        new RegExp(`it exists with 5 bytes, not ${options.size}`),
      );
    }
    expect(readFileSync(path, "utf8")).toBe("hello");
  });

  test("follows links, and names them", () => {
    const [path, link] = [uniquePath(), uniquePath()];
    writeFileSync(path, "hello");
    symlinkSync(path, link);
    linkSync(path, `${path}-hard`); // two names are usual for files
    using segment = SharedSegment.openFile(link);
    expect([segment.name, segment.path]).toEqual([link, path]);
    expect(segment.unlink()).toBe(false); // it is not the link's to remove
    expect(existsSync(path)).toBe(true);
  });

  test("ends with a dangling link as with any other path that is taken", () => {
    const link = uniquePath();
    symlinkSync("/nowhere/at/all", link);
    expectShmError(() => SharedSegment.openFile(link), "ENOENT", /create it with { create: true/);
    expectShmError(
      () => SharedSegment.openFile(link, { create: true, size: 9 }),
      "EEXIST",
      /exists already/,
    );
  });

  test("reads what it may not write", () => {
    const path = uniquePath();
    writeFileSync(path, "hello", { mode: 0o400 });
    using segment = SharedSegment.openFile(path, { readonly: true });
    expect(new TextDecoder().decode(segment.copy())).toBe("hello");
    expect([segment.kind, segment.name]).toEqual(["file", path]);
    expect(segment.getUint8(4)).toBe("o".charCodeAt(0));
  });

  test("removes the file on request, unless it is another one by now", () => {
    const path = uniquePath();
    using segment = SharedSegment.openFile(path, { create: true, size: 64 });
    expect(segment.unlink()).toBe(true);
    expect(existsSync(path)).toBe(false);
    expect(segment.unlink()).toBe(false);
    writeFileSync(path, "another");
    expect(segment.unlink()).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("another");
    segment.bytes[0] = 1; // goes on to exist for us
  });

  test("refuses what cannot be mapped", () => {
    const fifo = uniquePath();
    spawnSync("mkfifo", [fifo]);
    expectShmError(() => SharedSegment.openFile(fifo), "ERR_SHM_KIND", /belongs to a FIFO/);
    expectShmError(
      () => SharedSegment.openFile(fifo, { readonly: true }),
      "ERR_SHM_KIND",
      /belongs to a FIFO/,
    );
    expectShmError(() => SharedSegment.openFile("/dev/zero"), "ERR_SHM_KIND", /character device/);
    expectShmError(() => SharedSegment.openFile(directory), "EISDIR", /Only files can be mapped/);
    expectShmError(
      () => SharedSegment.openFile(directory, { readonly: true }),
      "ERR_SHM_KIND",
      /belongs to a directory/,
    );
    expectShmError(
      () => SharedSegment.openFile(join(directory, "no/such"), { create: true, size: 9 }),
      "ENOENT",
      /.*/,
    );
  });

  test("refuses bad arguments", () => {
    const openFile = SharedSegment.openFile as (path: unknown, options?: unknown) => unknown;
    const cases: [unknown, unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      [5, {}, TypeError, /path must be a string, received 5/],
      ["", {}, TypeError, /path must not be empty/],
      ["a\0b", {}, TypeError, /path must not contain a NUL/],
      ["\ud800", {}, TypeError, /path must be well-formed/],
      ["x".repeat(4000), {}, TypeError, /path must be at most 3500 bytes/],
      ["x", 5, TypeError, /options must be an object/],
      ["x", { size: 0 }, RangeError, /size must be an integer from 1/],
      ["x", { create: true }, TypeError, /size must be given to create it/],
      ["x", { create: 1, size: 1 }, TypeError, /create must be true or false/],
      ["x", { create: true, size: 1, readonly: true }, TypeError, /readonly must be false/],
      ["x", { create: true, size: 1, seals: ["grow"] }, TypeError, /seals must be left out/],
      ["x", { mode: 0o7777 }, RangeError, /mode must be an integer/],
      ["x", { trust: "all" }, TypeError, /trust must be/],
    ];
    for (const [path, options, type, message] of cases) {
      expectError(() => openFile(path, options), type, message);
    }
    expect(existsSync("x")).toBe(false);
  });

  testWith([OTHER_USERS], "refuses what others own or may write, unless anyone is trusted", () => {
    const path = uniquePath();
    writeFileSync(path, "hello");
    chmodSync(path, 0o666);
    expectShmError(
      () => SharedSegment.openFile(path),
      "ERR_SHM_TRUST",
      /every user may write to it/,
    );
    chmodSync(path, 0o644);
    chownSync(path, 1234, 1234);
    expectShmError(() => SharedSegment.openFile(path), "ERR_SHM_TRUST", /owned by user 1234/);
    SharedSegment.openFile(path, { trust: "anyone" }).close();
  });

  testWith([OTHER_USERS], "believes root, who can do everything anyway", async () => {
    const path = `/dev/shm/${uniqueName()}`; // where everybody may look
    writeFileSync(path, "hello");
    chmodSync(path, 0o644);
    expect(await runPeer(HOST, "act_as.ts", ["65534", "file-readonly", path])).toBe("done\n");
    expect(await runPeer(HOST, "act_as.ts", ["65534", "file", path])).toMatch(
      /^EACCES .*or open it with { readonly: true }/,
    );
    chmodSync(path, 0o600);
    expect(await runPeer(HOST, "act_as.ts", ["65534", "file-readonly", path])).toMatch(/^EACCES/);
  });

  testWith([MOUNT_NAMESPACE], "says that the disk is full, and leaves nothing", async () => {
    const script = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"';
    const place = join(directory, "small");
    mkdirSync(place);
    const wrapper = ["unshare", "-m", "sh", "-c", script, place];
    const output = await runPeer(HOST, "create_file.ts", [join(place, "large"), 2 ** 21], {
      wrapper,
    });
    expect(output).toMatch(/^ENOSPC .*It needs 2097152 bytes and \d+ are left in its file system/);
  });

  testWith([C_COMPILER], "leaves nothing when it is killed while creating", async () => {
    const place = join(directory, "killed");
    mkdirSync(place);
    for (let round = 0; round < 20; round++) {
      await using peer = startPeer(HOST, "create_files_forever.ts", [place]);
      expect(await peer.line()).toBe("started");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      peer.kill("SIGKILL");
      await peer.exit();
      for (const name of readdirSync(place)) expect(statSync(join(place, name)).size).toBe(65536);
    }
    // The same where files cannot be made without a name: the size comes last there.
    const wrapper = [compileC("block_tmpfile.c")];
    const path = uniquePath();
    const output = await runPeer(HOST, "create_file.ts", [path, 4096], { wrapper });
    expect([output, statSync(path).size]).toEqual(["created\n", 4096]);
  });
});

describe("SharedSegment.prototype.flush()", () => {
  test("takes ranges, and refuses those outside", () => {
    using segment = SharedSegment.openFile(uniquePath(), { create: true, size: 10_000 });
    segment.bytes[9_999] = 1;
    segment.flush();
    segment.flush(9_999, 1);
    segment.flush(10_000, 0);
    segment.flush(5);
    const outside = /Cannot flush file .*: byteLength must be an integer from 0 to 1, received 2/;
    expectError(() => segment.flush(9_999, 2), RangeError, outside);
    expectError(() => segment.flush(10_001), RangeError, /byteOffset must be an integer from 0 to/);
    expectError(() => segment.flush("1" as never), TypeError, /byteOffset must be/);
    segment.close();
    expectShmError(() => segment.flush(), "ERR_SHM_CLOSED", /closed/);
  });

  test("does nothing for memory that is no file", () => {
    using segment = SharedSegment.anonymous({ size: 64 });
    segment.flush();
  });
});

test("a file that is cut off is followed before it is touched", () => {
  const path = uniquePath();
  using segment = SharedSegment.openFile(path, { create: true, size: 10_000 });
  truncateSync(path, 5000);
  expect([segment.refresh(), segment.size, segment.bytes.length]).toEqual([true, 5000, 5000]);
  truncateSync(path, 0);
  expectShmError(() => segment.refresh(), "ERR_SHM_SIZE", /it is empty/);
});
