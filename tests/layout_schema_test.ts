/**
 * Which schemas are layouts, where their fields lie, and what is said of those that are refused.
 */

import { describe, expect, test } from "bun:test";
import { difference, type Field, type Fields, fromDescription, t } from "../layout/mod.ts";
import { expectError } from "./support/errors.ts";

const Stats = t.struct("Stats", { level: t.u8, score: t.i64 });
const Player = t.struct("Player", {
  id: t.u32,
  position: t.array(t.f64, 3),
  name: t.cstring(32),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  stats: Stats,
  items: t.array(Stats, 2),
});

const fieldsNamed = (name: string): Fields => Object.fromEntries([[name, t.u8]]);

describe("struct()", () => {
  test("puts fields where a C compiler does", () => {
    expect([Player.size, Player.alignment]).toEqual([120, 8]);
    expect(
      ["id", "position", "name", "team", "flags", "hits", "stats", "items"].map((name) =>
        Player.offsetOf(name)
      ),
    ).toEqual([0, 8, 32, 64, 66, 68, 72, 88]);
  });

  test("finds fields within fields", () => {
    expect(Player.offsetOf("stats.score")).toBe(80);
    expect(Player.offsetOf("items[1].score")).toBe(112);
    expect(Player.offsetOf("position[2]")).toBe(24);
    const Outer = t.struct("Outer", {
      first: t.u8,
      grid: t.cacheLine(t.array(t.array(t.u16, 4), 3)),
    });
    expect(Outer.offsetOf("grid[2][1]")).toBe(128 + 18);
  });

  for (const path of ["", "x", "id.x", "items[2]", "items[1].", ".id", "[0]", "items.0", "id id"]) {
    test(`has no field ${JSON.stringify(path)}`, () => {
      expectError(
        () => Player.offsetOf(path),
        RangeError,
        `Player must have the field asked for, received ${JSON.stringify(path)}`,
      );
    });
  }

  test("gives a cache line to a field, and only its alignment to another", () => {
    const Apart = t.struct("Apart", {
      head: t.cacheLine(t.atomic(t.u32)),
      tail: t.cacheLine(t.atomic(t.u32)),
      next: t.align(16, t.u8),
      last: t.u8,
    });
    expect(["head", "tail", "next", "last"].map((name) => Apart.offsetOf(name)))
      .toEqual([0, 128, 256, 257]);
    expect([Apart.size, Apart.alignment]).toEqual([384, 128]);
  });
});

describe("a name is refused", () => {
  for (
    const [name, rule] of [
      ["0", "no number, because numbers come first in the order of an object's properties"],
      ["12", "no number, because numbers come first in the order of an object's properties"],
      ["constructor", "no name that objects have of themselves"],
      ["then", "no name that objects have of themselves"],
      ["toJSON", "no name that objects have of themselves"],
      ["toString", "no name that objects have of themselves"],
      ["prototype", "no name that objects have of themselves"],
      ["", "an identifier: letters, digits and _, without a digit, _A or __ in front"],
      ["a-b", "an identifier: letters, digits and _, without a digit, _A or __ in front"],
      ["1a", "an identifier: letters, digits and _, without a digit, _A or __ in front"],
      ["__a", "an identifier: letters, digits and _, without a digit, _A or __ in front"],
      ["_A", "an identifier: letters, digits and _, without a digit, _A or __ in front"],
      ["é", "an identifier: letters, digits and _, without a digit, _A or __ in front"],
    ] as const
  ) {
    test(`of a field: ${JSON.stringify(name)}`, () => {
      const expected = `must have a name that is ${rule}, received ${JSON.stringify(name)}`;
      const message = `The field Bad.${name} ${expected}`;
      expectError(() => t.struct("Bad", fieldsNamed(name)), TypeError, message);
      expectError(() => t.union(fieldsNamed(name)), TypeError, /^The field union\./);
      expectError(() => t.struct(name, { x: t.u8 }), TypeError, `A struct ${expected}`);
      const numbers = Object.fromEntries([[name, 1]]);
      expectError(() => t.enumeration(t.u8, numbers), TypeError, /^A member of an enumeration/);
      expectError(() => t.bits(t.u8, numbers), TypeError, /^A bit field/);
    });
  }

  test("of a field: __proto__, in both ways to write it", () => {
    const prototype = "must have its fields in a plain object, without __proto__";
    expectError(
      () => t.struct("Bad", { __proto__: t.u8 } as Fields),
      TypeError,
      `Bad ${prototype}`,
    );
    const computed = { ["__proto__"]: t.u8 };
    expectError(() => t.struct("Bad", computed), TypeError, /^The field Bad\.__proto__ must have/);
  });

  test("of a field: a symbol", () => {
    const fields = { [Symbol("s")]: t.u8 } as unknown as Fields;
    expectError(() => t.struct("Bad", fields), TypeError, /must have a name that is a string/);
  });
});

describe("a schema is refused", () => {
  const cases: [title: string, make: () => unknown, type: typeof TypeError, message: string][] = [
    ["without fields", () => t.struct("Bad", {}), TypeError, "Bad must have a field"],
    [
      "with something that is no field",
      () => t.struct("Bad", { x: "u32" as unknown as Field }),
      TypeError,
      'Bad.x must be a field, received "u32"',
    ],
    [
      "with itself in it",
      () => {
        const fields: Record<string, Field> = { x: t.u8 };
        Object.defineProperty(fields, "self", { enumerable: true, get: () => fields });
        return t.struct("Bad", fields);
      },
      TypeError,
      "Bad.self must be a field, received an object",
    ],
    [
      "with two structs of one name",
      () => t.struct("Bad", { a: Stats, b: t.array(t.struct("Stats", { x: t.u8 }), 2) }),
      TypeError,
      "Bad must not contain two different structs named Stats",
    ],
    [
      "with a struct of its own name",
      () => t.struct("Stats", { a: Stats }),
      TypeError,
      "Stats must not contain two different structs named Stats",
    ],
    [
      "larger than 1 GiB",
      () => t.struct("Bad", { a: t.bytes(2 ** 30), b: t.u8 }),
      RangeError,
      "Bad must have at most 1073741824 bytes, has 1073741825",
    ],
    [
      "with an array larger than 1 GiB",
      () => t.array(t.f64, 2 ** 28),
      RangeError,
      "An array must have at most 1073741824 bytes, has 2147483648",
    ],
    [
      "with an array of too many objects",
      () => t.array(Stats, 2 ** 21),
      RangeError,
      "An array of struct must have at most 1048576 elements",
    ],
    [
      "with an array of nothing",
      () => t.array(t.u8, 0),
      RangeError,
      "The size of an array must be an integer from 1 to 1073741824, received 0",
    ],
    [
      "with an array that lies unaligned",
      () => t.array(t.align(8, t.u8), 2),
      TypeError,
      "An array must have elements whose size is a multiple of their alignment, received 1 and 8",
    ],
    [
      "with a text that holds nothing",
      () => t.cstring(1),
      RangeError,
      "The size of cstring must be an integer from 2 to 1073741824, received 1",
    ],
    [
      "with a size that is no number",
      () => t.bytes("8" as never),
      TypeError,
      'The size of bytes must be an integer from 1 to 1073741824, received "8"',
    ],
    [
      "with an enumeration out of its range",
      () => t.enumeration(t.u8, { big: 256 }),
      RangeError,
      "big must be an integer from 0 to 255, received 256",
    ],
    [
      "with an enumeration of no integer",
      () => t.enumeration(t.u8, { half: 0.5 }),
      RangeError,
      "half must be an integer from 0 to 255, received 0.5",
    ],
    [
      "with an enumeration of text",
      () => t.enumeration(t.u8, { a: "b" as never }),
      TypeError,
      'a must be a number, received "b"',
    ],
    [
      "with two names for a number",
      () => t.enumeration(t.u8, { a: 1, b: 1 }),
      TypeError,
      "b must not be 1, which is the value of a",
    ],
    [
      "with an enumeration of nothing",
      () => t.enumeration(t.u8, {}),
      TypeError,
      "An enumeration must have a member",
    ],
    [
      "with an enumeration of what is no integer",
      () => t.enumeration(t.f32 as never, { a: 1 }),
      TypeError,
      "An enumeration must be based on u8, i8, u16, i16, u32 or i32, received f32",
    ],
    [
      "with bits beyond the number",
      () => t.bits(t.u8, { a: 5, b: 4 }),
      RangeError,
      "bits.b must end within the 8 bits of u8, ends at 9",
    ],
    [
      "with no bits",
      () => t.bits(t.u8, { a: 0 }),
      RangeError,
      "bits.a must have from 1 to 8 bits, received 0",
    ],
    [
      "with bits of a signed number",
      () => t.bits(t.i8 as never, { a: 1 }),
      TypeError,
      "Bit fields must be based on u8, u16 or u32, received i8",
    ],
    [
      "with an alignment that is no power of two",
      () => t.align(12, t.u8),
      RangeError,
      "An alignment must be a power of two from 1 to 4096, received 12",
    ],
    [
      "with an alignment that is too weak",
      () => t.align(4, t.u64),
      RangeError,
      "An alignment must be a power of two from 8 to 4096, received 4",
    ],
    [
      "with two alignments",
      () => t.cacheLine(t.align(8, t.u8)),
      TypeError,
      "cacheLine must not be given what is aligned already: align",
    ],
    [
      "with atomic texts",
      () => t.atomic(t.cstring(8) as never),
      TypeError,
      "An atomic field must be based on an integer: u8 to u64, or i8 to i64",
    ],
    [
      "with atomic fractions",
      () => t.atomic(t.f64 as never),
      TypeError,
      "An atomic field must be based on an integer: u8 to u64, or i8 to i64",
    ],
    [
      "nested too deeply",
      () => {
        let field: Field = t.u8;
        for (let depth = 0; depth < 17; depth++) field = t.array(field, 1);
        return field;
      },
      RangeError,
      "An array must have at most 16 structs, unions and arrays nested",
    ],
  ];
  for (const [title, make, type, message] of cases) {
    test(title, () => void expectError(make, type, message));
  }
});

describe("fingerprint", () => {
  test("is the same wherever and whenever it is made: this one was computed in Python", () => {
    expect(t.struct("Point", { x: t.f32, y: t.f32 }).fingerprint).toBe("b5a4fdd5bf06f3a9");
    expect(Player.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  test("changes with every name, type and order", () => {
    const layouts = [
      t.struct("A", { x: t.u32, y: t.u32 }),
      t.struct("B", { x: t.u32, y: t.u32 }),
      t.struct("A", { y: t.u32, x: t.u32 }),
      t.struct("A", { x: t.u32, z: t.u32 }),
      t.struct("A", { x: t.u32, y: t.f32 }),
      t.struct("A", { x: t.u32, y: t.atomic(t.u32) }),
      t.struct("A", { x: t.u32, y: t.enumeration(t.u32, { a: 1 }) }),
      t.struct("A", { x: t.u32, y: t.enumeration(t.u32, { a: 2 }) }),
      t.struct("A", { x: t.u32, y: t.bits(t.u32, { a: 2 }) }),
      t.struct("A", { x: t.u32, y: t.bytes(4) }),
      t.struct("A", { x: t.u32, y: t.cstring(4) }),
      t.struct("A", { x: t.u32, y: t.align(4, t.u32) }),
    ];
    expect(new Set(layouts.map(({ fingerprint }) => fingerprint)).size).toBe(layouts.length);
  });
});

describe("difference()", () => {
  test("is nothing between equal layouts", () => {
    expect(difference(Player, fromDescription(Player.describe()))).toEqual([]);
  });

  test("says which field, at which offset, of which type", () => {
    const { name: _, ...rest } = Player.fields;
    const Other = t.struct("Player", {
      ...rest,
      id: t.f32,
      team: t.enumeration(t.u8, { red: 0, green: 1 }),
      stats: t.struct("Stats", { level: t.u8, score: t.u64 }),
      items: t.array(t.struct("Stats", { level: t.u8, score: t.u64 }), 3),
      extra: t.array(t.array(t.u16, 2), 4),
    });
    expect(difference(Player, Other)).toEqual([
      "Player.id: u32 at 0 here, f32 at 0 there",
      "Player.name: cstring(32) at 32 here, not there",
      "Player.team: enumeration(u8, red = 0, blue = 1) at 64 here, " +
      "enumeration(u8, red = 0, green = 1) at 32 there",
      "Player.flags: bits(u16, alive = 1, level = 3) at 66 here, " +
      "bits(u16, alive = 1, level = 3) at 34 there",
      "Player.hits: atomic(u32) at 68 here, atomic(u32) at 36 there",
      "Player.stats.level: u8 at 72 here, u8 at 40 there",
      "Player.stats.score: i64 at 80 here, u64 at 48 there",
      "Player.items: Stats[2] at 88 here, Stats[3] at 56 there",
      "Player.items[].level: u8 at 88 here, u8 at 56 there",
      "Player.items[].score: i64 at 96 here, u64 at 64 there",
      "Player.extra: not here, u16[4][2] at 104 there",
    ]);
  });

  test("sees what only the order of fields or a name tells", () => {
    const One = t.struct("One", { a: t.u32, b: t.union({ x: t.u8, y: t.i8 }) });
    const Two = t.struct("Two", { a: t.u32, b: t.union({ x: t.u8, y: t.i8 }) });
    expect(difference(One, Two)[0]).toBe("the name is One here, Two there");
    const Inner = t.struct("Inner", { x: t.u8 });
    const Renamed = t.struct("Renamed", { x: t.u8 });
    expect(difference(t.struct("One", { a: Inner }), t.struct("One", { a: Renamed }))).toEqual([
      "One: the fields, or the names of structs, are not in one order",
    ]);
  });
});
