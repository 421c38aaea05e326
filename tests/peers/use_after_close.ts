// Usage: use_after_close.ts CASE NAME FIFO [KIND]
// Does with a segment's bytes, around close(), what must never end the process or reach a later
// segment. Ends with 0 and prints "survived" when nothing of that happened. KIND says what memory it
// is, and how it ends: posix by default.

import { Buffer } from "node:buffer";
import { ok, strictEqual, throws } from "node:assert";
import { randomFill, scrypt } from "node:crypto";
import { closeSync, constants, openSync, read, writeSync } from "node:fs";
import process from "node:process";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { SharedSegment, ShmError, SystemVSegment, type WritableMemory } from "../../mod.ts";
import { collectGarbage } from "../support/runtimes.ts";

const SIZE = 1 << 20;
const [chosen, name, fifo, kind = "posix"] = process.argv.slice(2) as [string, string, string];

const createPosix = () => SharedSegment.create(name, { size: SIZE, lifetime: "creator" });

/** Memory of each kind, of which the bytes end with `close()`. */
const kinds: Record<string, () => Pick<WritableMemory, "bytes" | "view" | "close">> = {
  posix: createPosix,
  memfd: () => SharedSegment.anonymous({ size: SIZE }),
  systemv: () => SystemVSegment.create({ size: SIZE, lifetime: "lastDetach" }),
  "window of memfd": () => {
    const segment = SharedSegment.anonymous({ size: 3 * SIZE });
    const window = segment.window(SIZE, SIZE);
    return {
      bytes: window.bytes,
      view: (...args) => window.view(...args),
      close: () => segment.close(),
    };
  },
  "window of systemv": () => {
    const segment = SystemVSegment.create({ size: 3 * SIZE, lifetime: "lastDetach" });
    const window = segment.window(SIZE, SIZE);
    segment.bytes[0] = 1;
    return {
      bytes: window.bytes,
      view: (...args) => window.view(...args),
      close: () => segment.close(),
    };
  },
  "resized memfd": () => {
    const segment = SharedSegment.anonymous({ size: SIZE });
    const { bytes } = segment;
    return { bytes, view: (...args) => segment.view(...args), close: () => segment.resize(64) };
  },
  "frozen memfd": () => {
    const segment = SharedSegment.anonymous({ size: SIZE });
    const { bytes } = segment;
    return { bytes, view: (...args) => segment.view(...args), close: () => segment.freeze() };
  },
};

const create = kinds[kind] as (typeof kinds)[string];
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A native that finds its buffer gone may throw out of its callback: an error, and no crash. */
const tolerateErrors = () => {
  process.on("uncaughtException", () => {});
  process.on("unhandledRejection", () => {});
};

const isClosed = (error: unknown) => error instanceof ShmError && error.code === "ERR_SHM_CLOSED";

/** Segments that are mapped where a closed one was, with their bytes still zero. */
function expectUntouched(segments: readonly SharedSegment[]): void {
  for (const segment of segments) {
    strictEqual(Buffer.from(segment.bytes).indexOf(Buffer.from([0]), 0), 0);
    ok(segment.bytes.every((byte) => byte === 0), "a later segment was written to");
    segment.close();
  }
}

/** Maps several segments of the same size, so that one gets any range that was given up. */
function createLater(): SharedSegment[] {
  return [0, 1, 2, 3].map((index) =>
    SharedSegment.create(`${name}-${index}`, { size: SIZE, lifetime: "creator" })
  );
}

const cases: Record<string, () => void | Promise<void>> = {
  async views() {
    const segment = createPosix();
    const { bytes } = segment;
    const words = segment.view(Int32Array);
    const data = segment.view(DataView);
    const iterator = bytes[Symbol.iterator]();
    const touch = (index: number) => {
      bytes[index] = 1;
      words[index] = (words[index] as number) + (bytes[index] as number);
      Atomics.add(words, index, 1);
      data.setFloat64(index, data.getFloat64(index) + 1);
    };
    for (let index = 0; index < 200_000; index++) touch(index & 1023);

    segment.close();
    for (let round = 0; round < 3; round++) {
      throws(() => touch(0), TypeError);
      strictEqual(bytes[0], undefined);
      strictEqual(bytes.length, 0);
      strictEqual(words.byteLength, 0);
      bytes[0] = 1;
      throws(() => Atomics.load(words, 0));
      throws(() => Atomics.store(words, 0, 1));
      throws(() => Atomics.compareExchange(words, 0, 0, 1));
      throws(() => data.getUint8(0), TypeError);
      throws(() => data.setUint8(0, 0), TypeError);
      throws(() => data.byteLength, TypeError);
      throws(() => bytes.at(0), TypeError);
      throws(() => bytes.fill(1), TypeError);
      throws(() => bytes.set([1]));
      throws(() => bytes.slice(), TypeError);
      throws(() => iterator.next(), TypeError);
      throws(() => new Uint8Array(bytes.buffer, 8), /TypeError|RangeError/);
      throws(() => segment.bytes, isClosed);
      throws(() => segment.view(Int32Array), isClosed);
      throws(() => segment.stat(), isClosed);
      throws(() => segment.unlink(), isClosed);
      throws(() => segment.fd, isClosed);
      segment.close();
      segment[Symbol.dispose]();
      strictEqual(segment.closed, true);
      strictEqual(segment.size, SIZE);
      strictEqual(segment.name, name);
      collectGarbage();
      await turn();
    }
  },

  async transferred() {
    const segment = create();
    const taken = segment.bytes.buffer.transfer();
    if (kind === "posix") throws(() => segment.bytes, isClosed);
    throws(() => segment.view(Int32Array), isClosed);
    segment.close();
    const later = createLater();
    for (let round = 0; round < 3; round++) {
      new Uint8Array(taken).fill(7);
      collectGarbage();
      await turn();
    }
    strictEqual(new Uint8Array(taken)[SIZE - 1], 7);
    expectUntouched(later);
  },

  async cloned() {
    const segment = create();
    const { buffer } = segment.bytes;
    const taken = structuredClone(buffer, { transfer: [buffer] });
    segment.close();
    const later = createLater();
    new Uint8Array(taken).fill(7);
    collectGarbage();
    await turn();
    new Uint8Array(taken).fill(8);
    expectUntouched(later);
  },

  async byob() {
    const segment = create();
    let source: ReadableByteStreamController | undefined;
    const stream = new ReadableStream({
      type: "bytes",
      start: (controller) => void (source = controller),
    });
    const reader = stream.getReader({ mode: "byob" });
    const reading = reader.read(segment.bytes);
    segment.close();
    const later = createLater();
    collectGarbage();
    await turn();
    source?.enqueue(new Uint8Array(SIZE).fill(7));
    const { value } = await reading;
    strictEqual(value?.[0], 7);
    collectGarbage();
    expectUntouched(later);
  },

  async zlib() {
    tolerateErrors();
    for (let round = 0; round < 20; round++) {
      const segment = create();
      crypto.getRandomValues(segment.bytes.subarray(0, 65536));
      const compressing = promisify(gzip)(segment.bytes).catch(() => undefined);
      segment.close();
      const later = createLater();
      collectGarbage();
      await Promise.race([compressing, turn()]);
      expectUntouched(later);
    }
  },

  async randomFill() {
    tolerateErrors();
    const fill = promisify(randomFill) as (bytes: Uint8Array) => Promise<unknown>;
    for (let round = 0; round < 20; round++) {
      const segment = create();
      const filling = fill(segment.bytes).catch(() => undefined);
      segment.close();
      const later = createLater();
      collectGarbage();
      await Promise.race([filling, turn()]);
      expectUntouched(later);
    }
  },

  // Deno's asynchronous scrypt holds the memory, and not the buffer.
  async scrypt() {
    const derive = promisify(scrypt) as (...args: unknown[]) => Promise<Buffer>;
    const deriveFromClosed = () => {
      const segment = create();
      const [password, salt] = [segment.bytes.subarray(0, 64), segment.bytes.subarray(64, 96)];
      const options = { N: 2 ** 15, r: 8, p: 4, maxmem: 2 ** 30 };
      const derived = derive(password, salt, 64, options);
      segment.close();
      return { derived };
    };
    const { derived } = deriveFromClosed();
    let ended = false;
    void derived.catch(() => {}).then(() => ended = true);
    while (!ended) {
      collectGarbage();
      await turn();
    }
  },

  // Needs a FIFO, whose path is the name.
  async fsRead() {
    const fd = openSync(fifo, constants.O_RDWR);
    /** Only the kernel and the runtime know of the bytes when this has returned. */
    const readIntoClosed = async (): Promise<{ done: Promise<number> }> => {
      const segment = create();
      const { promise, resolve } = Promise.withResolvers<number>();
      read(fd, segment.bytes, 0, 4096, null, (_error, count) => resolve(count));
      await turn(); // it is in the kernel now
      segment.close();
      return { done: promise };
    };
    for (let round = 0; round < 20; round++) {
      const { done } = await readIntoClosed();
      for (let time = 0; time < 3; time++) {
        collectGarbage();
        await turn();
      }
      const later = createLater();
      writeSync(fd, new Uint8Array(4096).fill(7));
      await done;
      expectUntouched(later);
    }
    closeSync(fd);
  },
};

await cases[chosen]?.();
collectGarbage();
await turn();
console.log("survived");
