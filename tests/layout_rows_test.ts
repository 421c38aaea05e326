/**
 * Where fields that need room in the rows of participants have it.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Field, type Fields, type Struct, t } from "../layout/mod.ts";
import { rowOffsetOf } from "../layout/row_offsets.ts";
import { crc32 } from "../memory/objects/crc32.ts";
import { placesOf } from "../memory/objects/trailer.ts";
import type { ObjectHandle } from "../memory/objects/object_handle.ts";
import { SharedObject, SharedSegment, ShmError } from "../mod.ts";
import { expectError } from "./support/errors.ts";
import { SEED } from "./support/layouts.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";

cleanUpNames();

const refuse = (): never => {
  throw new Error("It has no value");
};

type LockField = Field<never, never, ObjectHandle, ObjectHandle>;

/** A field that synchronises, and needs some bytes in each row. */
function lockField(rowByteLength?: number): LockField {
  return {
    kind: "lock",
    size: 16,
    alignment: 4,
    assignable: false,
    plain: false,
    ...(rowByteLength === undefined ? {} : { rowByteLength }),
    describe: () => "lock",
    attach: ({ owner }) => owner as ObjectHandle,
    load: refuse,
    check: refuse,
    store: refuse,
  };
}

const none = lockField();
const lock = lockField(4);
const wide = lockField(12);

const Inner = t.struct("Inner", { level: t.u8, wide, lock });
const Outer = t.struct("Outer", {
  id: t.u32,
  none,
  lock,
  inners: t.array(Inner, 3),
  apart: t.cacheLine(lock),
  grid: t.array(t.array(t.cacheLine(lock), 2), 2),
  aligned: t.align(64, Inner),
  name: t.cstring(5),
});

describe("rowOffsetOf()", () => {
  test("gives the entries in the order of the fields, without gaps", () => {
    const at = (path: string) => rowOffsetOf(Outer, Outer.offsetOf(path));
    expect(Outer.rowByteLength).toBe(4 + 3 * 16 + 4 + 4 * 4 + 16);
    expect(at("lock")).toBe(0);
    expect([0, 1, 2].map((index) => at(`inners[${index}].wide`))).toEqual([4, 20, 36]);
    expect([0, 1, 2].map((index) => at(`inners[${index}].lock`))).toEqual([16, 32, 48]);
    expect(at("apart")).toBe(52);
    expect(["[0][0]", "[0][1]", "[1][0]", "[1][1]"].map((index) => at(`grid${index}`))).toEqual([
      56,
      60,
      64,
      68,
    ]);
    expect([at("aligned.wide"), at("aligned.lock")]).toEqual([72, 84]);
  });

  test("knows no entry of what needs none, and none between fields", () => {
    const at = (path: string) => rowOffsetOf(Outer, Outer.offsetOf(path));
    expect(["id", "none", "inners[1].level", "name"].map(at)).toEqual(Array(4).fill(undefined));
    const between = [-1, 0.5, NaN, Outer.size, Outer.offsetOf("lock") + 4, 2 ** 40];
    expect(between.map((position) => rowOffsetOf(Outer, position))).toEqual(
      Array(between.length).fill(undefined),
    );
    const Plain = t.struct("Plain", { id: t.u32 });
    expect([Plain.rowByteLength ?? 0, rowOffsetOf(Plain, 0)]).toEqual([0, undefined]);
  });

  test("agrees with counting, for 300 layouts at random", () => {
    console.log(`layouts with rows: SHMKIT_SEED=${SEED}`);
    const leaves = fc.constantFrom<Field>(none, lock, wide, t.u8, t.u32, t.f64);
    let count = 0;
    const { layouts } = fc.letrec<{ layouts: Field }>((tie) => ({
      layouts: fc.oneof(
        { maxDepth: 4 },
        leaves,
        fc.tuple(tie("layouts"), fc.integer({ min: 1, max: 4 })).map(([field, length]) =>
          field.size % field.alignment === 0 ? t.array(field, length) : field
        ),
        tie("layouts").map((field) => isApart(field) ? field : t.cacheLine(field)),
        tie("layouts").map((field) =>
          isApart(field) ? field : t.align(Math.max(64, field.alignment), field)
        ),
        fc.array(tie("layouts"), { minLength: 1, maxLength: 4 }).map((fields) =>
          t.struct(`S${count++}`, Object.fromEntries(fields.map((field, at) => [`f${at}`, field])))
        ),
      ),
    }));
    let entries = 0;
    fc.assert(
      fc.property(layouts, (field) => {
        const layout: Field = t.struct("Root", { first: lock, field });
        const wanted = new Map<number, number>();
        let next = 0;
        visit(layout, 0, (position, length) => {
          wanted.set(position, next);
          next += length;
        });
        expect(layout.rowByteLength).toBe(next);
        for (let position = 0; position < Math.min(layout.size, 20_000); position++) {
          const found = rowOffsetOf(layout, position);
          if (found !== wanted.get(position)) {
            throw new Error(`${JSON.stringify(layout.describe())} has ${found} at ${position}`);
          }
          if (found !== undefined) entries++;
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
    expect(entries).toBeGreaterThan(300);
  });

  test("takes no longer where there are a million locks, or thousands of members", () => {
    const Many = t.struct("Many", {
      items: t.array(t.struct("Four", { a: lock, b: lock }), 2 ** 20),
    });
    expect(Many.rowByteLength).toBe(2 ** 23);
    const members = Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`m${at}`, lock]));
    const Wide = t.struct("Wide", members);
    for (let index = 0; index < 60_000; index++) {
      const inMany = rowOffsetOf(Many, Many.offsetOf("items[0].b") + 32 * (index * 17));
      const inWide = rowOffsetOf(Wide, 16 * index);
      if (inMany !== 8 * index * 17 + 4 || inWide !== 4 * index) throw new Error(`at ${index}`);
    }
  });
});

const isApart = ({ kind }: Field) => kind === "align" || kind === "cacheLine";

/** Calls back for each field that has an entry, in the order of memory. */
function visit(
  field: Field,
  position: number,
  found: (position: number, length: number) => void,
): void {
  const parts = field as unknown as {
    members?: readonly { field: Field; byteOffset: number }[];
    element?: Field;
    length: number;
    field?: Field;
  };
  if (parts.members !== undefined) {
    for (const member of parts.members) visit(member.field, position + member.byteOffset, found);
  } else if (parts.element !== undefined) {
    for (let index = 0; index < parts.length; index++) {
      visit(parts.element, position + index * parts.element.size, found);
    }
  } else if (parts.field !== undefined) {
    visit(parts.field, position, found);
  } else if ((field.rowByteLength ?? 0) > 0) {
    found(position, field.rowByteLength as number);
  }
}

test("a field whose bytes in a row are no multiple of 4 is none", () => {
  for (const rowByteLength of [-4, 1, 6, NaN, 2 ** 60, "4" as unknown as number]) {
    const fields: Fields = { lock: lockField(rowByteLength) };
    expectError(() => t.struct("Odd", fields), TypeError, /^Odd\.lock must be a field/);
  }
});

describe("the rows of an object", () => {
  const One: Struct<{ lock: LockField }> = t.struct("One", { lock });

  test("have room for the layout, and share no cache line", () => {
    const shapes: [Struct<Fields>, number][] = [
      [t.struct("None", { none }), 0],
      [One, 64],
      [t.struct("Sixteen", { locks: t.array(lock, 16) }), 64],
      [t.struct("Seventeen", { locks: t.array(lock, 17) }), 128],
    ];
    for (const [layout, rowByteLength] of shapes) {
      using object = SharedObject.create(uniqueName(), layout, {}, { participants: 7 });
      using same = SharedObject.open(object.name, layout);
      const { size } = object.stat();
      using anonymous = SharedObject.anonymous(layout, {}, { participants: 7 });
      for (const each of [object, same, anonymous]) {
        const [first] = Object.keys(layout.fields) as [string];
        const field = (each.value as Readonly<Record<string, unknown>>)[first];
        const { header } = (Array.isArray(field) ? field[0] : field) as ObjectHandle;
        if (header === undefined) throw new Error("It has no header");
        const { slots, readerRows, waiters, byteLength } = placesOf(header);
        expect([header.readerRowByteLength, waiters - readerRows]).toEqual([
          rowByteLength,
          7 * rowByteLength,
        ]);
        expect([slots % 128, readerRows % 64, waiters % 64, byteLength]).toEqual([0, 0, 0, size]);
      }
    }
  });

  test("must not need more than 64 MiB for all", () => {
    const Many = t.struct("Many", { locks: t.array(lock, 2 ** 18) });
    SharedObject.create(uniqueName(), Many, {}, { participants: 64, lifetime: "creator" }).close();
    const name = uniqueName();
    const rule =
      "65 participants must need at most 67108864 bytes for the read-write locks of the layout, " +
      "received 68157440";
    const options = { participants: 65 };
    for (
      const [what, attempt] of [
        [`create object "${name}"`, () => SharedObject.create(name, Many, {}, options)],
        [
          `open or create object "${name}"`,
          () => SharedObject.openOrCreate(name, Many, {}, options),
        ],
        ["create anonymous object", () => SharedObject.anonymous(Many, {}, options)],
      ] as const
    ) {
      expectError(attempt, RangeError, `Cannot ${what}: ${rule}`);
    }
    expect(ownFiles()).toEqual([]);
  });

  test("that are shorter than the layout needs are ERR_SHM_CORRUPT", () => {
    using object = SharedObject.create(uniqueName(), One, {}, { participants: 2 });
    using segment = SharedSegment.open(object.name);
    const { bytes } = segment;
    const header = object.value.lock.header;
    if (header === undefined) throw new Error("It has no header");
    // The rows become waiters: everything still fills the file.
    const view = new DataView(bytes.buffer, bytes.length - 64);
    view.setUint32(28, 0, true);
    view.setUint32(32, header.waitersByteLength + 128, true);
    view.setUint32(60, crc32(bytes.subarray(-64, -4), crc32(header.schema)), true);
    const error = expectError(
      () => SharedObject.open(object.name, One),
      ShmError,
      /its rows are too short for its layout: something has been written over its end/,
    );
    expect(error.code).toBe("ERR_SHM_CORRUPT");
  });
});
