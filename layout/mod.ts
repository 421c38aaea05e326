/**
 * Layouts: what the bytes of shared memory mean, once for all languages.
 *
 * A layout has the offsets that a C compiler gives to the same fields, checks what is written, and
 * can be written as a header for C and C++, and as a module for Rust and Python.
 *
 * @example A layout, a view, and a copy
 * ```ts
 * import { type Infer, t } from "@shmkit/shmkit/layout";
 *
 * const Player = t.struct("Player", {
 *   id: t.u32,
 *   position: t.array(t.f64, 3),
 *   name: t.cstring(32),
 *   team: t.enumeration(t.u8, { red: 0, blue: 1 }),
 *   flags: t.bits(t.u16, { alive: 1, level: 3 }),
 *   hits: t.atomic(t.u32),
 * });
 * type Player = Infer<typeof Player>;
 *
 * const bytes = new Uint8Array(Player.size); // or those of a SharedSegment
 * const ada: Player = {
 *   id: 7,
 *   position: [0, 0, 0],
 *   name: "ada",
 *   team: "blue",
 *   flags: { alive: true, level: 3 },
 *   hits: 0,
 * };
 * Player.write(bytes, ada);
 *
 * const player = Player.view(bytes);
 * player.position[0] = 1.5;
 * player.hits.add(1);
 * console.log(Player.offsetOf("team"), player.name); // 64 "ada"
 * ```
 *
 * @module
 */

export * from "./t.ts";
export * as t from "./t.ts";
export { difference } from "./difference.ts";
export { fromDescription } from "./from_description.ts";
export type { FieldMaker, OtherKinds } from "./from_description.ts";
export type { Aligned } from "./align.ts";
export type { ArrayOf, ArrayView, Elements } from "./array.ts";
export type { Atomic, AtomicBase, AtomicCell, AtomicValue } from "./atomic.ts";
export type { Bits, BitValues, Widths } from "./bits.ts";
export type { Description, StructDescription } from "./description.ts";
export type { Enumeration } from "./enumeration.ts";
export type {
  AggregateField,
  Field,
  FieldAccessors,
  Fields,
  FieldTypes,
  Flat,
  Infer,
  InferInput,
  InferLive,
  InferView,
  Patch,
  Spelling,
  ValueField,
  ValueKey,
  ViewBase,
} from "./field.ts";
export type { Float16Elements, Memory, NumberArrays } from "./memory.ts";
export type {
  BigIntKind,
  Bool,
  F16,
  F32,
  F64,
  I16,
  I32,
  I64,
  I8,
  NumberKind,
  Scalar,
  ScalarKind,
  SmallInteger,
  U16,
  U32,
  U64,
  U8,
} from "./scalar.ts";
export type {
  AssignableKey,
  Struct,
  StructInput,
  StructLive,
  StructValue,
  StructView,
} from "./struct.ts";
export type { Bytes, CString } from "./text.ts";
export type { Union } from "./union.ts";
