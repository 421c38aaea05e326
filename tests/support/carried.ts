/**
 * Objects with a layout, as they should be and as an enemy makes them.
 *
 * @module
 */

import type { Fields, Struct } from "../../layout/mod.ts";
import { SharedObject, SharedSegment, t } from "../../mod.ts";
import { encodeTrailer, placesOf, shapeFor, type Trailer } from "../../memory/objects/trailer.ts";

const Point = t.struct("Point", { x: t.f32, y: t.f32 });

/** A field of every kind. */
export const Player: Struct<Fields> = t.struct("Player", {
  id: t.u32,
  position: t.array(t.f64, 3),
  name: t.cstring(32),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  home: Point,
  path: t.array(Point, 10),
  score: t.i64,
  any: t.union({ whole: t.u32, real: t.f32 }),
  key: t.bytes(5),
  own: t.cacheLine(t.atomic(t.u64)),
  halves: t.array(t.array(t.f16, 2), 2),
  names: t.array(t.cstring(4), 2),
  teams: t.array(t.enumeration(t.i8, { none: -1, left: 0 }), 2),
  ok: t.bool,
});

/** What {@linkcode createPlayer} writes. */
export const ADA: Readonly<Record<string, unknown>> = {
  id: 7,
  position: [1.5, -0, NaN],
  name: 'a"d\\a\n\u202e',
  team: "blue",
  flags: { alive: true, level: 5 },
  hits: 3,
  home: { x: 0.1, y: 1e-45 },
  score: -(2n ** 63n),
  key: [0, 1, 254, 255, 16],
  own: 2n ** 64n - 1n,
  halves: [[0.1, -Infinity], [65504, 6e-8]],
  names: ["ab", "é"],
  teams: ["none", "left"],
  ok: true,
};

/** Makes an object that stays. */
export function createPlayer(name: string): void {
  SharedObject.create(name, Player, ADA).close();
}

/**
 * Makes a file with a trailer that is consistent in itself, around a schema that may be anything.
 *
 * @param payloadByteLength The size of the value, of which none is written: it may be large.
 */
export function createWithSchema(
  name: string,
  schemaText: string,
  payloadByteLength: number,
  changes: Partial<Trailer> = {},
): void {
  const schema = new TextEncoder().encode(schemaText);
  const trailer: Trailer = {
    ...shapeFor(payloadByteLength, 1, schema.length),
    kind: 1,
    lifetime: "persist",
    fingerprint: "0123456789abcdef",
    creationTimeMs: 0,
    creatorPid: 1,
    ...changes,
  };
  const places = placesOf(trailer);
  using segment = SharedSegment.create(name, { size: places.byteLength, reserve: false });
  segment.bytes.set(schema, places.schema);
  segment.bytes.set(encodeTrailer(trailer, schema), places.trailer);
}

/** Writes over bytes of an object as anybody can, at an offset from its end when it is negative. */
export function overwrite(name: string, byteOffset: number, bytes: readonly number[]): void {
  using segment = SharedSegment.open(name);
  segment.bytes.set(bytes, byteOffset < 0 ? segment.size + byteOffset : byteOffset);
}
