/** window(): parts of memory that is larger than an ArrayBuffer, or than should be seen at once. */

import { describe, expect, test } from "bun:test";
import { SharedSegment, ShmError, type ShmErrorCode, SystemVSegment } from "../mod.ts";
import { temporaryDirectory } from "./support/c.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { collectUntil, HOST } from "./support/runtimes.ts";
import { cleanUpSegments } from "./support/systemv.ts";

cleanUpNames();
cleanUpSegments();

const GIB = 2 ** 30;
const SIZE = 6 * GIB + 5;

function expectShmError(body: () => unknown, code: ShmErrorCode, message: RegExp): void {
  expect(expectError(body, ShmError, message).code).toBe(code);
}

/** Sparse memory of 6 GiB, twice: the same bytes through two handles, and for reading. */
const KINDS = {
  "a named segment": () => {
    const options = { size: SIZE, reserve: false, lifetime: "creator" } as const;
    const writer = SharedSegment.create(uniqueName(), options);
    const { name } = writer;
    return [
      writer,
      SharedSegment.open(name, { reserve: false }),
      SharedSegment.open(name, { readonly: true, reserve: false }),
    ] as const;
  },
  "anonymous memory": () => {
    const writer = SharedSegment.anonymous({ size: SIZE, reserve: false });
    return [
      writer,
      SharedSegment.fromDescriptor(writer.fd, { reserve: false }),
      SharedSegment.fromDescriptor(writer.fd, { readonly: true, reserve: false }),
    ] as const;
  },
  "a file": () => {
    const path = `${temporaryDirectory()}/sparse`;
    const options = { create: true, size: SIZE, reserve: false } as const;
    return [
      SharedSegment.openFile(path, options),
      SharedSegment.openFile(path, { reserve: false }),
      SharedSegment.openFile(path, { readonly: true, reserve: false }),
    ] as const;
  },
  "a System V segment": () => {
    const writer = SystemVSegment.create({ size: SIZE, lifetime: "lastDetach" });
    return [
      writer,
      SystemVSegment.open({ id: writer.id }),
      SystemVSegment.open({ id: writer.id }, { readonly: true }),
    ] as const;
  },
};

for (const [title, make] of Object.entries(KINDS)) {
  describe(`windows of 6 GiB of ${title}`, () => {
    test("reach every byte, and the same as others see", () => {
      const [one, two, three] = make();
      using writer = one;
      using peer = two;
      using reader = three;
      for (const byteOffset of [0, 1, 4095, 4096, 4 * GIB - 3, 4 * GIB + 1, 5 * GIB, SIZE - 7]) {
        using window = writer.window(byteOffset, 7);
        expect([window.byteOffset, window.size, window.bytes.length]).toEqual([byteOffset, 7, 7]);
        window.bytes.set([1, 2, 3, 4, 5, 6, 7]);
        using same = peer.window(byteOffset, 7);
        expect(same.bytes).toEqual(new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
        using read = reader.window(byteOffset, 7);
        expect(read.copy()).toEqual(same.bytes);
        expect([read.getUint8(6), read.getInt32(2), read.byteOffset])
          .toEqual([7, 0x06050403, byteOffset]);
        expect(read.unsafeBytes.length).toBe(7);
        window.bytes.fill(0);
      }
      using large = writer.window(3 * GIB, 3 * GIB + 5);
      large.bytes[3 * GIB + 4] = 77;
      using last = peer.window(SIZE - 1, 1);
      expect(last.bytes[0]).toBe(77);
    });

    test("are what is left where an ArrayBuffer ends", () => {
      const [one, two, three] = make();
      using writer = one;
      using _peer = two;
      using reader = three;
      if (HOST.name === "bun") {
        const rule =
          /must fit into one ArrayBuffer .* 4294967296: use window\(byteOffset, byteLength\)/;
        expectError(() => writer.bytes, RangeError, rule);
        expectError(() => reader.getUint8(0), RangeError, rule);
        expectError(() => writer.window(0, 5 * GIB).bytes, RangeError, rule);
      } else {
        writer.bytes[SIZE - 1] = 5;
        expect(reader.getUint8(SIZE - 1)).toBe(5);
      }
    });

    test("are aligned as the memory is", () => {
      const [one, two, three] = make();
      using writer = one;
      using _peer = two;
      using reader = three;
      using window = writer.window(4 * GIB + 4, 100);
      Atomics.store(window.view(Int32Array), 1, 42); // at 4 GiB + 8
      using aligned = writer.window(4 * GIB + 8, 8);
      expect(Atomics.load(aligned.view(BigInt64Array), 0)).toBe(42n);
      expectError(
        () => window.view(Float64Array),
        RangeError,
        /byteOffset plus 4, where the window starts, must be a multiple of 8 for Float64Array, rec/,
      );
      expect(window.view(BigInt64Array, 4, 1)[0]).toBe(42n);
      using read = reader.window(4 * GIB + 4, 100);
      expect([read.loadInt32(4), read.loadBigInt64(4), read.getBigInt64(4)]).toEqual([
        42,
        42n,
        42n,
      ]);
      expectError(
        () => read.loadBigInt64(0),
        RangeError,
        /byteOffset plus 4, where the window starts, must be a multiple of 8, received 0/,
      );
      expect(read.getFloat64(1)).toBeGreaterThan(0); // not aligned, and read all the same
    });
  });
}

describe("window()", () => {
  test("refuses what is not within", () => {
    using segment = SharedSegment.anonymous({ size: 100 });
    const window = segment.window.bind(segment) as (...args: unknown[]) => unknown;
    const cases: [unknown, unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      [-1, 5, RangeError, /Cannot open a window of .*byteOffset must be an integer from 0 to 100/],
      [101, 5, RangeError, /byteOffset must be an integer from 0 to 100, received 101/],
      [0, 0, RangeError, /byteLength must be at least 1, received 0/],
      [0, 101, RangeError, /byteLength must be an integer from 0 to 100, received 101/],
      [99, 2, RangeError, /byteLength must be an integer from 0 to 1, received 2/],
      [1.5, 1, RangeError, /byteOffset must be an integer/],
      ["1", 1, TypeError, /byteOffset must be an integer .* "1"/],
      [1, 1n, TypeError, /byteLength must be an integer .* 1n/],
    ];
    for (const [byteOffset, byteLength, type, message] of cases) {
      expectError(() => window(byteOffset, byteLength), type, message);
    }
  });

  test("refuses what a peer has cut off", () => {
    using segment = SharedSegment.anonymous({ size: 10_000 });
    using peer = SharedSegment.fromDescriptor(segment.fd);
    peer.resize(5000);
    expectShmError(
      () => segment.window(4999, 2),
      "ERR_SHM_SIZE",
      /5001 bytes of it were there, and only 5000 are left\. Call refresh\(\)/,
    );
    expect(segment.window(4999, 1).bytes.length).toBe(1);
  });

  test("keeps to its part", () => {
    using segment = SharedSegment.anonymous({ size: 10_000 });
    using window = segment.window(4000, 200);
    expectError(() => window.view(Uint8Array, 0, 201), RangeError, /length must be an integer/);
    expectError(() => window.view(Uint8Array, 201), RangeError, /byteOffset must be an integer/);
    expect(window.view(DataView).byteLength).toBe(200);
    window.flush();
    window.advise("willNeed", 100, 100);
    expectError(
      () => window.flush(0, 201),
      RangeError,
      /byteLength must be an integer from 0 to 200/,
    );
  });

  test("ends with the segment, and may end before", () => {
    const segment = SharedSegment.anonymous({ size: 10_000 });
    const [one, two] = [segment.window(0, 10), segment.window(5000, 10)];
    const [first, second] = [one.bytes, two.bytes];
    one.close();
    one.close();
    expect([one.closed, first.length, second.length, segment.closed]).toEqual([true, 0, 10, false]);
    expectShmError(() => one.view(Uint8Array), "ERR_SHM_CLOSED", /window of anonymous segment/);
    segment.close();
    expect([two.closed, second.length]).toEqual([true, 0]);
    expectShmError(() => segment.window(0, 10), "ERR_SHM_CLOSED", /closed/);
  });

  test("is not kept by the segment when it is closed", async () => {
    using segment = SharedSegment.anonymous({ size: 2 ** 20 });
    let collected = 0;
    const registry = new FinalizationRegistry<undefined>(() => collected++);
    for (let index = 0; index < 200; index++) {
      using window = segment.window(index * 4096, 4096);
      window.bytes[0] = 1;
      registry.register(window.bytes.buffer, undefined);
    }
    expect(await collectUntil(() => collected > 100)).toBe(true);
  });
});
