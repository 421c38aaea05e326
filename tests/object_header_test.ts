/**
 * What an object says about itself is not believed: whatever stands there, open() gives the object or a
 * typed error.
 */

import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { type Infer, SharedObject, ShmError, t } from "../mod.ts";
import { fingerprintOfText } from "../layout/fingerprint.ts";
import { crc32 } from "../memory/objects/crc32.ts";
import {
  decodeTrailer,
  encodeTrailer,
  placesOf,
  shapeFor,
  type Trailer,
} from "../memory/objects/trailer.ts";
import { SEED } from "./support/layouts.ts";
import { cleanUpNames, openFiles, ownFiles, uniqueName } from "./support/names.ts";

cleanUpNames();

const Sample = t.struct("Sample", {
  id: t.u32,
  place: t.array(t.f64, 2),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  inner: t.struct("Inner", { text: t.cstring(5), raw: t.bytes(3) }),
});
const initial = { id: 7, place: [1, 2], team: "blue", inner: { text: "ada" } } as const;

const TRAILER = 64;
/** The most that a file is made: what is opened is filled with memory. */
const MAX_FILE = 2 ** 20;

type Bytes = Uint8Array<ArrayBuffer>;

let pristine: Bytes;
let trailer: Trailer;
let schema: Bytes;
let value: Infer<typeof Sample>;

beforeAll(() => {
  using object = SharedObject.create(uniqueName(), Sample, initial, { participants: 3 });
  pristine = new Uint8Array(readFileSync(`/dev/shm/${object.name}`));
  value = object.snapshot();
  object.unlink();
  trailer = decodeTrailer(pristine.slice(-TRAILER), pristine.length) as Trailer;
  const at = placesOf(trailer).schema;
  schema = pristine.slice(at, at + trailer.schemaByteLength);
  console.log(`mutations of headers: SHMKIT_SEED=${SEED}`);
});

/** A file of the shared-memory directory that has other bytes again and again. */
class Target {
  readonly name: string = uniqueName();
  readonly #path: string = `/dev/shm/${this.name}`;
  #fd: number | undefined;
  /** What came of it, and how often. */
  readonly outcomes: Map<string, number> = new Map();

  /** Puts bytes there, and zeros behind them, and opens and describes that. */
  try(bytes: Uint8Array, byteLength: number = bytes.length): string {
    this.#fd ??= openSync(this.#path, "w", 0o600);
    ftruncateSync(this.#fd, byteLength < bytes.length ? byteLength : bytes.length);
    writeSync(this.#fd, bytes, 0, Math.min(bytes.length, byteLength), 0);
    if (byteLength > bytes.length) ftruncateSync(this.#fd, byteLength);
    const described = this.#guard(() => {
      const layout = SharedObject.layoutOf(this.name);
      layout.toC();
      return "described";
    });
    const opened = this.#guard(() => {
      using object = SharedObject.open(this.name, Sample);
      expect(object.snapshot()).toEqual(value);
      return object.foreign ? "foreign" : "equal";
    });
    // One that is not attached, and goes with the last who is, has gone now.
    if (opened === "ENOENT") this.close();
    const outcome = `${opened} ${described}`;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    return opened;
  }

  #guard(body: () => string): string {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof ShmError)) throw error;
      return error.code;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

const target = new Target();
afterEach(() => target.close());

/** Puts the parts together, with the right checksum. */
function assemble(parts: Partial<Trailer>, text: Bytes = schema, poke?: [number, number]): Bytes {
  const { length } = text;
  const whole: Trailer = { ...trailer, schemaByteLength: length, ...parts };
  const places = placesOf(whole);
  const size = Math.min(places.byteLength, MAX_FILE);
  const bytes = new Uint8Array(size);
  bytes.set(pristine.subarray(0, Math.min(size, trailer.payloadByteLength)));
  if (places.schema + length <= size) bytes.set(text, places.schema);
  const seal = encodeTrailer(whole, text);
  if (poke !== undefined) {
    new DataView(seal.buffer).setUint16(poke[0], poke[1], true);
    new DataView(seal.buffer).setUint32(60, crc32(seal.subarray(0, 60), crc32(text)), true);
  }
  if (size >= TRAILER) bytes.set(seal, size - TRAILER);
  return bytes;
}

const encode = (text: string): Bytes => new TextEncoder().encode(text);
describe("the parts of an object", () => {
  test("do not overlap, and never fill whole pages, as bare structs of other programs do", () => {
    for (const payloadByteLength of [1, 128, 129]) {
      for (let schemaByteLength = payloadByteLength; schemaByteLength < 4400; schemaByteLength++) {
        const shape = shapeFor(payloadByteLength, 1 + schemaByteLength % 1000, schemaByteLength);
        const { slots, readerRows, waiters, schema, trailer, byteLength } = placesOf(shape);
        const starts = [payloadByteLength, slots, readerRows, waiters, schema, trailer, byteLength];
        const isRight = starts.every((each, at) =>
          at === 0 || each >= (starts[at - 1] as number)
        ) &&
          schema + schemaByteLength <= trailer && slots % 128 === 0 && trailer % 8 === 0 &&
          byteLength - trailer === TRAILER && byteLength % 4096 !== 0;
        if (!isRight) throw new Error(`${JSON.stringify(shape)} has parts at ${starts}`);
      }
    }
  });
});

test("a description longer than create() takes is refused before it is read", () => {
  for (const [schemaByteLength, isPossible] of [[2 ** 22, true], [2 ** 22 + 1, false]] as const) {
    const long = { ...trailer, schemaByteLength };
    const { byteLength } = placesOf(long);
    const decoded = decodeTrailer(encodeTrailer(long, new Uint8Array(0)), byteLength);
    expect(decoded !== undefined).toBe(isPossible);
  }
});

describe("an object of which", () => {
  test("one byte is another is refused, for 60,000 of them", () => {
    const before = openFiles();
    const start = trailer.payloadByteLength;
    const description = placesOf(trailer).schema;
    let count = 0;
    for (let at = start; at < pristine.length; at++) {
      const isDescription = at >= description && at < description + schema.length;
      const isTrailer = at >= pristine.length - TRAILER;
      for (let mask = 1; mask < 256; mask += isDescription || isTrailer ? 3 : 64) {
        const bytes = pristine.slice();
        bytes[at] = (bytes[at] as number) ^ mask;
        const opened = target.try(bytes);
        count++;
        if (isTrailer || isDescription) expect(opened).toMatch(/^ERR_SHM_(CORRUPT|LAYOUT|UNSUPP)/);
        else expect(opened).toBe("equal");
      }
    }
    for (; count < 60_000; count++) {
      const bytes = pristine.slice();
      const at = start + (count * 7919) % (bytes.length - start);
      bytes[at] = (bytes[at] as number) ^ (1 + count % 255);
      target.try(bytes);
    }
    target.close();
    expect(openFiles()).toEqual(before);
  });

  test("several bytes are others is refused, or equal", () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 2 ** 16 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 2, maxLength: 12 }), (changes) => {
        const bytes = pristine.slice();
        const start = trailer.payloadByteLength;
        for (const [at, byte] of changes) bytes[start + at % (bytes.length - start)] = byte;
        target.try(bytes);
      }),
      { seed: SEED, numRuns: 15_000 },
    );
  });

  test("the end is cut off, or more follows, is refused or foreign", () => {
    const foreign: number[] = [];
    for (let byteLength = 0; byteLength < 2 * 4096 + 2; byteLength++) {
      if (byteLength === pristine.length) continue;
      const opened = target.try(pristine, byteLength);
      if (opened === "foreign") foreign.push(byteLength);
      else expect(opened).toBe(byteLength === 0 ? "ERR_SHM_SIZE" : "ERR_SHM_LAYOUT");
    }
    expect(foreign).toEqual([Sample.size, 4096]);
  });

  test("the trailer is random, with the right checksum, is refused or equal", () => {
    const sizes = fc.oneof(
      fc.constantFrom(0, 1, 7, 8, 16, 128, 4096, 2 ** 20, 2 ** 26, 2 ** 26 + 8, 2 ** 32 - 8),
      fc.integer({ min: 0, max: 300 }).map((count) => 8 * count),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    );
    const small = fc.integer({ min: 0, max: 2 ** 16 - 1 });
    const sometimes = <T>(arbitrary: fc.Arbitrary<T>, usual: () => T): fc.Arbitrary<T> =>
      fc.oneof({ weight: 2, arbitrary: fc.constant(0).map(usual) }, arbitrary);
    const parts = fc.record({
      kind: sometimes(small, () => trailer.kind),
      lifetime: fc.constantFrom("persist", "creator", "lastDetach"),
      participants: sometimes(
        fc.oneof(fc.constantFrom(0, 1, 2, 1000, 1001), small),
        () => trailer.participants,
      ),
      payloadByteLength: sometimes(
        fc.oneof(sizes, fc.constantFrom(2 ** 53, 2 ** 53 - 1, 2 ** 63)),
        () => trailer.payloadByteLength,
      ),
      slotByteLength: sometimes(sizes, () => trailer.slotByteLength),
      readerRowByteLength: sometimes(sizes, () => trailer.readerRowByteLength),
      waitersByteLength: sometimes(sizes, () => trailer.waitersByteLength),
      schemaByteLength: sometimes(sizes, () => trailer.schemaByteLength),
      fingerprint: sometimes(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((each) => each.toString(16)),
        () => trailer.fingerprint,
      ),
    });
    const poke = fc.option(
      fc.tuple(fc.constantFrom(0, 8, 10, 12), small) as fc.Arbitrary<[number, number]>,
      { nil: undefined, freq: 5 },
    );
    fc.assert(
      fc.property(parts, poke, fc.option(fc.nat(9000), { nil: undefined }), (each, at, size) => {
        const bytes = assemble(each as Partial<Trailer>, schema, at);
        // Sometimes the file has a size of its own, with the trailer at its end.
        if (size === undefined || size < TRAILER) return void target.try(bytes);
        const resized = new Uint8Array(size);
        resized.set(bytes.subarray(0, size));
        resized.set(bytes.subarray(-TRAILER), size - TRAILER);
        const opened = target.try(resized);
        // What it says must fill the file exactly: nothing of it lies outside.
        if (size !== bytes.length) expect(opened).not.toBe("equal");
      }),
      { seed: SEED, numRuns: 15_000 },
    );
  });

  test("the description is another, with the right checksum and fingerprint, is refused", () => {
    const text = new TextDecoder().decode(schema);
    const isSame = (changed: Bytes) => Buffer.compare(changed, schema) === 0;
    const attempt = (changed: Bytes): void => {
      const opened = target.try(assemble({ fingerprint: fingerprintOfText(changed) }, changed));
      if (!isSame(changed)) expect(opened).toMatch(/^ERR_SHM_(CORRUPT|LAYOUT|UNSUPPORTED)$/);
    };
    const parts: unknown[] = [];
    JSON.parse(text, (_, part) => (parts.push(part), part));
    const values = fc.oneof(
      fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 2 ** 31, 2 ** 53, "", "u8", "__proto__", {}),
      fc.constantFrom(...parts),
      fc.jsonValue({ maxDepth: 2 }),
    );
    fc.assert(
      fc.property(fc.nat(parts.length - 1), values, (where, replacement) => {
        let left = where;
        attempt(encode(
          JSON.stringify(
            JSON.parse(text, (_, part) => left-- === 0 ? replacement : part),
          ) ?? "",
        ));
      }),
      { seed: SEED, numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.nat(schema.length - 1), fc.uint8Array({ maxLength: 4 }), (at, inserted) => {
        const changed = [...schema.subarray(0, at), ...inserted, ...schema.subarray(at + 1)];
        attempt(new Uint8Array(changed));
      }),
      { seed: SEED, numRuns: 3_000 },
    );
  });

  test("the description is endlessly deep, or huge, is refused", () => {
    for (
      const text of [
        "[".repeat(100_000),
        '{"kind":"array","length":1,"element":'.repeat(20_000),
        `{"kind":"struct","name":"X","size":1,"alignment":1,"fields":[${"{},".repeat(200_000)}{}]}`,
        JSON.stringify({ ...Sample.describe(), fields: Array(50_000).fill(null) }),
        `"${"x".repeat(900_000)}"`,
      ]
    ) {
      const changed = encode(text);
      const opened = target.try(assemble({ fingerprint: fingerprintOfText(changed) }, changed));
      expect(opened).toMatch(/^ERR_SHM_(CORRUPT|LAYOUT)$/);
    }
  });

  test("more than 100,000 mutations were tried, with every outcome", () => {
    const total = [...target.outcomes.values()].reduce((sum, each) => sum + each, 0);
    console.log(`${total} mutations: ${JSON.stringify(Object.fromEntries(target.outcomes))}`);
    expect(total).toBeGreaterThan(100_000);
    const opened = new Set([...target.outcomes.keys()].map((each) => each.split(" ")[0]));
    for (const code of ["CORRUPT", "LAYOUT", "KIND", "UNSUPPORTED", "SIZE"]) {
      expect([...opened]).toContain(`ERR_SHM_${code}`);
    }
    for (const outcome of ["equal", "foreign", "ENOENT"]) expect([...opened]).toContain(outcome);
    expect(ownFiles()).toEqual([]);
  });
});
