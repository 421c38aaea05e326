/**
 * Layouts of objects that tests and their peers share, and files of objects made by hand.
 *
 * @module
 */

import {
  type ArrayOf,
  type Atomic,
  type Bits,
  type CString,
  type Enumeration,
  type F64,
  type I64,
  type Infer,
  type Struct,
  t,
  type U32,
  type U8,
} from "../../layout/mod.ts";
import type { Fields } from "../../layout/mod.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import type { ObjectKind } from "../../memory/objects/kinds.ts";
import { checkObjectCreation } from "../../memory/objects/object_options.ts";
import { createObject } from "../../memory/objects/open_object.ts";
import { shapeFor } from "../../memory/objects/trailer.ts";

/** What a player is. */
export const Player: Struct<{
  id: U32;
  position: ArrayOf<F64>;
  name: CString;
  team: Enumeration<"red" | "blue">;
  flags: Bits<{ readonly alive: 1; readonly level: 3 }>;
  hits: Atomic<U32>;
  stats: Struct<{ level: U8; score: I64 }>;
}> = t.struct("Player", {
  id: t.u32,
  position: t.array(t.f64, 3),
  name: t.cstring(32),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  stats: t.struct("Stats", { level: t.u8, score: t.i64 }),
});

/** A player of whom nothing is known. */
export const NOBODY: Infer<typeof Player> = {
  id: 0,
  position: [0, 0, 0],
  name: "",
  team: "red",
  flags: { alive: false, level: 0 },
  hits: 0,
  stats: { level: 0, score: 0n },
};

/**
 * What processes count in that come and go. `check` is the complement of `generation`, and both are
 * written before anybody else can see the object.
 */
export const Generation: Struct<
  { generation: U32; check: U32; attached: Atomic<U32>; hits: Atomic<U32>; filler: ArrayOf<U32> }
> = t.struct("Generation", {
  generation: t.u32,
  check: t.u32,
  attached: t.atomic(t.u32),
  hits: t.atomic(t.u32),
  filler: t.array(t.u32, 2000),
});

/** Makes an object of any kind, all zeros, with a layout that need not be one of that kind. */
export function createOfKind(
  name: string,
  kind: ObjectKind,
  layout: Struct<Fields>,
): ObjectHandle {
  const action = { verb: "create", noun: "object", name };
  const schema = new TextEncoder().encode(JSON.stringify(layout.describe()));
  return createObject(action, {
    ...checkObjectCreation(action, {}),
    kind,
    shape: shapeFor(layout.size, 3, schema.length),
    schema,
    fingerprint: layout.fingerprint,
    fill: () => {},
  });
}
