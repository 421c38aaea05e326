/**
 * The types that layouts infer, exactly; and misuse that does not compile. Nothing here is run: it
 * compiles, or it does not.
 *
 * @module
 */

import {
  type Aligned,
  type ArrayOf,
  type Atomic,
  type AtomicCell,
  type Bits,
  type Bytes,
  type CString,
  type Elements,
  type Enumeration,
  type F64,
  type Field,
  type Infer,
  type InferInput,
  type InferLive,
  type InferView,
  type Struct,
  t,
  type U32,
  type U64,
  type Union,
} from "../../layout/mod.ts";

/** Whether two types are the same, and not merely assignable to each other. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const yes = <_ extends true>(): void => {};

/** A field as others make them: without a value, and more than memory in a shared object. */
interface Lock extends Field<never, never, { readonly owner: number }, { lock(): void }> {
  readonly assignable: false;
}
declare const lock: Lock;

const Stats = t.struct("Stats", { level: t.u8, score: t.i64 });
const Player = t.struct("Player", {
  id: t.u32,
  total: t.u64,
  position: t.array(t.f64, 3),
  totals: t.array(t.u64, 2),
  name: t.cstring(32),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  big: t.atomic(t.i64),
  stats: Stats,
  items: t.array(Stats, 2),
  teams: t.array(t.enumeration(t.u8, { red: 0, blue: 1 }), 2),
  done: t.bool,
  dones: t.array(t.bool, 2),
  grid: t.array(t.array(t.f32, 2), 2),
  either: t.union({ number: t.u32, text: t.cstring(4) }),
  raw: t.bytes(4),
  far: t.cacheLine(t.u8),
  near: t.align(64, t.array(t.u8, 4)),
  lock,
});

type Value = {
  id: number;
  total: bigint;
  position: number[];
  totals: bigint[];
  name: string;
  team: "red" | "blue";
  flags: { alive: boolean; level: number };
  hits: number;
  big: bigint;
  stats: { level: number; score: bigint };
  items: { level: number; score: bigint }[];
  teams: ("red" | "blue")[];
  done: boolean;
  dones: boolean[];
  grid: number[][];
  either: { number?: number; text?: string };
  raw: Uint8Array<ArrayBuffer>;
  far: number;
  near: number[];
};
yes<Same<Infer<typeof Player>, Value>>();

type Input = {
  readonly id: number;
  readonly total: bigint;
  readonly position: ArrayLike<number>;
  readonly totals: ArrayLike<bigint>;
  readonly name: string;
  readonly team: "red" | "blue";
  readonly flags: Readonly<{ alive: boolean; level: number }>;
  readonly hits: number;
  readonly big: bigint;
  readonly stats: { readonly level: number; readonly score: bigint };
  readonly items: ArrayLike<{ readonly level: number; readonly score: bigint }>;
  readonly teams: ArrayLike<"red" | "blue">;
  readonly done: boolean;
  readonly dones: ArrayLike<boolean>;
  readonly grid: ArrayLike<ArrayLike<number>>;
  readonly either: { readonly number?: number; readonly text?: string };
  readonly raw: ArrayLike<number>;
  readonly far: number;
  readonly near: ArrayLike<number>;
};
yes<Same<InferInput<typeof Player>, Input>>();

type Shown<Own> = {
  id: number;
  total: bigint;
  name: string;
  team: "red" | "blue";
  done: boolean;
  far: number;
  readonly position: Float64Array<ArrayBuffer>;
  readonly totals: BigUint64Array<ArrayBuffer>;
  readonly flags: { alive: boolean; level: number };
  readonly hits: AtomicCell<number>;
  readonly big: AtomicCell<bigint>;
  readonly stats: { level: number; score: bigint };
  readonly items: readonly { level: number; score: bigint }[];
  readonly teams: Elements<"red" | "blue">;
  readonly dones: Elements<boolean>;
  readonly grid: readonly Float32Array<ArrayBuffer>[];
  readonly either: { number: number; text: string };
  readonly raw: Uint8Array<ArrayBuffer>;
  readonly near: Uint8Array<ArrayBuffer>;
  readonly lock: Own;
};
yes<Same<InferView<typeof Player>, Shown<{ readonly owner: number }>>>();
yes<Same<InferLive<typeof Player>, Shown<{ lock(): void }>>>();
yes<Same<ReturnType<typeof Player.read>, Value>>();

// A plain value, and one with typed arrays, can be written.
declare const bytes: Uint8Array<ArrayBuffer>;
declare const value: Value;
Player.write(bytes, value);
Player.write(bytes, { ...value, position: new Float64Array(3), raw: [1, 2, 3, 4] });
Player.assign(bytes, { stats: { level: 1 }, flags: { alive: true } });
Player.assign(bytes, {});

const player = Player.view(bytes);
player.id = 1;
player.team = "red";
player.position[0] = 1;
player.position[0]! += 1;
player.hits.add(1);
player.big.add(1n);
player.teams.set(0, "blue");

// @ts-expect-error: a bigint is no u32
player.id = 1n;
// @ts-expect-error: a number is no u64
player.total = 1;
// @ts-expect-error: there is no such team
player.team = "green";
// @ts-expect-error: an atomic field is not assigned
player.hits = 1;
// @ts-expect-error: a 64-bit atomic takes bigints
player.big.add(1);
// @ts-expect-error: an array is not assigned
player.position = new Float64Array(3);
// @ts-expect-error: a struct is not assigned
player.stats = { level: 1, score: 1n };
// @ts-expect-error: an array of structs is not changed
player.items[0] = { level: 1, score: 1n };
// @ts-expect-error: an enumeration has no number
player.teams.set(0, 1);
// @ts-expect-error: there is no such field
player.extra;
// @ts-expect-error: a bit is a boolean
player.flags.alive = 1;
// @ts-expect-error: a lock has no value
Player.assign(bytes, { lock: 1 });
// @ts-expect-error: a bigint is no u32
Player.assign(bytes, { id: 1n });
// @ts-expect-error: a field is missing
Player.write(bytes, { id: 1 });
// @ts-expect-error: fractions are not atomic
t.atomic(t.f64);
// @ts-expect-error: bits are of an unsigned number
t.bits(t.i8, { a: 1 });
// @ts-expect-error: an enumeration is of an integer of at most 32 bits
t.enumeration(t.u64, { a: 1 });
// @ts-expect-error: a name is no field
t.struct("Bad", { id: "u32" });
// @ts-expect-error: text is not written where bytes are
Player.view("memory");

/** As a library annotates its schema, so that what it exports has explicit types. */
export const Annotated: Struct<{
  id: U32;
  total: U64;
  position: ArrayOf<F64>;
  name: CString;
  team: Enumeration<"red" | "blue">;
  flags: Bits<{ readonly alive: 1; readonly level: 3 }>;
  hits: Atomic<U32>;
  either: Union<{ number: U32; text: CString }>;
  raw: Bytes;
  far: Aligned<U32>;
  near: Struct<{ x: ArrayOf<ArrayOf<F64>> }>;
}> = t.struct("Annotated", {
  id: t.u32,
  total: t.u64,
  position: t.array(t.f64, 3),
  name: t.cstring(32),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  either: t.union({ number: t.u32, text: t.cstring(4) }),
  raw: t.bytes(4),
  far: t.cacheLine(t.u32),
  near: t.struct("Near", { x: t.array(t.array(t.f64, 2), 2) }),
});
yes<Same<Infer<typeof Annotated>["flags"], { alive: boolean; level: number }>>();
