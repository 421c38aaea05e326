/** SharedSegment.anonymous(), fromDescriptor(), seals and freeze(). */

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { type Seal, SharedSegment, ShmError, type ShmErrorCode } from "../mod.ts";
import { OTHER_USERS, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer, runPeer, startPeer } from "./support/peers.ts";
import { HOST, HOST_WITH_FILES, OTHERS, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

function expectShmError(body: () => unknown, code: ShmErrorCode, message: RegExp): void {
  expect(expectError(body, ShmError, message).code).toBe(code);
}

/** A descriptor of this test's own, opened without the library. */
class Descriptor implements Disposable {
  readonly fd: number;
  constructor(path: string, flags: string) {
    this.fd = openSync(path, flags);
  }
  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

describe("SharedSegment.anonymous()", () => {
  test("makes zeros without a name", () => {
    using segment = SharedSegment.anonymous({ size: 5001, label: "made by a test" });
    expect(segment.bytes.length).toBe(5001);
    expect(segment.bytes.every((byte) => byte === 0)).toBe(true);
    expect([segment.kind, segment.name, segment.created]).toEqual([
      "memfd",
      "made by a test",
      true,
    ]);
    expect(segment.seals).toEqual([]);
    expect(segment.stat()).toMatchObject({
      kind: "memfd",
      name: "made by a test",
      size: 5001,
      residentBytes: 8192,
      mode: 0o600,
      linked: false,
    });
    expect(segment.unlink()).toBe(false);
    expect(segment.path).toBe(`/proc/${process.pid}/fd/${segment.fd}`);
  });

  test("refuses bad arguments", () => {
    const anonymous = SharedSegment.anonymous as (options: unknown) => unknown;
    const cases: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      [undefined, TypeError, /options must be an object with a size, received undefined/],
      [{ size: "1" }, TypeError, /size must be a number of bytes, received "1"/],
      [{ size: 0 }, RangeError, /size must be an integer from 1/],
      [{ size: 8, label: "" }, TypeError, /label must be a string of 1 to 249 bytes/],
      [{ size: 8, label: "x".repeat(250) }, TypeError, /label must be a string of 1 to 249 bytes/],
      [{ size: 8, label: "a\0b" }, TypeError, /label must be .* without NUL/],
      [{ size: 8, seal: "shrink" }, TypeError, /seal must be an array of "shrink", .*"shrink"$/],
      [{ size: 8, seal: ["exec"] }, TypeError, /seal must be an array .* received "exec"/],
      [{ size: 8, seal: ["write"] }, TypeError, /seal must not have "write".*freeze\(\)/],
      [{ size: 8, reserve: 1 }, TypeError, /reserve must be true or false/],
    ];
    for (const [options, type, message] of cases) {
      expectError(() => anonymous(options), type, message);
    }
  });

  test("refuses more than there is, and kills nobody for it", () => {
    expectShmError(
      () => SharedSegment.anonymous({ size: 2 ** 46 }),
      "ENOMEM",
      /It needs 70368744177664 bytes and \d+ are free on this machine .* { reserve: false }/,
    );
    // Address space ends earlier than that: an error, too.
    expectShmError(
      () => SharedSegment.anonymous({ size: 2 ** 52, reserve: false }),
      "ENOMEM",
      /ENOMEM from mmap/,
    );
  });

  for (const runtime of RUNTIMES) {
    test(`reaches ${runtime.name} as an inherited descriptor`, async () => {
      using segment = SharedSegment.anonymous({ size: 5001, seal: ["shrink", "grow"] });
      segment.bytes[5000] = 7;
      // The shell opens it, and what it starts inherits it, as from a parent.
      const inherit = ["bash", "-c", 'exec 9<>"$0" && exec "$@"', segment.path];
      const options = { wrapper: inherit };
      const output = await runPeer(runtime, "use_descriptor.ts", [9], options);
      expect(output).toBe("memfd shmkit 5001 shrink,grow 7\n");
      expect(segment.bytes[5000]).toBe(8);
      // The peer closed its own copy only: the inherited one was still open.
    });
  }

  test("ends with the last process that has it", async () => {
    await using peer = startPeer(HOST_WITH_FILES, "hold_anonymous.ts");
    const path = await peer.line();
    const segment = SharedSegment.openFile(path);
    expect(segment.bytes[0]).toBe(1);
    peer.kill("SIGKILL");
    await peer.exit();
    expect(segment.bytes[0]).toBe(1);
    segment.close();
    expectShmError(
      () => SharedSegment.openFile(path),
      "ENOENT",
      /Check the path, or have SharedSegment\.openFile\(\) create it/,
    );
  });
});

describe("SharedSegment.fromDescriptor()", () => {
  test("maps what it is given, and leaves the descriptor alone", () => {
    using segment = SharedSegment.anonymous({ size: 100 });
    using given = new Descriptor(segment.path, "r+");
    const same = SharedSegment.fromDescriptor(given.fd);
    expect(same.fd).not.toBe(given.fd);
    segment.bytes[99] = 5;
    expect([same.bytes[99], same.created, same.kind, same.size]).toEqual([5, false, "memfd", 100]);
    same.close();
    writeSync(given.fd, "x");
    expect(segment.bytes[0]).toBe("x".charCodeAt(0));
  });

  test("maps files and named segments, too", () => {
    using named = SharedSegment.create(uniqueName(), { size: 100 });
    using given = new Descriptor(named.path, "r+");
    using same = SharedSegment.fromDescriptor(given.fd);
    same.bytes[0] = 9;
    expect([named.bytes[0], same.kind, same.name, same.path])
      .toEqual([9, "file", named.path, named.path]);
  });

  test("reads with a descriptor that may only read", () => {
    using segment = SharedSegment.anonymous({ size: 100 });
    using given = new Descriptor(segment.path, "r");
    expectShmError(
      () => SharedSegment.fromDescriptor(given.fd),
      "EACCES",
      /descriptor \d+: the descriptor is not open for reading and writing\. Open it with { readonly/,
    );
    using reader = SharedSegment.fromDescriptor(given.fd, { readonly: true });
    segment.bytes[4] = 1;
    expect(reader.getInt32(4)).toBe(1);
  });

  test("refuses what is no memory", () => {
    using directory = new Descriptor("/tmp", "r");
    using device = new Descriptor("/dev/null", "r+");
    for (const { fd } of [directory, device]) {
      for (const readonly of [true, false]) {
        expectShmError(
          () => SharedSegment.fromDescriptor(fd, { readonly }),
          "ERR_SHM_KIND",
          /it belongs to a (directory|character device)/,
        );
      }
    }
    expectShmError(() => SharedSegment.fromDescriptor(987654), "EBADF", /There is no such/);
    const fromDescriptor = SharedSegment.fromDescriptor as (fd: unknown) => unknown;
    expectError(() => fromDescriptor("3"), TypeError, /fd must be an integer from 0 .* "3"/);
    expectError(() => fromDescriptor(-1), RangeError, /fd must be an integer from 0 .* -1/);
    expectError(() => fromDescriptor(1.5), RangeError, /fd must be an integer from 0 .* 1.5/);
  });

  test("refuses what is empty", () => {
    using segment = SharedSegment.anonymous({ size: 100 });
    using given = new Descriptor(segment.path, "r+");
    using second = SharedSegment.fromDescriptor(given.fd);
    second.close();
    segment.close();
    ftruncateSync(given.fd, 0);
    expectShmError(() => SharedSegment.fromDescriptor(given.fd), "ERR_SHM_SIZE", /it is empty/);
  });

  for (const way of ["fromDescriptor", "openFile"] as const) {
    test(`demands seals (${way})`, () => {
      using segment = SharedSegment.anonymous({ size: 100, seal: ["shrink"] });
      const open = (seals: readonly Seal[]) =>
        way === "openFile"
          ? SharedSegment.openFile(segment.path, { seals })
          : SharedSegment.fromDescriptor(segment.fd, { seals });
      open(["shrink"]).close();
      const demand = (...seals: Seal[]) =>
        expectShmError(
          () => open(seals),
          "ERR_SHM_TRUST",
          new RegExp(`it is not sealed against ${seals.at(-1)} \\(its seals: shrink\\)`),
        );
      demand("grow");
      demand("shrink", "write");
      const seals = ["all"] as unknown as Seal[];
      expectError(() => open(seals), TypeError, /seals must be an array of/);
    });
  }

  test("takes memory with the mode that the kernel gives it, and no deleted file", () => {
    using segment = SharedSegment.anonymous({ size: 100 });
    chmodSync(segment.path, 0o666); // memfd_create(2) leaves this, or 0777
    SharedSegment.fromDescriptor(segment.fd).close();
    SharedSegment.openFile(segment.path).close();

    using named = SharedSegment.create(uniqueName(), { size: 100 });
    chmodSync(named.path, 0o666);
    named.unlink(); // who has opened it before has it still
    for (
      const open of [
        () => SharedSegment.fromDescriptor(named.fd),
        () => SharedSegment.openFile(`/proc/self/fd/${named.fd}`),
      ]
    ) {
      expectShmError(open, "ERR_SHM_TRUST", /every user may write to it \(mode 0o666\)/);
    }
  });

  testWith(
    [OTHER_USERS],
    "believes another user's memory only when nobody can cut it off",
    async () => {
      const receive = async (...seal: Seal[]) => {
        using segment = SharedSegment.anonymous({ size: 64, seal });
        const inherit = ["bash", "-c", 'exec 9<>"$0" && exec "$@"', segment.path];
        const args = ["65534", "descriptor", "9"];
        return await runPeer(HOST, "act_as.ts", args, { wrapper: inherit });
      };
      expect(await receive()).toMatch(/^ERR_SHM_TRUST .* owned by user 0/);
      expect(await receive("grow")).toMatch(/^ERR_SHM_TRUST .* owned by user 0/);
      expect(await receive("shrink")).toBe("done\n");
    },
  );
});

test("no descriptor of the library is inherited by chance", () => {
  const isKept = (fd: number) => {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const O_CLOEXEC = 0o2000000;
    return (Number.parseInt(/^flags:\s+(\d+)$/m.exec(text)?.[1] ?? "", 8) & O_CLOEXEC) !== 0;
  };
  using named = SharedSegment.create(uniqueName(), { size: 64 });
  using anonymous = SharedSegment.anonymous({ size: 64 });
  using frozen = SharedSegment.anonymous({ size: 64 }).freeze();
  const opened = [
    SharedSegment.open(named.name),
    SharedSegment.openFile(named.path),
    SharedSegment.fromDescriptor(anonymous.fd),
    SharedSegment.fromDescriptor(anonymous.fd, { readonly: true }),
  ];
  for (const each of [named, anonymous, frozen, ...opened]) expect(isKept(each.fd)).toBe(true);
  for (const each of opened) each.close();
});

describe("a seal", () => {
  test("against shrinking and growing holds for everybody", () => {
    using segment = SharedSegment.anonymous({ size: 8192 });
    using given = new Descriptor(segment.path, "r+");
    segment.seal("shrink");
    expect(segment.seals).toEqual(["shrink"]);
    segment.resize(10_000);
    expect(segment.size).toBe(10_000);
    expectShmError(() => segment.resize(4096), "EPERM", /it is sealed against shrinking/);
    expect(() => ftruncateSync(given.fd, 4096)).toThrow(/EPERM|not permitted/);
    segment.seal("grow", "seal");
    expect(segment.seals).toEqual(["shrink", "grow", "seal"]);
    expectShmError(() => segment.resize(20_000), "EPERM", /it is sealed against growing/);
    expect(() => ftruncateSync(given.fd, 20_000)).toThrow(/EPERM|not permitted/);
    expectShmError(() => segment.seal("futureWrite"), "EPERM", /sealed with "seal"/);
    expect(segment.bytes.length).toBe(10_000);
  });

  test("against future writing leaves its maker the only writer", () => {
    using segment = SharedSegment.anonymous({ size: 100, seal: ["shrink", "grow", "futureWrite"] });
    segment.bytes[0] = 1;
    const sealed = /sealed against being mapped for writing .* { readonly: true }/;
    expectShmError(() => SharedSegment.openFile(segment.path), "EPERM", sealed);
    expectShmError(() => SharedSegment.fromDescriptor(segment.fd), "EPERM", sealed);
    expectShmError(() => segment.resize(50), "EPERM", /against shrinking and being mapped/);
    using given = new Descriptor(segment.path, "r+");
    expect(() => writeSync(given.fd, "x")).toThrow(/EPERM|not permitted/);
    using reader = SharedSegment.openFile(segment.path, { readonly: true });
    segment.bytes[0] = 2;
    expect([reader.getUint8(0), reader.seals]).toEqual([2, ["shrink", "grow", "futureWrite"]]);
  });

  test("against writing is refused while anybody can write", () => {
    using segment = SharedSegment.anonymous({ size: 100 });
    expectShmError(() => segment.seal("write"), "EBUSY", /it is in use .*use freeze\(\)/);
    expect(segment.seals).toEqual([]);
    expectError(() => segment.seal("x" as Seal), TypeError, /seals must be an array of/);
  });

  test("that came too late is not shown", () => {
    using writer = SharedSegment.anonymous({ size: 8192 });
    using reader = SharedSegment.openFile(writer.path, { readonly: true });
    writer.resize(4096);
    writer.seal("shrink");
    expectShmError(
      () => reader.seals,
      "ERR_SHM_SIZE",
      /8192 bytes of it were there, and only 4096 are left\. Call refresh\(\)/,
    );
    expect([reader.refresh(), reader.seals, reader.size]).toEqual([true, ["shrink"], 4096]);
  });

  test("is for anonymous memory", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 100 });
    expect(segment.seals).toEqual([]);
    expectShmError(() => segment.seal("grow"), "ERR_SHM_KIND", /only anonymous memory can be/);
    expectShmError(() => segment.freeze(), "ERR_SHM_KIND", /only anonymous memory can be sealed/);
    segment.bytes[0] = 1; // still there
  });
});

describe("SharedSegment.prototype.freeze()", () => {
  test("ends all change, of bytes and size, for everybody", () => {
    const writer = SharedSegment.anonymous({ size: 100 });
    const { bytes } = writer;
    bytes.fill(7);
    const window = writer.window(10, 10);
    const path = writer.path;
    using frozen = writer.freeze();
    expect([writer.closed, bytes.length, window.closed]).toEqual([true, 0, true]);
    expectShmError(() => writer.bytes, "ERR_SHM_CLOSED", /closed/);
    expect(frozen.copy()).toEqual(new Uint8Array(100).fill(7));
    expect(frozen.seals).toEqual(["shrink", "grow", "write", "seal"]);
    expect([frozen.size, frozen.name, frozen.kind]).toEqual([100, "shmkit", "memfd"]);
    expect(frozen.path).not.toBe(path);

    using reader = SharedSegment.openFile(frozen.path, { readonly: true });
    using demanding = SharedSegment.fromDescriptor(frozen.fd, {
      readonly: true,
      seals: ["shrink", "grow", "write", "seal"],
    });
    expect([reader.getUint8(99), demanding.getUint8(99)]).toEqual([7, 7]);
    expectShmError(
      () => SharedSegment.openFile(frozen.path),
      "EPERM",
      /it is sealed against writing .* Open it with { readonly: true }/,
    );
    using given = new Descriptor(frozen.path, "r+");
    expect(() => writeSync(given.fd, "x")).toThrow(/EPERM|not permitted/);
    expect(() => ftruncateSync(given.fd, 10)).toThrow(/EPERM|not permitted/);
    expect(() => ftruncateSync(given.fd, 1000)).toThrow(/EPERM|not permitted/);
  });

  test("changes nothing but the views while somebody else can write", () => {
    using writer = SharedSegment.anonymous({ size: 100 });
    const { bytes } = writer;
    bytes.fill(7);
    const second = SharedSegment.fromDescriptor(writer.fd);
    const descriptors = readdirSync("/proc/self/fd").length;
    expectShmError(() => writer.freeze(), "EBUSY", /when every other writer has closed it/);
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors);
    expect([writer.closed, bytes.length, writer.seals]).toEqual([false, 0, []]);
    writer.bytes[0] = 8;
    expect(second.bytes.subarray(0, 2)).toEqual(new Uint8Array([8, 7]));
    second.close();
    using frozen = writer.freeze();
    expect(frozen.copy(0, 2)).toEqual(new Uint8Array([8, 7]));
  });

  test("changes nothing when no seal can be added any more", () => {
    using writer = SharedSegment.anonymous({ size: 100, seal: ["futureWrite", "seal"] });
    const { bytes } = writer;
    bytes[0] = 7;
    expectShmError(() => writer.freeze(), "EPERM", /sealed with "seal": nothing can be added/);
    expect([writer.closed, writer.bytes === bytes, bytes[0]]).toEqual([false, true, 7]);
  });

  test("ends a handle that could not be mapped for writing once more", () => {
    const writer = SharedSegment.anonymous({ size: 100 });
    const { fd } = writer;
    using second = SharedSegment.fromDescriptor(fd);
    writer.seal("futureWrite");
    expectShmError(
      () => writer.freeze(),
      "EBUSY",
      /Somebody else has it mapped .* This handle is closed: with "futureWrite", it could not be/,
    );
    expect(writer.closed).toBe(true);
    expectShmError(() => writer.bytes, "ERR_SHM_CLOSED", /closed/);
    expect(() => fstatSync(fd)).toThrow(/EBADF|bad file descriptor/i);
    second.bytes[99] = 8;
    using frozen = second.freeze();
    expect([frozen.getUint8(99), second.closed]).toEqual([8, true]);
  });

  test("takes the size that peers have left", () => {
    for (const size of [4096, 12_288]) {
      const writer = SharedSegment.anonymous({ size: 8192 });
      using given = new Descriptor(writer.path, "r+");
      ftruncateSync(given.fd, 0);
      const before = readdirSync("/proc/self/fd").length;
      expectShmError(() => writer.freeze(), "ERR_SHM_SIZE", /it is empty/);
      expect([writer.closed, readdirSync("/proc/self/fd").length]).toEqual([false, before]);
      ftruncateSync(given.fd, size);
      using frozen = writer.freeze();
      expect([frozen.size, frozen.getUint8(size - 1)]).toEqual([size, 0]);
      expectError(() => frozen.getUint8(size), RangeError, /from 0 to/);
    }
  });

  for (const runtime of [HOST, ...OTHERS]) {
    test(`waits for a writer in ${runtime.name} to end, by its death too`, async () => {
      using writer = SharedSegment.anonymous({ size: 64 });
      await using peer = new Peer([
        ...runtime.command,
        `${import.meta.dirname}/peers/hold_file.ts`,
        writer.path,
      ]);
      expect(await peer.line()).toBe("open");
      expectShmError(() => writer.freeze(), "EBUSY", /in use/);
      peer.kill("SIGKILL");
      await peer.exit();
      using frozen = writer.freeze();
      expect(frozen.getUint8(0)).toBe(1);
    });
  }
});
