/**
 * The layouts whose values go round: one with every kind of field, and others at random.
 *
 * @module
 */

import fc from "fast-check";
import { type Fields, type Struct, t } from "../../../layout/mod.ts";
import { SEED, someLayouts, valuesOf } from "../layouts.ts";
import { type Slot, slotsOf } from "./slots.ts";
import { type Texts, textsOf } from "./texts.ts";

const Item = t.struct("Item", {
  id: t.u16,
  weight: t.f32,
  tags: t.array(t.cstring(5), 2),
  kinds: t.array(t.enumeration(t.i16, { none: 0, least: -(2 ** 15), most: 2 ** 15 - 1 }), 2),
});

const Lists = t.struct("Lists", {
  u8: t.array(t.u8, 3),
  i8: t.array(t.i8, 2),
  u16: t.array(t.u16, 3),
  i16: t.array(t.i16, 2),
  u32: t.array(t.u32, 3),
  i32: t.array(t.i32, 2),
  u64: t.array(t.u64, 2),
  i64: t.array(t.i64, 2),
  f16: t.array(t.f16, 3),
  f32: t.array(t.f32, 3),
  f64: t.array(t.f64, 2),
  bool: t.array(t.bool, 3),
});

const Atomics = t.struct("Atomics", {
  u8: t.atomic(t.u8),
  i64: t.atomic(t.i64),
  i8: t.atomic(t.i8),
  u64: t.atomic(t.u64),
  u16: t.atomic(t.u16),
  i32: t.atomic(t.i32),
  i16: t.atomic(t.i16),
  u32: t.array(t.atomic(t.u32), 2),
});

const Choices = t.struct("Choices", {
  u8: t.enumeration(t.u8, { red: 0, blue: 7, most: 2 ** 8 - 1 }),
  i32: t.enumeration(t.i32, { least: -(2 ** 31), none: 0, most: 2 ** 31 - 1 }),
  i8: t.enumeration(t.i8, { least: -(2 ** 7), none: 0, most: 2 ** 7 - 1 }),
  u32: t.enumeration(t.u32, { red: 0, blue: 7, most: 2 ** 32 - 1 }),
  u16: t.enumeration(t.u16, { red: 1, blue: 7, most: 2 ** 16 - 1 }),
});

const Everything = t.struct("Everything", {
  u8: t.u8,
  i64: t.i64,
  i8: t.i8,
  u64: t.u64,
  f16: t.f16,
  i32: t.i32,
  bool: t.bool,
  u16: t.u16,
  f64: t.f64,
  i16: t.i16,
  f32: t.f32,
  u32: t.u32,
  name: t.cstring(9),
  raw: t.bytes(7),
  lists: Lists,
  atomics: Atomics,
  choices: Choices,
  flags: t.bits(t.u8, { class: 1, int: 3, def: 4 }),
  more: t.bits(t.u16, { type: 7, in: 9 }),
  most: t.bits(t.u32, { low: 1, middle: 30, high: 1 }),
  whole: t.bits(t.u32, { all: 32 }),
  Item,
  items: t.array(Item, 3),
  from_buffer: t.u8,
  matrix: t.array(t.array(t.f64, 2), 3),
  cube: t.array(t.array(t.array(t.i16, 2), 2), 2),
  blobs: t.array(t.bytes(3), 2),
  masks: t.array(t.bits(t.u16, { on: 1, level: 15 }), 2),
  either: t.union({
    item: Item,
    number: t.u64,
    bits: t.bits(t.u8, { a: 5 }),
    list: t.array(t.i8, 3),
  }),
  several: t.array(t.union({ float: t.f32, team: t.enumeration(t.u8, { red: 1 }) }), 2),
  nested: t.union({ inner: t.union({ small: t.u8, hits: t.atomic(t.u16) }), name: t.cstring(3) }),
  aligned: t.align(64, t.array(t.u8, 3)),
  line: t.cacheLine(t.atomic(t.u32)),
  lines: t.array(t.cacheLine(t.u64), 2),
  rows: t.array(t.cacheLine(t.array(Item, 2)), 2),
  last: t.u8,
});

/** How many layouts are made at random, the largest of which are taken. */
const SAMPLE = 80;
const TAKEN = 12;
/** How many slots these have at most, to be compiled in time. */
const MAX_SLOTS = 200;

/** How many values of a layout go round, again and again. */
const VALUES = 50;

/** A layout, and values that go round in it. */
export interface Case {
  readonly layout: Struct<Fields>;
  readonly slots: readonly Slot[];
  /** Another one at each call. */
  next(): { readonly value: object; readonly texts: Texts };
}

/** The layouts, and values of them. */
export function makeCases(): readonly Case[] {
  const random = someLayouts(SAMPLE)
    .map((layout) => ({ layout, slots: slotsOf(layout) }))
    .filter(({ slots }) => slots.length <= MAX_SLOTS)
    .sort((one, other) => other.slots.length - one.slots.length)
    .slice(0, TAKEN);
  const layout = Everything as unknown as Struct<Fields>;
  return [{ layout, slots: slotsOf(layout) }, ...random].map(withValues);
}

function withValues({ layout, slots }: Pick<Case, "layout" | "slots">): Case {
  const values = fc.sample(valuesOf(layout), { numRuns: VALUES, seed: SEED });
  let count = 0;
  const next = () => {
    const value = values[count++ % VALUES] as object;
    return { value, texts: textsOf(slots, value) };
  };
  return { layout, slots, next };
}
