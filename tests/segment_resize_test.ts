/** resize() and refresh(): one side changes the size, the others follow. */

import { describe, expect, test } from "bun:test";
import { SharedSegment, ShmError, type ShmErrorCode } from "../mod.ts";
import { temporaryDirectory } from "./support/c.ts";
import { MOUNT_NAMESPACE, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { runPeer, startPeer } from "./support/peers.ts";
import { HOST, OTHERS } from "./support/runtimes.ts";

cleanUpNames();

function expectShmError(body: () => unknown, code: ShmErrorCode, message: RegExp): void {
  expect(expectError(body, ShmError, message).code).toBe(code);
}

const KINDS: Readonly<Record<string, (size: number) => [SharedSegment, () => SharedSegment]>> = {
  "a named segment": (size) => {
    const segment = SharedSegment.create(uniqueName(), { size, lifetime: "creator" });
    return [segment, () => SharedSegment.open(segment.name)];
  },
  "anonymous memory": (size) => {
    const segment = SharedSegment.anonymous({ size });
    return [segment, () => SharedSegment.fromDescriptor(segment.fd)];
  },
  "a file": (size) => {
    const path = `${temporaryDirectory()}/file`;
    return [
      SharedSegment.openFile(path, { create: true, size }),
      () => SharedSegment.openFile(path),
    ];
  },
};

for (const [title, make] of Object.entries(KINDS)) {
  describe(`resize() of ${title}`, () => {
    test("grows with zeros, keeps the bytes, and empties the views of before", () => {
      const [segment, open] = make(100);
      using _segment = segment;
      using peer = open();
      const { bytes } = segment;
      const words = segment.view(Int32Array);
      bytes.fill(7);
      segment.resize(100_000);
      expect([bytes.length, words.length, segment.size]).toEqual([0, 0, 100_000]);
      expect(segment.bytes.subarray(0, 101)).toEqual(Uint8Array.from([...Array(100).fill(7), 0]));
      expect(segment.bytes.indexOf(7, 100)).toBe(-1);
      expect(segment.stat().residentBytes).toBeGreaterThan(99_999); // reserved
      segment.bytes[99_999] = 9;

      expect([peer.size, peer.bytes.length]).toEqual([100, 100]); // until it asks
      const before = peer.bytes;
      expect(peer.refresh()).toBe(true);
      expect([before.length, peer.size, peer.bytes[99_999]]).toEqual([0, 100_000, 9]);
      const now = peer.bytes;
      expect(peer.refresh()).toBe(false);
      expect(peer.bytes).toBe(now);
    });

    test("cuts off, keeps the rest, and gives zeros when it grows again", () => {
      const [segment, open] = make(100_000);
      using _segment = segment;
      using peer = open();
      segment.bytes.fill(7);
      segment.resize(5000);
      expect([segment.size, segment.bytes.length, segment.bytes[4999]]).toEqual([5000, 5000, 7]);
      expect(peer.refresh()).toBe(true);
      expect(peer.size).toBe(5000);
      peer.resize(10_000);
      expect(peer.bytes.subarray(5000).every((byte) => byte === 0)).toBe(true);
      expect(segment.refresh()).toBe(true);
      expect(segment.bytes.length).toBe(10_000);
    });

    test("to the size that it has does nothing to the views", () => {
      const [segment] = make(100);
      using _segment = segment;
      const { bytes } = segment;
      segment.resize(100);
      expect(segment.bytes).toBe(bytes);
      expect(bytes.length).toBe(100);
    });

    test("ends windows", () => {
      const [segment] = make(100_000);
      using _segment = segment;
      const window = segment.window(50_000, 100);
      segment.resize(100_001);
      expectShmError(() => window.bytes, "ERR_SHM_CLOSED", /window of/);
      expect(segment.window(50_000, 100).bytes.length).toBe(100);
    });
  });
}

describe("resize()", () => {
  test("refuses bad sizes", () => {
    using segment = SharedSegment.anonymous({ size: 64 });
    for (const size of [0, -1, 1.5, NaN, Infinity]) {
      expectError(() => segment.resize(size), RangeError, /size must be an integer from 1 to/);
    }
    expectError(() => segment.resize("9" as never), TypeError, /size must be a number of bytes/);
    const { bytes } = segment;
    expectShmError(() => segment.resize(2 ** 45), "ENOMEM", /bytes and \d+ are free/);
    expect([segment.size, segment.bytes === bytes]).toEqual([64, true]);
    segment.close();
    expectShmError(() => segment.resize(10), "ERR_SHM_CLOSED", /closed/);
    expectShmError(() => segment.refresh(), "ERR_SHM_CLOSED", /closed/);
  });

  test("that is to grow never cuts off what a peer has added", () => {
    using segment = SharedSegment.anonymous({ size: 4096 });
    using peer = SharedSegment.fromDescriptor(segment.fd);
    peer.resize(12_288);
    peer.bytes[12_287] = 7;
    segment.resize(8192);
    expect([segment.size, peer.stat().size, segment.bytes[12_287]]).toEqual([12_288, 12_288, 7]);
  });

  test("is followed by readers", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64, lifetime: "creator" });
    using reader = SharedSegment.open(segment.name, { readonly: true });
    expect(reader.getUint8(63)).toBe(0);
    segment.resize(4097);
    segment.bytes[4096] = 5;
    expectError(
      () => reader.getUint8(4096),
      RangeError,
      /byteOffset must be an integer from 0 to 63/,
    );
    expect([reader.refresh(), reader.refresh(), reader.size]).toEqual([true, false, 4097]);
    expect(reader.getUint8(4096)).toBe(5);
  });

  test("of two that grow at once, the larger wins", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 4096 });
    const peers = [HOST, ...OTHERS].map((runtime, index) =>
      runPeer(runtime, "grow.ts", [segment.name, 1000, 4096 + index])
    );
    await Promise.all(peers); // each fails when the size is ever less than what it asked for
    expect(segment.refresh()).toBe(true);
    expect(segment.size).toBe(4096 + 2 + 999 * 4096);
  });

  testWith([MOUNT_NAMESPACE], "changes nothing when memory is short", async () => {
    const script = 'mount -t tmpfs -o size=4m tmpfs /dev/shm && exec "$@"';
    const wrapper = ["unshare", "-m", "sh", "-c", script, "sh"];
    const output = await runPeer(HOST, "grow_too_far.ts", [uniqueName()], { wrapper });
    expect(output).toBe("ENOSPC 4096 4096 true 4096\n");
    expect(ownFiles()).toEqual([]);
  });

  for (const runtime of [HOST, ...OTHERS]) {
    test(`survives a kill at any time (${runtime.name})`, async () => {
      for (let round = 0; round < 5; round++) {
        using segment = SharedSegment.create(uniqueName(), { size: 4096, lifetime: "creator" });
        await using peer = startPeer(runtime, "grow_and_shrink_forever.ts", [segment.name]);
        expect(await peer.line()).toBe("started");
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        peer.kill("SIGKILL");
        await peer.exit();
        segment.refresh();
        segment.bytes.fill(1);
        expect([4096, 100_000]).toContain(segment.size);
      }
    });
  }
});
