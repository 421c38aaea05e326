/**
 * What every kind of field is: the protocol that scalars, structs and arrays implement here, and that
 * fields from elsewhere (locks, for instance) implement outside this folder.
 *
 * @module
 */

import type { Description } from "./description.ts";
import type { Memory } from "./memory.ts";

/** What a field is to the compiler. Never there at run time. */
export interface FieldTypes<Value, Input, View, Live> {
  /** Copied out; `never` for a field that has no value, such as a lock. */
  readonly value: Value;
  /** Taken to copy in: the value, or whatever else says the same. */
  readonly input: Input;
  /** Seen in plain memory. */
  readonly view: View;
  /** Seen in a shared object, where fields can do what needs more than memory. */
  readonly live: Live;
}

/** How other languages spell a type, and what has to be declared before. */
export interface Spelling {
  /** The type in C and C++. */
  readonly c: string;
  /** The type in Rust. */
  readonly rust: string;
  /** The type in Python: of ctypes, or defined below. */
  readonly python: string;
  /**
   * Definitions that the spelling needs, once in a file. In C that of `struct shmkit_mutex` stands
   * behind `#ifndef SHMKIT_TYPE_struct_shmkit_mutex`: a header that has it, too, defines that macro.
   */
  readonly definitions?: { readonly c?: string; readonly rust?: string; readonly python?: string };
}

/**
 * A part of a layout: how many bytes it takes, and how they are read and written.
 *
 * The methods are for those who implement fields. They take the position in bytes from the start of
 * a {@linkcode Memory}, a multiple of {@linkcode alignment}, and the path of the field for messages.
 */
export interface Field<Value = unknown, Input = unknown, View = unknown, Live = unknown> {
  /** Carries the types for {@linkcode Infer} and its sisters. Never there at run time. */
  readonly "~types"?: FieldTypes<Value, Input, View, Live>;
  /** The name of the kind, as in a description: `u32`, `array`. */
  readonly kind: string;
  /** In bytes. */
  readonly size: number;
  /** In bytes: a power of two. */
  readonly alignment: number;
  /** Whether `view.field = value` writes it. Others are changed through what the view holds. */
  readonly assignable: boolean;
  /**
   * Whether the bytes say all. A field that is not plain has no value: copies leave it out, and
   * unions refuse it.
   */
  readonly plain: boolean;
  /**
   * The bytes that it needs in the row that each participant of a shared object has there, a multiple
   * of 4; none by default. Only fields that synchronise need some. Structs and arrays need what
   * is in them does.
   */
  readonly rowByteLength?: number;
  /** How other languages spell it; absent for the kinds that generators know. */
  readonly spelling?: Spelling;
  /** What identifies it, as JSON. */
  describe(): Description;
  /** Accessors for the prototype of a view, when they can be faster than {@linkcode load}. */
  accessors?(byteOffset: number, path: string): FieldAccessors;
  /** What the property of a view holds; made once for each view. Not called when assignable. */
  attach(memory: Memory, position: number, path: string): View;
  /** Copies the value out, into an object that an earlier call gave when there is one. */
  load(memory: Memory, position: number, path: string, into?: unknown): Value;
  /**
   * Throws unless {@linkcode store} can write the value: a `TypeError` or `RangeError` that starts with
   * the path.
   *
   * @param partial Whether structs may lack members, to be left as they are.
   */
  check(value: unknown, path: string, partial: boolean): void;
  /** Copies a value in that has been checked. */
  store(memory: Memory, position: number, value: unknown): void;
}

/** A getter and a setter, called on a {@linkcode ViewBase}. */
export interface FieldAccessors {
  /** Reads. */
  readonly get: (this: ViewBase) => unknown;
  /** Checks, then writes. */
  readonly set: (this: ViewBase, value: unknown) => void;
}

/** What accessors find in their view. The names cannot be those of fields. */
export interface ViewBase {
  /** The memory that it shows. */
  readonly "~memory": Memory;
  /** Where the struct starts in the memory, in bytes. */
  readonly "~base": number;
}

/** A field whose property in a view is read and assigned. */
export interface ValueField<Value, Input = Value> extends Field<Value, Input, Value, Value> {
  /** Yes. */
  readonly assignable: true;
}

/** A field whose property in a view is an object over the memory. */
export interface AggregateField<Value, Input, View, Live = View>
  extends Field<Value, Input, View, Live> {
  /** No: it is changed by its methods and properties. */
  readonly assignable: false;
}

/** Fields by name, in the order of memory. */
export type Fields = Readonly<Record<string, Field>>;

/** The plain value of a field or layout: what `read()` gives. */
export type Infer<F extends Field> = NonNullable<F["~types"]>["value"];

/** What `write()` takes: the plain value, where any array-like does for an array. */
export type InferInput<F extends Field> = NonNullable<F["~types"]>["input"];

/** The live accessor over plain memory: what `view()` gives. */
export type InferView<F extends Field> = NonNullable<F["~types"]>["view"];

/** The live accessor of a shared object, whose fields also synchronise. */
export type InferLive<F extends Field> = NonNullable<F["~types"]>["live"];

/** An input of which any member, at any depth, may be left out. */
export type Patch<F extends Field> = F extends { readonly fields: infer M extends Fields }
  ? Flat<{ [K in keyof M as ValueKey<M, K>]?: Patch<M[K]> }>
  : F extends { readonly widths: object } ? Partial<InferInput<F>>
  : InferInput<F>;

/** The members that have a value. */
export type ValueKey<M extends Fields, K extends keyof M> = [Infer<M[K]>] extends [never] ? never
  : K;

/** A type as editors should show it: one object, not an intersection. */
export type Flat<T> = { [K in keyof T]: T[K] };

/** Whether something implements the protocol, as far as can be told. */
export function isField(value: unknown): value is Field {
  const field = value as Field;
  return typeof value === "object" && value !== null && typeof field.kind === "string" &&
    Number.isSafeInteger(field.size) && field.size > 0 &&
    isPowerOfTwo(field.alignment) && isRowByteLength(field.rowByteLength) &&
    typeof field.load === "function" &&
    typeof field.store === "function" && typeof field.check === "function" &&
    typeof field.attach === "function" && typeof field.describe === "function";
}

function isRowByteLength(value: unknown): boolean {
  return value === undefined || Number.isSafeInteger(value) && (value as number) >= 0 &&
      (value as number) % 4 === 0;
}

/** 1, 2, 4, ... up to 2^30. */
export function isPowerOfTwo(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 2 ** 30 &&
    (value & (value - 1)) === 0;
}

/** The next multiple of an alignment. */
export function roundUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
