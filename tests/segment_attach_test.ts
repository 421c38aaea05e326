/**
 * What may lie under a name, and how little is believed of it.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { SharedSegment, ShmError, type ShmErrorCode } from "../mod.ts";
import { compileC } from "./support/c.ts";
import { C_COMPILER, MOUNT_NAMESPACE, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { runPeer } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

const NOBODY = 65534;

/** Runs a command with a `/dev/shm` of 4 MiB, and prints what it leaves there. */
const IN_SMALL_SHM = [
  "unshare",
  "-m",
  "sh",
  "-c",
  'mount -t tmpfs -o size=4m tmpfs /dev/shm && "$@"; status=$?; ls /dev/shm; exit $status',
  "sh",
];

cleanUpNames();

function expectRefused(name: string, code: ShmErrorCode, message: RegExp): void {
  expect(expectError(() => SharedSegment.open(name), ShmError, message).code).toBe(code);
  const readonly = () => SharedSegment.open(name, { readonly: true, trust: "anyone" });
  expect(expectError(readonly, ShmError, message).code).toBe(code);
  expect(SharedSegment.exists(name)).toBe(true);
}

describe("SharedSegment.open() refuses", () => {
  test("a FIFO, without waiting for its other end", () => {
    const name = uniqueName();
    spawnSync("mkfifo", [`/dev/shm/${name}`]);
    const start = performance.now();
    expectRefused(name, "ERR_SHM_KIND", /the name belongs to a FIFO\. Find out who put it there/);
    expect(performance.now() - start).toBeLessThan(5000); // a plain open would wait for ever
  });

  test("a symbolic link", () => {
    const name = uniqueName();
    symlinkSync("/etc/passwd", `/dev/shm/${name}`);
    expectRefused(name, "ELOOP", /the name is a symbolic link, which is never followed/);
  });

  test("a symbolic link to nowhere", () => {
    const name = uniqueName();
    symlinkSync(`/dev/shm/${name}-target`, `/dev/shm/${name}`);
    expectRefused(name, "ELOOP", /symbolic link/);
    const error = expectError(
      () => SharedSegment.create(name, { size: 64 }),
      ShmError,
      /exists already/,
    );
    expect(error.code).toBe("EEXIST");
  });

  test("a directory", () => {
    const name = uniqueName();
    mkdirSync(`/dev/shm/${name}`);
    const error = expectError(() => SharedSegment.open(name), ShmError, /Cannot open segment/);
    expect(["EISDIR", "EINVAL", "ERR_SHM_KIND"]).toContain(error.code);
    expectError(() => SharedSegment.open(name, { readonly: true }), ShmError, /a directory/);
  });

  test("a file with another name", () => {
    const name = uniqueName();
    using _segment = SharedSegment.create(name, { size: 64 });
    linkSync(`/dev/shm/${name}`, `/dev/shm/${uniqueName()}`);
    expectRefused(name, "ERR_SHM_TRUST", /it has 2 names \(hard links\)/);
  });

  test("a file that everybody may write to, unless told to trust anyone", () => {
    const name = uniqueName();
    using _segment = SharedSegment.create(name, { size: 64, mode: 0o666 });
    const error = expectError(
      () => SharedSegment.open(name),
      ShmError,
      /every user may write to it \(mode 0o666\)\. Open it with \{ trust: "anyone" \}/,
    );
    expect(error.code).toBe("ERR_SHM_TRUST");
    SharedSegment.open(name, { trust: "anyone" }).close();
    SharedSegment.openOrCreate(name, { size: 64, trust: "anyone" }).close();
  });

  test("an empty file, which openAsync waits for", async () => {
    const name = uniqueName();
    writeFileSync(`/dev/shm/${name}`, "", { mode: 0o600 });
    expectRefused(name, "ERR_SHM_SIZE", /it is empty: whoever made it has not given it a size/);
    const opening = SharedSegment.openAsync(name, { timeout: 10_000 });
    setTimeout(() => truncateSync(`/dev/shm/${name}`, 64), 30);
    using segment = await opening;
    expect(segment.size).toBe(64);
  });

  test("by rejecting at once in openAsync, too", async () => {
    const name = uniqueName();
    symlinkSync("/etc/passwd", `/dev/shm/${name}`);
    await expectErrorAsync(SharedSegment.openAsync(name), ShmError, /symbolic link/);
  });
});

describe("SharedSegment between users", () => {
  for (const runtime of RUNTIMES) {
    const as = (uid: number, verb: string, name: string) =>
      runPeer(runtime, "act_as.ts", [uid, verb, name]);

    testWith([OTHER_USERS], `fails with EACCES without rights in ${runtime.name}`, async () => {
      using segment = SharedSegment.create(uniqueName(), { size: 64, mode: 0o600 });
      for (const verb of ["open", "open-anyone", "open-readonly"]) {
        expect(await as(NOBODY, verb, segment.name)).toMatch(
          /^EACCES Cannot open segment .*: permission denied \(EACCES from shm_open\)\. Ask its owner/,
        );
      }
      expect(await as(NOBODY, "unlink", segment.name)).toMatch(/^(EACCES|EPERM) Cannot unlink/);
    });

    testWith(
      [OTHER_USERS],
      `accepts a foreign one only if told to in ${runtime.name}`,
      async () => {
        using segment = SharedSegment.create(uniqueName(), { size: 64, mode: 0o644 });
        chmodSync(`/dev/shm/${segment.name}`, 0o666);
        expect(await as(NOBODY, "open", segment.name)).toMatch(
          /^ERR_SHM_TRUST .*it is owned by user 0, and this process runs as user 65534/,
        );
        expect(await as(NOBODY, "open-anyone", segment.name)).toBe("done\n");
      },
    );

    testWith([OTHER_USERS], `refuses a squatter's even as root in ${runtime.name}`, async () => {
      const name = uniqueName();
      expect(await as(NOBODY, "create", name)).toBe("done\n");
      expect(await as(0, "open", name)).toMatch(/^ERR_SHM_TRUST .*owned by user 65534/);
    });
  }
});

describe("a /dev/shm of 4 MiB", () => {
  const small = { wrapper: IN_SMALL_SHM };

  for (const runtime of RUNTIMES) {
    testWith([MOUNT_NAMESPACE], `gives ENOSPC for 8 MiB in ${runtime.name}`, async () => {
      const name = uniqueName();
      expect(await runPeer(runtime, "create_fails.ts", [name, 8 * 2 ** 20], small)).toBe(
        `ENOSPC Cannot create segment "${name}": there is not enough shared memory left (ENOSPC ` +
          "from fallocate). It needs 8388608 bytes and 4194304 are left in /dev/shm. Remove " +
          "objects that are no longer needed, or enlarge it (containers: --shm-size).\n",
      );
    });

    testWith([MOUNT_NAMESPACE], `gives ENOSPC for holes in ${runtime.name}`, async () => {
      const output = await runPeer(runtime, "open_sparse.ts", [uniqueName()], small);
      expect(output).toBe("ENOSPC\nENOSPC\nopened\n");
    });
  }
});

testWith([C_COMPILER], "memory is reserved, however often that is interrupted", async () => {
  const wrapper = [compileC("interrupt_fallocate.c")];
  const options = { wrapper, timeoutMs: 10_000 };
  const [name, size] = [uniqueName(), 3 * 2 ** 20 + 1];
  expect(await runPeer(HOST, "create_fails.ts", [name, size], options)).toBe("created\n");
  using segment = SharedSegment.open(name);
  expect(segment.stat().residentBytes).toBe(3 * 2 ** 20 + 4096);
});

describe("where a file cannot be made without a name", () => {
  testWith([C_COMPILER], "creates under the name", async () => {
    const wrapper = [compileC("block_tmpfile.c")];
    for (const runtime of RUNTIMES) {
      const name = uniqueName();
      await runPeer(runtime, "segment.ts", ["create", 3, `${name}:4097`], { wrapper });
      expect(await runPeer(HOST, "segment.ts", ["verify", 3, `${name}:4097`])).toBe(
        `${name} 4097 0\n`,
      );
      const again = await runPeer(runtime, "create_fails.ts", [name, 64], { wrapper });
      expect(again).toMatch(/^EEXIST .*\(EEXIST from shm_open\).* and left something\n$/);
    }
  });

  testWith([C_COMPILER], "makes pages present when it has its size", async () => {
    const wrapper = [compileC("block_tmpfile.c")];
    for (const runtime of RUNTIMES) {
      expect(await runPeer(runtime, "create_present.ts", [uniqueName()], { wrapper })).toBe(
        "8192 8192\n",
      );
    }
    expect(ownFiles()).toEqual([]);
  });

  testWith([C_COMPILER, MOUNT_NAMESPACE], "leaves nothing after ENOSPC", async () => {
    const wrapper = [...IN_SMALL_SHM, compileC("block_tmpfile.c")];
    const name = uniqueName();
    const output = await runPeer(HOST, "create_fails.ts", [name, 8 * 2 ** 20], { wrapper });
    expect(output).toMatch(/^ENOSPC [^\n]*--shm-size\)\.\n$/);
    expect(ownFiles()).toEqual([]);
  });
});
