/**
 * Structs: fields in the order and at the offsets of a C compiler.
 *
 * @module
 */

import { toC } from "./c.ts";
import { Composite, placeInSequence } from "./composite.ts";
import type { StructDescription } from "./description.ts";
import type {
  AggregateField,
  Field,
  Fields,
  Flat,
  Infer,
  InferInput,
  InferLive,
  InferView,
  Patch,
  ValueKey,
} from "./field.ts";
import { checkFields } from "./fields.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { extentAround, MAX_SIZE } from "./limits.ts";
import { type Memory, placeOf } from "./memory.ts";
import { misfit, show } from "./messages.ts";
import { checkName } from "./names.ts";
import { byteOffsetOf } from "./paths.ts";
import { toPython } from "./python.ts";
import { toRust } from "./rust.ts";
import { checkSameNames } from "./struct_names.ts";
import type { ViewClass } from "./view.ts";

/** The plain value of a struct. */
export type StructValue<M extends Fields> = {
  -readonly [K in keyof M as ValueKey<M, K>]: Infer<M[K]>;
};

/** What a struct is written from. */
export type StructInput<M extends Fields> = {
  readonly [K in keyof M as ValueKey<M, K>]: InferInput<M[K]>;
};

/** The fields that are assigned. */
export type AssignableKey<M extends Fields> = {
  [K in keyof M]: M[K] extends { readonly assignable: true } ? K : never;
}[keyof M];

/** A view of a struct in plain memory: scalars are assigned, all else is changed by its methods. */
export type StructView<M extends Fields> = Flat<
  & { -readonly [K in AssignableKey<M>]: InferView<M[K]> }
  & { readonly [K in Exclude<keyof M, AssignableKey<M>>]: InferView<M[K]> }
>;

/** A view of a struct in a shared object. */
export type StructLive<M extends Fields> = Flat<
  & { -readonly [K in AssignableKey<M>]: InferLive<M[K]> }
  & { readonly [K in Exclude<keyof M, AssignableKey<M>>]: InferLive<M[K]> }
>;

/** A layout: a struct that has a name, and so can be read and written in memory. */
export interface Struct<M extends Fields>
  extends AggregateField<StructValue<M>, StructInput<M>, StructView<M>, StructLive<M>> {
  /** The name of the kind. */
  readonly kind: "struct";
  /** As other languages call it. */
  readonly name: string;
  /** In the order of memory. */
  readonly fields: M;
  /** 64 bits in hexadecimal, equal for equal layouts only: of all names, types and offsets. */
  readonly fingerprint: string;
  /**
   * Finds a field.
   *
   * @param path As in `"position"`, `"stats.level"`, `"items[3].id"`.
   * @returns Its offset from the start of the struct, in bytes.
   * @throws {RangeError} When there is no such field.
   */
  offsetOf(path: string): number;
  /**
   * Makes a live view: its properties are the memory.
   *
   * A scalar is read and written by one access, so that a peer never sees half of it; nothing is
   * said about the order of two accesses, for which there are `atomic` fields. After the memory was
   * closed every property throws a `TypeError`.
   *
   * @param bytes The memory.
   * @param byteOffset Where the struct starts in it.
   * @throws {RangeError} When the struct is not within the bytes, or not aligned there.
   */
  view(bytes: Uint8Array<ArrayBuffer>, byteOffset?: number): StructView<M>;
  /**
   * Copies the value out. It may be torn if a peer writes meanwhile.
   *
   * @param bytes The memory, which need not be aligned.
   * @param byteOffset Where the struct starts in it.
   * @param into What an earlier call gave, to be filled again.
   * @throws {RangeError} When the struct is not within the bytes, or an enumeration holds a number
   *   that has no name.
   */
  read(
    bytes: Uint8Array<ArrayBuffer>,
    byteOffset?: number,
    into?: StructValue<M>,
  ): StructValue<M>;
  /**
   * Checks a whole value, then copies it in.
   *
   * @param bytes The memory, which need not be aligned.
   * @param value All fields.
   * @param byteOffset Where the struct starts in it.
   * @throws {TypeError} When something is missing, unknown or of the wrong type.
   * @throws {RangeError} When something does not fit. In either case nothing has been written.
   */
  write(bytes: Uint8Array<ArrayBuffer>, value: StructInput<M>, byteOffset?: number): void;
  /** As {@linkcode write}, of some fields: members that are left out, at any depth, stay as they are. */
  assign(bytes: Uint8Array<ArrayBuffer>, patch: Patch<Struct<M>>, byteOffset?: number): void;
  /** The layout as JSON, from which `fromDescription` makes it again. */
  describe(): StructDescription;
  /**
   * Makes a header for C and C++, which asserts size and offsets when it is compiled.
   *
   * On Linux it also has functions that open a shared object of this layout, here of one named
   * `Player`. They check that the object has the layout, and never create it or change its size: the
   * usual `O_CREAT` and `ftruncate` would cut off what lies behind the struct.
   *
   * ```c
   * Player *player = Player_open("name");                   // NULL and errno when it cannot
   * const Player *looker = Player_open_readonly("name");
   * Player_close(player);                                   // 0, or -1 and errno
   * ```
   *
   * `errno` is `ENOENT` when there is none, `EAGAIN` when it is not finished yet or just being
   * removed, `EPROTO` when it has another layout, `EINVAL` when it is no memory, `ELOOP` when it is a
   * symbolic link, or whatever else the system says. An object that another program made of the
   * struct's size, exactly or in whole pages, is opened as well. An object of lifetime
   * `"lastDetach"` stays until it is closed. A program that defines `SHMKIT_NO_OPEN` before it
   * includes the header is without the functions; where `shm_open(3)` is in a library of its own, the
   * others are linked with `-lrt`. A name that C or the system's headers have already, such as
   * `class` or `stat`, gets an underscore behind it.
   */
  toC(): string;
  /** Makes a module for Rust, which asserts size and offsets when it is compiled. */
  toRust(): string;
  /** Makes a module for Python's ctypes, which asserts size and offsets when it is loaded. */
  toPython(): string;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A {@linkcode Struct} of fields that are anything. */
class StructField extends Composite {
  readonly kind = "struct";
  override readonly assignable = false;
  readonly name: string;
  readonly fields: Fields;
  readonly #viewClass: ViewClass;
  #fingerprint: string | undefined;

  constructor(name: string, entries: readonly (readonly [string, Field])[]) {
    const { members, size, alignment } = placeInSequence(entries);
    if (size > MAX_SIZE) {
      throw new RangeError(`${name} must have at most ${MAX_SIZE} bytes, has ${size}`);
    }
    super(members, size, alignment, extentAround(entries.map(([, field]) => field), name));
    this.name = name;
    this.fields = Object.freeze(Object.fromEntries(entries));
    this.#viewClass = this.makeViewClass(name, name);
    checkSameNames(this);
  }

  get fingerprint(): string {
    return this.#fingerprint ??= fingerprintOf(this.describe());
  }

  offsetOf(path: string): number {
    return byteOffsetOf(this, path);
  }

  view(bytes: Bytes, byteOffset: number = 0): StructView<Fields> {
    const start = this.#start(bytes, byteOffset);
    if (start % this.alignment !== 0) {
      const rule = `must start at a multiple of ${this.alignment} bytes to be viewed`;
      throw new RangeError(misfit(this.name, rule, start));
    }
    const { memory, position } = placeOf(bytes.buffer, start, this.size);
    return this.attach(memory, position) as StructView<Fields>;
  }

  read(bytes: Bytes, byteOffset: number = 0, into?: object): StructValue<Fields> {
    const start = this.#start(bytes, byteOffset);
    const isAligned = start % Math.min(8, this.alignment) === 0;
    const { memory, position } = isAligned
      ? placeOf(bytes.buffer, start, this.size)
      : placeOf(bytes.slice(byteOffset, byteOffset + this.size).buffer, 0, this.size);
    return this.load(memory, position, this.name, into) as StructValue<Fields>;
  }

  write(bytes: Bytes, value: object, byteOffset: number = 0): void {
    this.#write(bytes, value, byteOffset, false);
  }

  assign(bytes: Bytes, patch: object, byteOffset: number = 0): void {
    this.#write(bytes, patch, byteOffset, true);
  }

  override describe(): StructDescription {
    return {
      kind: "struct",
      name: this.name,
      size: this.size,
      alignment: this.alignment,
      fields: this.members.map(({ name, field, byteOffset }) => ({
        name,
        offset: byteOffset,
        type: field.describe(),
      })),
    };
  }

  toC(): string {
    return toC(this);
  }

  toRust(): string {
    return toRust(this);
  }

  toPython(): string {
    return toPython(this);
  }

  override attach(memory: Memory, position: number): object {
    return new this.#viewClass(memory, position);
  }

  protected viewClass(): ViewClass {
    return this.#viewClass;
  }

  #write(bytes: Bytes, value: object, byteOffset: number, partial: boolean): void {
    const start = this.#start(bytes, byteOffset);
    this.check(value, this.name, partial);
    if (start % Math.min(8, this.alignment) === 0) {
      const { memory, position } = placeOf(bytes.buffer, start, this.size);
      return this.store(memory, position, value);
    }
    const copy = bytes.slice(byteOffset, byteOffset + this.size);
    this.store(placeOf(copy.buffer, 0, this.size).memory, 0, value);
    bytes.set(copy, byteOffset);
  }

  /** Where in the buffer the struct starts. */
  #start(bytes: Bytes, byteOffset: number): number {
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(misfit(this.name, "must be in a Uint8Array", bytes));
    }
    const last = bytes.length - this.size;
    if (typeof byteOffset !== "number") {
      throw new TypeError(
        `byteOffset of ${this.name} must be a number, received ${show(byteOffset)}`,
      );
    }
    if (Number.isInteger(byteOffset) && byteOffset >= 0 && byteOffset <= last) {
      return bytes.byteOffset + byteOffset;
    }
    throw last < 0
      ? new RangeError(`${this.name} needs ${this.size} bytes, received ${bytes.length}`)
      : new RangeError(
        `byteOffset of ${this.name} must be an integer from 0 to ${last}, received ${byteOffset}`,
      );
  }
}

/**
 * Makes a layout: fields at the offsets that a C compiler gives them.
 *
 * @param name As other languages call it.
 * @param fields By name, in the order of memory.
 * @throws {TypeError} When a name or a field cannot be one.
 * @throws {RangeError} When it is too large: 1 GiB, 65,536 fields, or nested 16 deep.
 *
 * @example A view, and a copy
 * ```ts
 * import { array, f64, struct, u32 } from "@shmkit/shmkit/layout";
 *
 * const Player = struct("Player", { id: u32, position: array(f64, 3) });
 * const bytes = new Uint8Array(Player.size);
 * const player = Player.view(bytes);
 * player.id = 7;
 * player.position[0] = 1.5;
 * console.log(Player.read(bytes)); // { id: 7, position: [ 1.5, 0, 0 ] }
 * ```
 */
export function struct<const M extends Fields>(name: string, fields: M): Struct<M> {
  checkName(name, "A struct");
  return new StructField(name, checkFields(fields, name, name)) as unknown as Struct<M>;
}

/** Whether a field is made by {@linkcode struct}. */
export function isStruct(field: unknown): field is Struct<Fields> & Composite {
  return field instanceof StructField;
}
