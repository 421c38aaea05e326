/**
 * Reading and writing memory through layouts: views, copies, refusals, and what others see of a view.
 */

import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { type Infer, t } from "../layout/mod.ts";
import { expectError } from "./support/errors.ts";
import { SEED, someLayouts, valuesOf } from "./support/layouts.ts";

const Stats = t.struct("Stats", { level: t.u8, score: t.i64 });
const Player = t.struct("Player", {
  id: t.u32,
  position: t.array(t.f64, 3),
  name: t.cstring(8),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  stats: Stats,
  items: t.array(Stats, 2),
  done: t.array(t.bool, 3),
  either: t.union({ number: t.u32, float: t.f32 }),
  raw: t.bytes(3),
  far: t.cacheLine(t.i16),
  grid: t.array(t.array(t.u16, 2), 2),
});

const ADA: Infer<typeof Player> = {
  id: 7,
  position: [1.5, -2, 1e300],
  name: "ada",
  team: "blue",
  flags: { alive: true, level: 5 },
  hits: 3,
  stats: { level: 9, score: -5n },
  items: [{ level: 1, score: 1n }, { level: 2, score: 2n }],
  done: [true, false, true],
  either: { float: 1 },
  raw: Uint8Array.of(1, 2, 255),
  far: -1,
  grid: [[1, 2], [3, 65535]],
};

/** What is read where {@linkcode ADA} was written: every member of the union. */
const READ: Infer<typeof Player> = { ...ADA, either: { number: 0x3f800000, float: 1 } };

const newBytes = () => new Uint8Array(Player.size);

function newPlayer() {
  const bytes = newBytes();
  Player.write(bytes, ADA);
  return { bytes, player: Player.view(bytes) };
}

/** Every property of a view, and what is in it: none may give anything after the memory has gone. */
function touches(view: ReturnType<typeof Player.view>): Record<string, () => unknown> {
  return {
    id: () => view.id,
    "id =": () => view.id = 1,
    position: () => view.position,
    name: () => view.name,
    "name =": () => view.name = "x",
    team: () => view.team,
    "team =": () => view.team = "red",
    flags: () => view.flags,
    hits: () => view.hits,
    stats: () => view.stats,
    items: () => view.items,
    done: () => view.done,
    either: () => view.either,
    raw: () => view.raw,
    far: () => view.far,
    "far =": () => view.far = 1,
    grid: () => view.grid,
    JSON: () => JSON.stringify(view),
  };
}

describe("a round trip", () => {
  test("gives back any value of any layout", () => {
    const layouts = someLayouts(300);
    for (const [index, layout] of layouts.entries()) {
      const bytes = new Uint8Array(layout.size + 8);
      for (const value of fc.sample(valuesOf(layout), { numRuns: 5, seed: SEED + index })) {
        const byteOffset = index % 3 === 0 ? 0 : index % 8; // aligned, or not
        layout.write(bytes, value as never, byteOffset);
        const read = layout.read(bytes, byteOffset);
        assertHolds(read, value, layout.name);
        if (byteOffset % layout.alignment !== 0) continue;
        expect(valueOf(layout.view(bytes, byteOffset))).toEqual(read);
      }
    }
  });

  test("is the same through a view", () => {
    const { player, bytes } = newPlayer();
    expect(JSON.parse(JSON.stringify(player))).toEqual({
      ...READ,
      stats: { level: 9, score: "-5" },
      items: [{ level: 1, score: "1" }, { level: 2, score: "2" }],
      raw: [1, 2, 255],
    });
    expect(Player.read(bytes)).toEqual(READ);
  });

  function valueOf(view: object): unknown {
    return (view as { readonly [key: symbol]: unknown })[Symbol.for("shmkit.value")];
  }

  /** Of a union, a copy has other members too: only those that were written are compared. */
  function assertHolds(read: unknown, written: unknown, path: string): void {
    if (typeof written !== "object" || written === null) {
      return assert.ok(Object.is(read, written), `${path}: ${String(read)}, ${String(written)}`);
    }
    for (const [name, value] of Object.entries(written)) {
      assertHolds((read as Record<string, unknown>)[name], value, `${path}.${name}`);
    }
  }
});

describe("Struct.read()", () => {
  test("fills what it gave before", () => {
    const { bytes, player } = newPlayer();
    const first = Player.read(bytes);
    const { position, stats, items, raw } = first;
    const [item] = items;
    player.id = 8;
    player.position[0] = 99;
    const second = Player.read(bytes, 0, first);
    expect(second).toBe(first);
    expect(second.id).toBe(8);
    expect(second.position[0]).toBe(99);
    for (
      const [now, before] of [
        [second.position, position],
        [second.stats, stats],
        [second.items, items],
        [second.items[0], item],
        [second.raw, raw],
      ]
    ) expect(now).toBe(before);
  });

  test("names the field when an enumeration holds what the schema does not know", () => {
    const { bytes, player } = newPlayer();
    bytes[Player.offsetOf("team")] = 7;
    const message = 'Player.team holds 7 in memory, which is none of "red" (0), "blue" (1)';
    expectError(() => Player.read(bytes), RangeError, message);
    expectError(() => player.team, RangeError, message);
    expectError(() => JSON.stringify(player), RangeError, message);
    expect(inspect(player)).toContain(`team: <${message}>`);
    const Outer = t.struct("Outer", { players: t.array(Player, 2) });
    const outer = new Uint8Array(Outer.size);
    outer[Outer.offsetOf("players[1].team")] = 7;
    expectError(() => Outer.read(outer), RangeError, /^Outer\.players\[1\]\.team holds 7/);
  });

  test("reads text up to NUL, to the end without one, and what is not UTF-8 as U+FFFD", () => {
    const Text = t.struct("Text", { text: t.cstring(4) });
    const read = (...bytes: number[]) => Text.read(Uint8Array.from(bytes)).text;
    expect(read(0, 65, 65, 65)).toBe("");
    expect(read(65, 0, 65, 0)).toBe("A");
    expect(read(65, 66, 67, 68)).toBe("ABCD");
    expect(read(0xff, 65, 0xc3, 0)).toBe("\ufffdA\ufffd");
    expect(read(0xef, 0xbb, 0xbf, 0)).toBe("\ufeff");
  });

  for (
    const [byteOffset, length, rule] of [
      [0, Player.size - 1, /^Player needs 384 bytes, received 383$/],
      [1, Player.size, /^byteOffset of Player must be an integer from 0 to 0, received 1$/],
      [-1, Player.size, /received -1$/],
      [0.5, Player.size + 1, /from 0 to 1, received 0\.5$/],
      [NaN, Player.size, /received NaN$/],
    ] as const
  ) {
    test(`refuses ${length} bytes at ${byteOffset}`, () => {
      const bytes = new Uint8Array(length);
      expectError(() => Player.read(bytes, byteOffset), RangeError, rule);
      expectError(() => Player.view(bytes, byteOffset), RangeError, rule);
      expectError(() => Player.write(bytes, ADA, byteOffset), RangeError, rule);
    });
  }

  test("refuses what is no Uint8Array", () => {
    const other = new ArrayBuffer(384) as never;
    expectError(
      () => Player.read(other),
      TypeError,
      "Player must be in a Uint8Array, received an object",
    );
  });
});

/** A value that is wrong in one place. */
const WRONG: [title: string, change: object, type: typeof TypeError, message: string | RegExp][] = [
  [
    "too large",
    { id: 2 ** 32 },
    RangeError,
    "Player.id must be an integer from 0 to 4294967295, received 4294967296",
  ],
  [
    "negative",
    { id: -1 },
    RangeError,
    "Player.id must be an integer from 0 to 4294967295, received -1",
  ],
  ["a fraction", { id: 0.5 }, RangeError, /^Player\.id .* received 0\.5$/],
  ["not a number", { id: NaN }, RangeError, /^Player\.id .* received NaN$/],
  ["a bigint", { id: 5n }, TypeError, /^Player\.id .* received 5n$/],
  ["a text", { id: "5" }, TypeError, /^Player\.id .* received "5"$/],
  ["null", { id: null }, TypeError, /^Player\.id .* received null$/],
  ["a symbol", { id: Symbol("x") }, TypeError, /^Player\.id .* received Symbol\(x\)$/],
  ["missing", { id: undefined }, TypeError, "Player.id is missing in an object"],
  [
    "unknown",
    { extra: 1 },
    TypeError,
    /^Player\.extra cannot be written: there is no such field among id, /,
  ],
  [
    "too short",
    { position: [1, 2] },
    RangeError,
    "Player.position must have 3 elements, received 2",
  ],
  [
    "too long",
    { position: [1, 2, 3, 4] },
    RangeError,
    "Player.position must have 3 elements, received 4",
  ],
  [
    "no array",
    { position: 1 },
    TypeError,
    "Player.position must be an array of 3 elements, received 1",
  ],
  [
    "in an array",
    { position: [1, "2", 3] },
    TypeError,
    'Player.position[1] must be a number, received "2"',
  ],
  [
    "in the last field",
    { grid: [[1, 2], [3, 65536]] },
    RangeError,
    /^Player\.grid\[1\]\[1\] must be an integer/,
  ],
  [
    "text too long",
    { name: "12345678" },
    RangeError,
    'Player.name must take at most 7 bytes in UTF-8, takes 8, received "12345678"',
  ],
  ["text too long in UTF-8", { name: "éééé" }, RangeError, /takes 8/],
  ["text with NUL", { name: "a\0b" }, RangeError, /^Player\.name must not contain NUL/],
  [
    "text with half a character",
    { name: "\ud800" },
    RangeError,
    /^Player\.name .* without lone surrogates/,
  ],
  [
    "an unknown name",
    { team: "green" },
    RangeError,
    'Player.team must be one of "red" (0), "blue" (1), received "green"',
  ],
  ["the number of a name", { team: 1 }, TypeError, /^Player\.team must be one of/],
  [
    "a bit field too large",
    { flags: { alive: true, level: 8 } },
    RangeError,
    "Player.flags.level must be an integer from 0 to 7, in 3 bits, received 8",
  ],
  [
    "a number for a bit",
    { flags: { alive: 1, level: 0 } },
    TypeError,
    "Player.flags.alive must be a boolean, received 1",
  ],
  [
    "a number for a bigint",
    { stats: { level: 1, score: 1 } },
    TypeError,
    /^Player\.stats\.score must be a bigint/,
  ],
  [
    "a bigint too large",
    { stats: { level: 1, score: 2n ** 63n } },
    RangeError,
    /^Player\.stats\.score must be a bigint/,
  ],
  [
    "within a struct of an array",
    { items: [ADA.items[0], { level: 256, score: 0n }] },
    RangeError,
    /^Player\.items\[1\]\.level must/,
  ],
  ["no object", { stats: 5 }, TypeError, "Player.stats must be an object, received 5"],
  [
    "a union of nothing",
    { either: {} },
    TypeError,
    "Player.either must have one of its members, number, float; received none",
  ],
  [
    "a union of several",
    { either: { number: 1, float: 1 } },
    TypeError,
    "Player.either must have one of its members, number, float; received number, float, which " +
    "contradict each other",
  ],
  [
    "a number that a float cannot hold",
    { either: { float: 1e39 } },
    RangeError,
    /^Player\.either\.float must be a number that f32 can hold/,
  ],
  [
    "a byte too large",
    { raw: [1, 2, 256] },
    RangeError,
    "Player.raw[2] must be an integer from 0 to 255, received 256",
  ],
  ["an atomic too large", { hits: 2 ** 32 }, RangeError, /^Player\.hits must/],
  ["an aligned field", { far: 40000 }, RangeError, /^Player\.far must/],
];

describe("Struct.write() refuses a value, and writes nothing of it, when a field is", () => {
  for (const [title, change, type, message] of WRONG) {
    test(title, () => {
      const bytes = newBytes().fill(0xaa);
      const value = { ...ADA, ...change };
      expectError(() => Player.write(bytes, value as never), type, message);
      expect(bytes).toEqual(newBytes().fill(0xaa));
      if (Object.values(change)[0] === undefined) return;
      expectError(() => Player.assign(bytes, { hits: 1, ...change } as never), type, message);
      expect(bytes).toEqual(newBytes().fill(0xaa));
    });
  }
});

describe("Struct.assign()", () => {
  test("writes what it is given, at any depth, and leaves the rest", () => {
    const { bytes } = newPlayer();
    Player.assign(bytes, {
      stats: { level: 200 },
      flags: { level: 1 },
      done: [false, true, false],
    });
    expect(Player.read(bytes)).toEqual({
      ...READ,
      stats: { level: 200, score: -5n },
      flags: { alive: true, level: 1 },
      done: [false, true, false],
    });
  });

  test("takes any array-like for an array", () => {
    const { bytes } = newPlayer();
    Player.assign(bytes, { position: Float64Array.of(4, 5, 6), raw: [7, 8, 9] });
    expect(Player.read(bytes).position).toEqual([4, 5, 6]);
    expect(Player.read(bytes).raw).toEqual(Uint8Array.of(7, 8, 9));
  });
});

describe("a view", () => {
  test("is the memory", () => {
    const { player, bytes } = newPlayer();
    player.id = 0x01020304;
    expect([...bytes.subarray(0, 4)]).toEqual([4, 3, 2, 1]);
    bytes[0] = 5;
    expect(player.id).toBe(0x01020305);
    player.stats.level = 10;
    expect(bytes[Player.offsetOf("stats.level")]).toBe(10);
    player.items[1]!.level = 11;
    expect(bytes[Player.offsetOf("items[1].level")]).toBe(11);
    player.flags.alive = false;
    expect(player.flags.level).toBe(5);
    player.done.set(1, true);
    expect([...player.done]).toEqual([true, true, true]);
    player.either.float = 2;
    expect(player.either.number).toBe(0x40000000);
    player.grid[1]![0] = 77;
    expect(Player.read(bytes).grid).toEqual([[1, 2], [77, 65535]]);
  });

  test("has typed arrays for numbers, a frozen array of views for structs", () => {
    const { player } = newPlayer();
    expect(player.position).toBeInstanceOf(Float64Array);
    expect(player.raw).toBeInstanceOf(Uint8Array);
    expect(Object.isFrozen(player.items)).toBe(true);
    expect(player.grid[0]).toBeInstanceOf(Uint16Array);
    expect(player.done.length).toBe(3);
    expect(player.done.at(-1)).toBe(true);
    expectError(
      () => player.done.at(3),
      RangeError,
      "Player.done must have an index from 0 to 2, received 3",
    );
    expectError(() => player.done.set(-1, true), RangeError, /received -1$/);
    expectError(
      () => player.done.set(0, 1 as never),
      TypeError,
      "Player.done[0] must be a boolean, received 1",
    );
  });

  test("makes what it holds once", () => {
    const { player } = newPlayer();
    for (
      const name of [
        "position",
        "flags",
        "hits",
        "stats",
        "items",
        "done",
        "either",
        "raw",
      ] as const
    ) {
      expect(player[name]).toBe(player[name]);
    }
  });

  test("has accessors on its prototype only, and one class for each layout", () => {
    const { player } = newPlayer();
    expect(Object.keys(player)).toEqual([]);
    expect(Object.getPrototypeOf(player)).toBe(Object.getPrototypeOf(newPlayer().player));
    expect(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(player), "id")?.get).toBeDefined();
    expect(Object.getPrototypeOf(player.stats)).toBe(Object.getPrototypeOf(player.items[0]));
    expect(player.constructor.name).toBe("Player");
  });

  test("refuses what the layout does, and says the path", () => {
    const { player, bytes } = newPlayer();
    const before = bytes.slice();
    const set = (name: string, value: unknown) => () => {
      (player as unknown as Record<string, unknown>)[name] = value;
    };
    expectError(
      set("id", 1.5),
      RangeError,
      "Player.id must be an integer from 0 to 4294967295, received 1.5",
    );
    expectError(set("id", 5n), TypeError, /^Player\.id .* received 5n$/);
    expectError(set("id", "5"), TypeError, /^Player\.id .* received "5"$/);
    expectError(set("team", "green"), RangeError, /^Player\.team must be one of/);
    expectError(set("name", "12345678"), RangeError, /^Player\.name must take at most 7 bytes/);
    expectError(set("far", 40000), RangeError, /^Player\.far must be/);
    expectError(
      set("position", [1, 2, 3]),
      TypeError,
      /cannot be assigned to/,
    );
    expectError(() => player.flags.level = 8, RangeError, /^Player\.flags\.level must/);
    expectError(() => player.stats.level = 256, RangeError, /^Stats\.level must/);
    expect(bytes).toEqual(before);
  });

  test("checks the whole range of every scalar, and no more", () => {
    for (const field of [t.u8, t.i8, t.u16, t.i16, t.u32, t.i32, t.u64, t.i64]) {
      const One = t.struct("One", { x: field as typeof t.u8 });
      const view = One.view(new Uint8Array(8));
      const [least, greatest] = field.range as unknown as readonly [number, number];
      const one = (typeof least === "bigint" ? 1n : 1) as number;
      for (const value of [least, greatest, greatest - one]) {
        view.x = value;
        expect(view.x).toBe(value);
      }
      expectError(() => view.x = least - one, RangeError, /^One\.x must be/);
      expectError(() => view.x = greatest + one, RangeError, /^One\.x must be/);
      const other = typeof least === "bigint" ? 1 : 1n;
      expectError(() => view.x = other as number, TypeError, /^One\.x must be/);
    }
  });

  test("refuses other types, and memory that has gone, for every scalar", () => {
    const integers = [t.u8, t.i8, t.u16, t.i16, t.u32, t.i32, t.u64, t.i64];
    for (const field of [...integers, t.f16, t.f32, t.f64, t.bool]) {
      const One = t.struct("One", { x: field as typeof t.u8 });
      const bytes = new Uint8Array(One.size).fill(1);
      const view = One.view(bytes);
      const [value, good] = [view.x, bytes.slice()];
      for (const wrong of [Symbol("x"), "1", {}, { valueOf: () => 1 }, null, undefined, []]) {
        expectError(() => view.x = wrong as number, TypeError, /^One\.x must be/);
        expectError(() => One.write(bytes, { x: wrong as number }), TypeError, /^One\.x (must|is)/);
      }
      if (field.kind !== "bool" as string) {
        expectError(() => view.x = true as never, TypeError, /^One\.x must be/);
      }
      expect(bytes).toEqual(good);
      bytes.buffer.transfer(0);
      expectError(
        () => view.x,
        TypeError,
        "Cannot access One.x: its memory has been closed or resized",
      );
      expectError(() => view.x = value, TypeError, /^Cannot access One\.x/);
    }
  });

  test("refuses as much when it is compiled, and compiled again after that", async () => {
    const kinds = [
      t.u8,
      t.i8,
      t.u16,
      t.i16,
      t.u32,
      t.i32,
      t.u64,
      t.i64,
      t.f16,
      t.f32,
      t.f64,
      t.bool,
    ];
    for (const field of kinds) {
      const One = t.struct("One", { before: t.u8, x: field as typeof t.u8, after: t.u8 });
      const bytes = new Uint8Array(One.size);
      const view = One.view(bytes);
      const kind = field.kind as string;
      const values = (kind === "bool"
        ? [true, false]
        : kind.endsWith("64") && kind !== "f64"
        ? [1n, 2n]
        : [1, 2]) as unknown[] as number[];
      const tooMuch = (kind.endsWith("64") ? 2n ** 64n : 1e39) as number;
      const write = (value: unknown, rounds: number) => {
        let equal = 0;
        for (let round = 0; round < rounds; round++) {
          view.x = round === rounds - 1 ? value as number : values[round & 1] as number;
          if (view.x === values[round & 1]) {
            equal++;
          }
        }
        return equal;
      };
      for (let attempt = 0; attempt < 4; attempt++) {
        expect(write(values[1], 20_000)).toBe(20_000);
        await new Promise((resolve) =>
          setTimeout(resolve, 1)
        ); // compilers work beside
        for (const wrong of [Symbol("x"), "1", undefined, {}, ...kind === "f64" ? [] : [tooMuch]]) {
          expectError(
            () => write(wrong, 2),
            kind === "bool" || typeof wrong !== typeof tooMuch ? TypeError : RangeError,
            /^One\.x must be/,
          );
          expect(view.x).toBe(values[0] as number);
        }
      }
      bytes.buffer.transfer(0);
      expectError(() => write(values[0], 2), TypeError, /^Cannot access One\.x: its memory has/);
      expectError(() => write(tooMuch, 1), TypeError, /^Cannot access One\.x: its memory has/);
      expectError(() => view.x, TypeError, /^Cannot access One\.x: its memory has/);
    }
  });

  test("reads bit fields as wide as their number", () => {
    const Wide = t.struct("Wide", {
      all: t.bits(t.u32, { value: 32 }),
      low: t.bits(t.u8, { a: 7, b: 1 }),
    });
    const view = Wide.view(new Uint8Array(Wide.size));
    view.all.value = 0xfedcba98;
    view.low.a = 127;
    view.low.b = true;
    expect([view.all.value, view.low.a, view.low.b]).toEqual([0xfedcba98, 127, true]);
    view.low.a = 0;
    expect([view.all.value, view.low.a, view.low.b]).toEqual([0xfedcba98, 0, true]);
  });

  test("follows a buffer that grows", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 64 });
    const Small = t.struct("Small", { id: t.u32 });
    const first = Small.view(new Uint8Array(buffer), 4);
    buffer.resize(64);
    const second = Small.view(new Uint8Array(buffer), 60);
    first.id = 1;
    second.id = 2;
    expect([...new Uint32Array(buffer)]).toEqual([0, 1, ...Array<number>(13).fill(0), 2]);
  });

  test("does not take memory that has gone for a union that cannot be read", () => {
    const Either = t.struct("Either", { either: t.union({ number: t.u32, raw: t.bytes(4) }) });
    const bytes = new Uint8Array(Either.size);
    const { either } = Either.view(bytes);
    bytes.buffer.transfer(0);
    expectError(() => JSON.stringify(either), TypeError, /its memory has been closed or resized$/);
  });

  test("refuses to assign what is no scalar, and names that are no fields", () => {
    const { player } = newPlayer();
    const loose = player as unknown as Record<string, unknown>;
    expectError(
      () => loose["position"] = [1, 2, 3],
      TypeError,
      /^Player\.position cannot be assigned/,
    );
    expectError(() => loose["hits"] = 5, TypeError, /^Player\.hits cannot be assigned to: change/);
    expectError(() => loose["nmae"] = "ada", TypeError, /nmae|extensible/);
    expect("nmae" in player).toBe(false);
  });

  test("writes what was read, unions too", () => {
    const Message = t.struct("Message", {
      kind: t.u8,
      body: t.union({
        number: t.u32,
        float: t.f32,
        text: t.cstring(8),
        point: t.struct("Point", { x: t.u8, y: t.u16, flags: t.bits(t.u8, { on: 1 }) }),
      }),
    });
    // A NaN of many, the padding of the struct, what follows the end of the text, what is no text.
    const texts = [[0, 0], [0x44434241, 0x41], [~0, 0]];
    const samples = [[0x7fc00000, 7], [0x7fa20041, 0x01020304], ...texts];
    for (const words of samples) {
      const bytes = new Uint8Array(Message.size);
      new Uint32Array(bytes.buffer, Message.offsetOf("body"), 2).set(words);
      const value = Message.read(bytes);
      const other = new Uint8Array(Message.size).fill(0xff);
      Message.write(other, value);
      expect(Message.read(other)).toEqual(value);
    }
    // What was in the padding of the point before would make it another number.
    const point = { x: 7, y: 0, flags: { on: false } };
    const dirty = new Uint8Array(Message.size).fill(0xff);
    Message.write(dirty, { kind: 1, body: { point, number: 7 } });
    expect(Message.read(dirty).body.number).toBe(7);
    // A text of 8 bytes does not fit, and no other member has as many.
    const bytes = new Uint8Array(Message.size).fill(0x41);
    expectError(
      () => Message.write(bytes, Message.read(bytes)),
      RangeError,
      /body\.text must take/,
    );
    const whole = { ...Message.read(bytes).body, text: "\0" };
    expectError(
      () => Message.write(bytes, { kind: 1, body: whole }),
      RangeError,
      /must not contain/,
    );
    const alone = { kind: 1, body: { text: "\0", number: undefined } } as never;
    expectError(() => Message.write(bytes, alone), RangeError, /must not contain NUL/);
    const unknown = { kind: 1, body: { ...Message.read(dirty).body, other: 1 } };
    expectError(() => Message.write(bytes, unknown), TypeError, /no such field/);
    const Word = t.struct("Word", { word: t.union({ text: t.cstring(4), raw: t.bytes(4) }) });
    const word = Uint8Array.of(0x41, 0x42, 0x43, 0x44);
    const copy = new Uint8Array(4);
    Word.write(copy, Word.read(word));
    expect(copy).toEqual(word);
  });

  test("rounds fractions, and refuses what would become infinite", () => {
    const Fractions = t.struct("Fractions", { half: t.f16, single: t.f32, double: t.f64 });
    const view = Fractions.view(new Uint8Array(Fractions.size));
    view.half = 0.1;
    view.single = 0.1;
    expect([view.half, view.single]).toEqual([0.0999755859375, Math.fround(0.1)]);
    for (const value of [Infinity, -Infinity, NaN, -0]) {
      view.half = view.single = view.double = value;
      expect([view.half, view.single, view.double]).toEqual([value, value, value]);
    }
    view.half = 65519;
    view.single = 3.4028235677973362e38;
    expect([view.half, view.single]).toEqual([65504, 3.4028234663852886e38]);
    expectError(() => view.half = 65520, RangeError, /^Fractions\.half must be a number that f16/);
    expectError(() => view.single = 3.4028235677973366e38, RangeError, /^Fractions\.single must/);
  });

  test("must be aligned, unlike a copy", () => {
    const bytes = new Uint8Array(Player.size * 2);
    const { alignment } = Player;
    expectError(
      () => Player.view(bytes, 8),
      RangeError,
      `Player must start at a multiple of ${alignment} bytes to be viewed, received 8`,
    );
    Player.write(bytes, ADA, 3);
    expect(Player.read(bytes, 3)).toEqual(READ);
    expect(Player.read(bytes.subarray(3))).toEqual(READ);
    expect(
      [...bytes.subarray(0, 3), ...bytes.subarray(3 + Player.size)].every((byte) => byte === 0),
    )
      .toBe(true);
  });

  test("throws at every access after its memory has gone", () => {
    for (const held of [false, true]) {
      const { player, bytes } = newPlayer();
      const { flags, hits, stats, done } = player;
      if (held) Object.values(touches(player)).forEach((touch) => touch());
      bytes.buffer.transfer(0);
      for (const touch of Object.values(touches(player))) {
        expectError(
          touch,
          TypeError,
          /^Cannot access Player.*: its memory has been closed or resized$/,
        );
      }
      for (const touch of [() => flags.alive, () => flags.level = 1, () => stats.score]) {
        expectError(touch, TypeError, /its memory has been closed or resized$/);
      }
      for (
        const touch of [
          () => hits.load(),
          () => hits.add(1),
          () => done.at(0),
          () => stats.level = 1,
        ]
      ) {
        expectError(touch, TypeError, /its memory has been closed or resized$/);
      }
      expectError(() => Player.read(bytes), RangeError, /^Player needs 384 bytes, received 0$/);
      expect(inspect(player)).toContain("closed or resized");
    }
  });
});

describe("an atomic field", () => {
  test("does what Atomics does", () => {
    const { player } = newPlayer();
    const { hits } = player;
    expect(hits.load()).toBe(3);
    expect(hits.add(5)).toBe(3);
    expect(hits.sub(9)).toBe(8);
    expect(hits.load()).toBe(2 ** 32 - 1);
    expect(hits.and(0xff)).toBe(2 ** 32 - 1);
    expect(hits.or(0x100)).toBe(0xff);
    expect(hits.xor(1)).toBe(0x1ff);
    expect(hits.exchange(7)).toBe(0x1fe);
    expect(hits.compareExchange(6, 8)).toBe(7);
    expect(hits.compareExchange(7, 8)).toBe(7);
    hits.store(9);
    expect(hits.load()).toBe(9);
    expect(Object.keys(hits)).toEqual([]);
  });

  test("refuses operands that its number cannot be", () => {
    const { player } = newPlayer();
    expectError(() => player.hits.add(1.5), RangeError, /^Player\.hits must be an integer/);
    expectError(() => player.hits.store(undefined as never), TypeError, /^Player\.hits must be/);
    expectError(() => player.hits.compareExchange(-1, 1), RangeError, /^Player\.hits must be/);
    expectError(() => (player as { hits: unknown }).hits = 1, TypeError, /./);
    expect(player.hits.load()).toBe(3);
  });

  test("can be of every integer", () => {
    for (const base of [t.u8, t.i8, t.u16, t.i16, t.u32, t.i32, t.u64, t.i64]) {
      const Cell = t.struct("Cell", { value: t.atomic(base as typeof t.i8) });
      const { value } = Cell.view(new Uint8Array(8));
      const [least, greatest] = base.range as unknown as readonly [number, number];
      value.store(greatest);
      value.add((typeof least === "bigint" ? 1n : 1) as number);
      expect(value.load()).toBe(least);
    }
  });
});

describe("to those who look at objects, a view", () => {
  const one = newPlayer().player;
  const same = newPlayer().player;
  const other = newPlayer().player;
  other.stats.level = 77;

  const COMPARISONS: Record<string, (a: unknown, b: unknown) => void> = {
    "toEqual()": (a, b) => expect(a).toEqual(b),
    "toStrictEqual()": (a, b) => expect(a).toStrictEqual(b),
    "toEqual() within an object": (a, b) => expect({ x: [a] }).toEqual({ x: [b] }),
    "assert.deepStrictEqual()": (a, b) => assert.deepStrictEqual(a, b),
    "isDeepStrictEqual()": (a, b) => assert.ok(isDeepStrictEqual(a, b)),
  };
  for (const [title, compare] of Object.entries(COMPARISONS)) {
    test(`equals another with the same value, and no other: ${title}`, () => {
      for (
        const part of [
          (view: typeof one) => view,
          (view: typeof one) => view.stats,
          (view: typeof one) => view.items,
        ]
      ) compare(part(one), part(same));
      compare(one.done, same.done);
      compare(one.hits, same.hits);
      expect(() => compare(one, other)).toThrow();
      expect(() => compare(one.stats, other.stats)).toThrow();
      const { player } = newPlayer();
      player.done.set(0, false);
      player.hits.add(1);
      player.flags.alive = false;
      player.either.number = 5;
      expect(() => compare(one.done, player.done)).toThrow();
      expect(() => compare(one.hits, player.hits)).toThrow();
      expect(() => compare(one.flags, player.flags)).toThrow();
      expect(() => compare(one.either, player.either)).toThrow();
    });
  }

  test("prints its value", () => {
    const Small = t.struct("Small", {
      id: t.u8,
      stats: Stats,
      on: t.array(t.bool, 1),
      n: t.atomic(t.u64),
    });
    const view = Small.view(new Uint8Array(Small.size));
    view.stats.score = 4n;
    expect(inspect(view, { breakLength: Infinity, compact: true }).replaceAll(/\s+/g, " ")).toBe(
      "Small { id: 0, stats: Stats { level: 0, score: 4n }, on: Elements [ false ], n: Atomic 0n }",
    );
  });
});
