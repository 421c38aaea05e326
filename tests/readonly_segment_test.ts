import { describe, expect, test } from "bun:test";
import { type Infer, type ReadonlySharedSegment, SharedSegment, ShmError, t } from "../mod.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { runPeer, startPeer, succeed } from "./support/peers.ts";
import { HOST, OTHERS } from "./support/runtimes.ts";

cleanUpNames();

/** A segment of 61 bytes, and a read-only handle of it. */
function makePair(): { writer: SharedSegment; reader: ReadonlySharedSegment } & Disposable {
  const writer = SharedSegment.create(uniqueName(), { size: 61 });
  const reader = SharedSegment.open(writer.name, { readonly: true });
  return {
    writer,
    reader,
    [Symbol.dispose]: () => {
      reader.close();
      writer.close();
    },
  };
}

describe("ReadonlySharedSegment", () => {
  test("reads every kind of number, in the byte order of C", () => {
    using pair = makePair();
    const { writer, reader } = pair;
    const data = writer.view(DataView);
    data.setInt8(1, -2);
    expect(reader.getInt8(1)).toBe(-2);
    expect(reader.getUint8(1)).toBe(254);
    data.setInt16(3, -300, true);
    expect(reader.getInt16(3)).toBe(-300);
    expect(reader.getUint16(3)).toBe(65236);
    data.setInt32(8, -70000, true);
    expect(reader.getInt32(8)).toBe(-70000);
    expect(reader.getUint32(8)).toBe(2 ** 32 - 70000);
    expect(reader.loadInt32(8)).toBe(-70000);
    expect(reader.loadUint32(8)).toBe(2 ** 32 - 70000);
    data.setInt32(12, 5, true);
    expect(reader.loadInt32(12)).toBe(5);
    data.setBigInt64(16, -5n, true);
    expect(reader.getBigInt64(16)).toBe(-5n);
    expect(reader.getBigUint64(16)).toBe(2n ** 64n - 5n);
    expect(reader.loadBigInt64(16)).toBe(-5n);
    expect(reader.loadBigUint64(16)).toBe(2n ** 64n - 5n);
    data.setFloat32(25, 1.5, true);
    expect(reader.getFloat32(25)).toBe(1.5);
    data.setFloat64(33, Math.PI, true);
    expect(reader.getFloat64(33)).toBe(Math.PI);
    data.setInt32(56, 99, true); // the last word of a size that is no multiple of eight
    expect(reader.loadInt32(56)).toBe(99);
  });

  test("copies out", () => {
    using pair = makePair();
    const { writer, reader } = pair;
    writer.bytes.set([1, 2, 3, 4], 57);
    const copy = reader.copy(57);
    expect([...copy]).toEqual([1, 2, 3, 4]);
    expect(reader.copy().length).toBe(61);
    expect(reader.copy(61).length).toBe(0);
    copy[0] = 9; // its own memory
    expect(writer.bytes[57]).toBe(1);
    const target = new Uint16Array([7, 7, 7]);
    expect(reader.copyInto(target.subarray(1), 57)).toEqual(new Uint16Array([0x201, 0x403]));
    expect([...target]).toEqual([7, 0x201, 0x403]);
    expect(reader.unsafeBytes[57]).toBe(1);
    expect(reader.unsafeBytes.length).toBe(61);
  });

  test("reads structs by their layouts, aligned or not", () => {
    const Point = t.struct("Point", { x: t.u8, y: t.f64 });
    using writer = SharedSegment.create(uniqueName(), { size: 64, lifetime: "creator" });
    Point.write(writer.bytes, { x: 1, y: 2.5 }, 3);
    using reader = SharedSegment.open(writer.name, { readonly: true });
    const point: Infer<typeof Point> = reader.read(Point, 3);
    expect(point).toEqual({ x: 1, y: 2.5 });
    expectError(() => reader.read(Point, 49), RangeError, /from 0 to 48/);
    expectError(() => reader.read({} as never), TypeError, /layout must be made by t\.struct/);
  });

  test("tells about itself", () => {
    using pair = makePair();
    const { writer, reader } = pair;
    expect([reader.name, reader.size, reader.closed]).toEqual([writer.name, 61, false]);
    expect(reader.stat().size).toBe(61);
    expect(reader.fd).toBeGreaterThan(2);
  });

  test("refuses what is outside or misaligned", () => {
    using pair = makePair();
    const { reader } = pair;
    const refuse = (body: () => unknown, rule: RegExp) => expectError(body, RangeError, rule);
    refuse(() => reader.getUint8(61), /byteOffset must be an integer from 0 to 60, received 61/);
    refuse(() => reader.getInt32(58), /byteOffset must be an integer from 0 to 57, received 58/);
    refuse(() => reader.getInt32(-1), /received -1/);
    refuse(() => reader.getInt32(0.5), /received 0.5/);
    refuse(() => reader.getInt32(NaN), /received NaN/);
    refuse(() => reader.loadInt32(2), /byteOffset must be a multiple of 4, received 2/);
    refuse(() => reader.loadInt32(60), /byteOffset must be an integer from 0 to 57, received 60/);
    refuse(() => reader.loadBigInt64(56), /byteOffset must be an integer from 0 to 53/);
    refuse(() => reader.copy(0, 62), /byteLength must be an integer from 0 to 61, received 62/);
    refuse(() => reader.copy(4, -1), /byteLength must be .*, received -1/);
    refuse(() => reader.copy(62), /received 62/);
    refuse(() => reader.copy(4, 58), /byteLength must be an integer from 0 to 57, received 58/);
    refuse(() => reader.copyInto(new Uint8Array(62)), /target must have at most 61 bytes/);
    refuse(() => reader.copyInto(new Uint8Array(60), 2), /byteOffset .* from 0 to 1, received 2/);
    const target = {} as Uint8Array;
    expectError(() => reader.copyInto(target), TypeError, /target must be an array or DataView/);
  });

  test("throws after close()", () => {
    using pair = makePair();
    const { reader } = pair;
    const bytes = reader.unsafeBytes;
    reader.getInt32(0);
    reader.loadInt32(0);
    reader.close();
    reader.close();
    expect(reader.closed).toBe(true);
    expect(bytes.length).toBe(0);
    const uses = [
      () => reader.getInt32(0),
      () => reader.loadInt32(0),
      () => reader.loadBigInt64(0),
      () => reader.copy(),
      () => reader.copyInto(new Uint8Array(1)),
      () => reader.unsafeBytes,
      () => reader.stat(),
      () => reader.fd,
    ];
    for (const use of uses) {
      expect(expectError(use, ShmError, /this handle is closed/).code).toBe("ERR_SHM_CLOSED");
    }
  });

  test("throws when its buffer was transferred away, and for what is no number", () => {
    using pair = makePair();
    const { reader } = pair;
    reader.getInt32(0);
    const offsets = [null, true, "", "4", undefined, 4n] as unknown as number[];
    for (const offset of offsets) {
      expectError(() => reader.getInt32(offset), TypeError, /byteOffset must be a number/);
    }
    const { buffer } = reader.unsafeBytes;
    structuredClone(buffer, { transfer: [buffer] });
    const reads = [
      () => reader.getUint8(0),
      () => reader.getUint32(0),
      () => reader.getFloat64(0),
      () => reader.loadInt32(0),
      () => reader.copy(),
    ];
    for (const read of reads) {
      const error = expectError(read, ShmError, /its buffer was transferred away/);
      expect(error.code).toBe("ERR_SHM_CLOSED");
    }
  });

  test("opens what can only be read", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64, mode: 0o400 });
    using reader = SharedSegment.open(segment.name, { readonly: true });
    segment.bytes[0] = 4;
    expect(reader.getUint8(0)).toBe(4);
  });

  test("cannot write: a write to unsafeBytes ends the process with a signal", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    await using peer = startPeer(HOST, "write_readonly.ts", [segment.name]);
    const { signal, code, stdout } = await peer.exit();
    expect(stdout).toBe("writing\n");
    expect(signal ?? code).not.toBe(0);
    expect(segment.bytes[0]).toBe(0);
  });

  for (const writer of OTHERS) {
    test(`sees each change that ${writer.name} makes, over 3 million reads of each kind`, async () => {
      using segment = SharedSegment.create(uniqueName(), { size: 64 });
      await using counter = startPeer(writer, "count_forever.ts", [segment.name], {
        timeoutMs: 110_000,
      });
      const options = { timeoutMs: 100_000 };
      expect(await runPeer(HOST, "read_forever.ts", [segment.name], options)).toBe("ready\ndone\n");
      await succeed(counter);
    });
  }
});
