/**
 * Numbers and truth values.
 *
 * @module
 */

import * as accessors from "./accessors.ts";
import type { ScalarAccessors } from "./accessors.ts";
import type { FieldAccessors, Spelling, ValueField } from "./field.ts";
import type { Memory } from "./memory.ts";
import { misfit, refuseClosed, show } from "./messages.ts";

/** The names of scalars whose values are numbers. */
export type NumberKind =
  | "u8"
  | "i8"
  | "u16"
  | "i16"
  | "u32"
  | "i32"
  | "f16"
  | "f32"
  | "f64";

/** The names of scalars whose values are bigints. */
export type BigIntKind = "u64" | "i64";

/** The names of all scalars. */
export type ScalarKind = NumberKind | BigIntKind | "bool";

/** A scalar: as large as aligned. */
export interface Scalar<Kind extends ScalarKind, Value> extends ValueField<Value> {
  /** The name of the kind. */
  readonly kind: Kind;
  /** The least and the greatest value; absent for floating-point numbers and `bool`. */
  readonly range?: readonly [least: Value, greatest: Value];
}

/** `uint8_t` */
export type U8 = Scalar<"u8", number>;
/** `int8_t` */
export type I8 = Scalar<"i8", number>;
/** `uint16_t` */
export type U16 = Scalar<"u16", number>;
/** `int16_t` */
export type I16 = Scalar<"i16", number>;
/** `uint32_t` */
export type U32 = Scalar<"u32", number>;
/** `int32_t` */
export type I32 = Scalar<"i32", number>;
/** `uint64_t` */
export type U64 = Scalar<"u64", bigint>;
/** `int64_t` */
export type I64 = Scalar<"i64", bigint>;
/** Half precision: IEEE 754 binary16. */
export type F16 = Scalar<"f16", number>;
/** `float` */
export type F32 = Scalar<"f32", number>;
/** `double` */
export type F64 = Scalar<"f64", number>;
/** `bool` */
export type Bool = Scalar<"bool", boolean>;

/** A scalar whose values are whole numbers that fit a `number`. */
export type SmallInteger = U8 | I8 | U16 | I16 | U32 | I32;

/** Everything that tells one scalar from another. */
interface Traits<Kind extends ScalarKind, Value> {
  readonly kind: Kind;
  readonly size: number;
  readonly accessors: ScalarAccessors;
  readonly spelling: Spelling;
  readonly range?: readonly [least: Value, greatest: Value];
  /** From here on a floating-point number would be rounded to infinity. */
  readonly limit?: number;
}

class ScalarField<Kind extends ScalarKind, Value> implements Scalar<Kind, Value> {
  readonly kind: Kind;
  readonly size: number;
  readonly alignment: number;
  readonly assignable = true;
  readonly plain = true;
  readonly spelling: Spelling;
  readonly range?: readonly [least: Value, greatest: Value];
  readonly #traits: Traits<Kind, Value>;

  constructor(traits: Traits<Kind, Value>) {
    this.kind = traits.kind;
    this.size = traits.size;
    this.alignment = traits.size;
    this.spelling = traits.spelling;
    if (traits.range !== undefined) this.range = traits.range;
    this.#traits = traits;
    Object.freeze(this);
  }

  describe(): Kind {
    return this.kind;
  }

  accessors(byteOffset: number, path: string): FieldAccessors {
    return this.#traits.accessors(byteOffset, path, this.#refuse);
  }

  attach(memory: Memory, position: number, path: string): Value {
    return this.load(memory, position, path);
  }

  load(memory: Memory, position: number, path: string): Value {
    const value = arrayOf(memory, this.kind)[position / this.size] ?? refuseClosed(path);
    return (this.kind === "bool" ? value !== 0 : value) as Value;
  }

  check(value: unknown, path: string): void {
    if (!this.#fits(value)) this.#refuse(value, path);
  }

  store(memory: Memory, position: number, value: unknown): void {
    const array = arrayOf(memory, this.kind);
    array[position / this.size] = (this.kind === "bool" ? Number(value) : value) as never;
  }

  #fits(value: unknown): boolean {
    const { range, limit } = this.#traits;
    if (range === undefined) {
      if (this.kind === "bool") return typeof value === "boolean";
      return typeof value === "number" &&
        !(limit !== undefined && Math.abs(value) >= limit && Math.abs(value) !== Infinity);
    }
    const [least, greatest] = range;
    return typeof value === typeof least && (value as Value) >= least &&
      (value as Value) <= greatest &&
      (typeof value === "bigint" || Number.isInteger(value));
  }

  readonly #refuse = (value: unknown, path: string): never => {
    const { range, limit } = this.#traits;
    const type = this.kind === "bool" ? "boolean" : typeof (range?.[0] ?? 0);
    const bounds = range === undefined ? "" : ` from ${range[0]} to ${range[1]}`;
    const rule = type === "boolean"
      ? "must be a boolean"
      : type === "bigint"
      ? `must be a bigint${bounds}`
      : range !== undefined
      ? `must be an integer${bounds}`
      : limit !== undefined
      ? `must be a number that ${this.kind} can hold`
      : "must be a number";
    const message = misfit(path, rule, value);
    // deno-lint-ignore valid-typeof
    throw typeof value === type ? new RangeError(message) : new TypeError(message);
  };
}

/** The memory as elements of a scalar. */
export function arrayOf(
  memory: Memory,
  kind: ScalarKind,
): { [index: number]: number | bigint } {
  return memory[kind === "bool" ? "u8" : kind];
}

function unsigned(bits: number): readonly [number, number] {
  return [0, 2 ** bits - 1];
}

function signed(bits: number): readonly [number, number] {
  return [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

function spell(c: string, rust: string, python: string): Spelling {
  return { c, rust, python };
}

/** A whole number from 0 to 255: `uint8_t`. */
export const u8: U8 = new ScalarField({
  kind: "u8",
  size: 1,
  range: unsigned(8),
  accessors: accessors.u8,
  spelling: spell("uint8_t", "u8", "c_uint8"),
});

/** A whole number from -128 to 127: `int8_t`. */
export const i8: I8 = new ScalarField({
  kind: "i8",
  size: 1,
  range: signed(8),
  accessors: accessors.i8,
  spelling: spell("int8_t", "i8", "c_int8"),
});

/** A whole number from 0 to 65,535: `uint16_t`. */
export const u16: U16 = new ScalarField({
  kind: "u16",
  size: 2,
  range: unsigned(16),
  accessors: accessors.u16,
  spelling: spell("uint16_t", "u16", "c_uint16"),
});

/** A whole number from -32,768 to 32,767: `int16_t`. */
export const i16: I16 = new ScalarField({
  kind: "i16",
  size: 2,
  range: signed(16),
  accessors: accessors.i16,
  spelling: spell("int16_t", "i16", "c_int16"),
});

/** A whole number from 0 to 4,294,967,295: `uint32_t`. */
export const u32: U32 = new ScalarField({
  kind: "u32",
  size: 4,
  range: unsigned(32),
  accessors: accessors.u32,
  spelling: spell("uint32_t", "u32", "c_uint32"),
});

/** A whole number from -2,147,483,648 to 2,147,483,647: `int32_t`. */
export const i32: I32 = new ScalarField({
  kind: "i32",
  size: 4,
  range: signed(32),
  accessors: accessors.i32,
  spelling: spell("int32_t", "i32", "c_int32"),
});

/** A bigint from 0 to 2^64 - 1: `uint64_t`. */
export const u64: U64 = new ScalarField({
  kind: "u64",
  size: 8,
  range: [0n, 2n ** 64n - 1n],
  accessors: accessors.u64,
  spelling: spell("uint64_t", "u64", "c_uint64"),
});

/** A bigint from -2^63 to 2^63 - 1: `int64_t`. */
export const i64: I64 = new ScalarField({
  kind: "i64",
  size: 8,
  range: [-(2n ** 63n), 2n ** 63n - 1n],
  accessors: accessors.i64,
  spelling: spell("int64_t", "i64", "c_int64"),
});

/**
 * A number in half precision, IEEE 754 binary16, rounded to the nearest. Other languages get its 16
 * bits as an integer, since few of their compilers have the type.
 */
export const f16: F16 = new ScalarField({
  kind: "f16",
  size: 2,
  limit: accessors.F16_LIMIT,
  accessors: accessors.f16,
  spelling: spell("uint16_t", "u16", "c_uint16"),
});

/** A number in single precision, rounded to the nearest: `float`. */
export const f32: F32 = new ScalarField({
  kind: "f32",
  size: 4,
  limit: accessors.F32_LIMIT,
  accessors: accessors.f32,
  spelling: spell("float", "f32", "c_float"),
});

/** A number: `double`. */
export const f64: F64 = new ScalarField({
  kind: "f64",
  size: 8,
  accessors: accessors.f64,
  spelling: spell("double", "f64", "c_double"),
});

/** A truth value: `bool`. Whatever a peer wrote that is not zero is true. */
export const bool: Bool = new ScalarField({
  kind: "bool",
  size: 1,
  accessors: accessors.bool,
  spelling: spell("bool", "bool", "c_bool"),
});

/** All scalars, by the name of their kind. */
export const SCALARS: ReadonlyMap<string, Scalar<ScalarKind, unknown>> = new Map(
  [u8, i8, u16, i16, u32, i32, u64, i64, f16, f32, f64, bool].map((
    field,
  ) => [field.kind, field as Scalar<ScalarKind, unknown>]),
);

const SMALL_INTEGERS: readonly unknown[] = [u8, i8, u16, i16, u32, i32];

/** Whether a field is a scalar of this folder. */
export function isScalar(field: unknown): field is Scalar<ScalarKind, unknown> {
  return field instanceof ScalarField;
}

/** Throws unless a field is a whole number of at most 32 bits. */
export function checkSmallInteger(field: unknown, what: string, unsignedOnly: boolean): void {
  const kind = isScalar(field) ? field.kind : undefined;
  if (SMALL_INTEGERS.includes(field) && !(unsignedOnly && kind?.startsWith("i"))) return;
  const choice = unsignedOnly ? "u8, u16 or u32" : "u8, i8, u16, i16, u32 or i32";
  throw new TypeError(`${what} must be based on ${choice}, received ${kind ?? show(field)}`);
}
