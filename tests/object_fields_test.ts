/**
 * Fields that others implement: without a value, and with verbs that need the object they are in.
 */

import { describe, expect, test } from "bun:test";
import { type Field, fromDescription, type Memory, type Struct, t } from "../layout/mod.ts";
import { SharedObject, ShmError } from "../mod.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";

cleanUpNames();

/** A lock that counts how often it was taken, in an object only. */
class Lock {
  readonly owner: object | undefined;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #at: number;

  constructor({ owner, i32 }: Memory, position: number) {
    this.owner = owner;
    this.#words = i32;
    this.#at = position / 4;
  }

  take(): number {
    if (this.owner === undefined) throw new TypeError("A lock must be in a shared object");
    return Atomics.add(this.#words, this.#at, 1);
  }
}

function lockField(
  kind: string = "lock",
  more: Readonly<Record<string, number>> = {},
): Field<never, never, Lock, Lock> {
  const refuse = (): never => {
    throw new Error("A lock has no value");
  };
  return {
    kind,
    size: 16,
    alignment: 8,
    assignable: false,
    plain: false,
    describe: () => Object.keys(more).length === 0 ? kind : { kind, ...more },
    attach: (memory, position) => new Lock(memory, position),
    load: refuse,
    check: refuse,
    store: refuse,
    spelling: { c: "struct lock", rust: "Lock", python: "Lock" },
  };
}

const lock = lockField();

const Guarded = t.struct("Guarded", {
  count: t.u32,
  lock,
  inner: t.struct("Inner", { lock, level: t.u8 }),
  slots: t.array(t.struct("Slot", { value: t.u32, lock }), 2),
  apart: t.cacheLine(t.struct("Apart", { lock, value: t.u16 })),
  locks: t.array(lock, 3),
  own: t.cacheLine(lock),
});

const initial = {
  count: 1,
  inner: { level: 2 },
  slots: [{ value: 3 }, { value: 4 }],
  apart: { value: 5 },
};

describe("a field without a value", () => {
  test("is left out of values, and stays as it is when others are written", () => {
    using object = SharedObject.create(uniqueName(), Guarded, initial);
    expect(object.value.lock.take()).toBe(0);
    expect(object.value.slots[1]?.lock.take()).toBe(0);
    expect(object.snapshot()).toEqual(initial);
    using reader = SharedObject.open(object.name, Guarded, { readonly: true });
    expect(reader.snapshot()).toEqual(initial);
    expect(JSON.parse(JSON.stringify(object))).toEqual(initial);
    const next = { ...initial, inner: { level: 9 }, slots: [{ value: 6 }, { value: 7 }] };
    object.assign(next);
    expect(object.snapshot(object.snapshot())).toEqual(next);
    expect([object.value.lock.take(), object.value.slots[1]?.lock.take()]).toEqual([1, 1]);
    using same = SharedObject.open(object.name, Guarded);
    expect([same.value.lock.take(), same.value.own.take(), same.value.locks.length]).toEqual([
      2,
      0,
      3,
    ]);
  });

  test("cannot be written, wherever it is", () => {
    using object = SharedObject.create(uniqueName(), Guarded, initial);
    for (
      const [path, patch] of [
        ["Guarded.lock", { lock: {} }],
        ["Guarded.own", { own: {} }],
        ["Guarded.locks", { locks: [] }],
        ["Guarded.inner.lock", { inner: { lock: {} } }],
        ["Guarded.slots[0].lock", { slots: [{ value: 1, lock: {} }, { value: 1 }] }],
        ["Guarded.apart.lock", { apart: { lock: {}, value: 1 } }],
      ] as [string, object][]
    ) {
      const message = `${path} cannot be written: it has no value`;
      expectError(() => object.assign(patch), TypeError, message);
      expectError(() => SharedObject.create(uniqueName(), Guarded, patch), TypeError, message);
    }
    expect(object.snapshot()).toEqual(initial);
  });

  test("is told whose memory it is in, the same in every field of an object", () => {
    using object = SharedObject.create(uniqueName(), Guarded, initial);
    using same = SharedObject.open(object.name, Guarded);
    const { owner } = object.value.lock;
    expect(owner).toBeInstanceOf(Object);
    const { inner, slots, apart, locks, own } = object.value;
    for (const each of [inner.lock, slots[0]?.lock, apart.lock, locks[2], own]) {
      expect(each?.owner === owner).toBe(true);
    }
    expect(same.value.lock.owner === owner).toBe(false);
    const plain = Guarded.view(new Uint8Array(Guarded.size));
    expectError(() => plain.lock.take(), TypeError, "A lock must be in a shared object");
  });

  test("is no longer reached when the object is closed", () => {
    using object = SharedObject.create(uniqueName(), Guarded, initial);
    const held = object.value.lock;
    object.close();
    expectError(() => object.value.lock, TypeError, /Cannot access Guarded\.lock: its memory has/);
    expectError(() => held.take(), TypeError, /./); // the runtime's own: the array is empty
  });
});

describe("ERR_SHM_LAYOUT", () => {
  const layoutError = (name: string, layout: Struct<Record<never, never>>): string => {
    const error = expectError(() => SharedObject.open(name, layout), ShmError, /another layout/);
    expect(error.code).toBe("ERR_SHM_LAYOUT");
    return error.message;
  };

  test("tells the difference where both layouts have fields of the other kind", () => {
    using object = SharedObject.create(uniqueName(), t.struct("Pair", { lock, count: t.u32 }));
    const message = layoutError(object.name, t.struct("Pair", { count: t.u32, lock }));
    expect(message).toContain(
      "Pair.count: u32 at 0 here, u32 at 16 there; Pair.lock: lock at 8 here, lock at 0 there. Open",
    );
  });

  test("tells it where fields of one kind are not alike", () => {
    const [two, three] = [lockField("gate", { permits: 2 }), lockField("gate", { permits: 3 })];
    using object = SharedObject.create(uniqueName(), t.struct("Pair", { a: two, b: three }));
    const message = layoutError(object.name, t.struct("Pair", { a: three, b: two }));
    expect(message).toContain(
      "Pair.a: gate(permits = 3) at 0 here, gate(permits = 2) at 0 there; " +
        "Pair.b: gate(permits = 2) at 16 here, gate(permits = 3) at 16 there. Open",
    );
    // What is none of its own is not known: it may need what nobody here can do.
    expect(layoutError(object.name, t.struct("Pair", { a: two, b: two }))).toContain("not known");
  });

  test("is what it fails with where only the object has them", () => {
    using object = SharedObject.create(uniqueName(), Guarded, initial);
    for (const other of [t.struct("Guarded", { a: t.u8 }), t.struct("X", { l: lockField("l") })]) {
      expect(layoutError(object.name, other)).toBe(
        `Cannot open object "${object.name}": it has another layout than ${other.name} here: it ` +
          "has something that is not known here. Open it with the layout that it was made with, " +
          "or unlink it and create it anew.",
      );
    }
  });
});

describe("SharedObject.layoutOf()", () => {
  test("fails with ERR_SHM_UNSUPPORTED for a field of a kind that is not known", () => {
    using object = SharedObject.create(uniqueName(), Guarded, initial);
    const error = expectError(
      () => SharedObject.layoutOf(object.name),
      ShmError,
      `Cannot open object "${object.name}": its layout has something that is not known here (A ` +
        'description must be of a known kind, received "lock"). Open it with the layout, and the ' +
        "version of this library, that it was made with.",
    );
    expect(error.code).toBe("ERR_SHM_UNSUPPORTED");
    const again = fromDescription(Guarded.describe(), { lock: () => lock });
    expect(again.fingerprint).toBe(Guarded.fingerprint);
    using same = SharedObject.open(object.name, again);
    expect(same.snapshot()).toEqual(initial);
  });
});
