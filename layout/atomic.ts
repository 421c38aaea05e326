/**
 * Numbers that several processes may change at once.
 *
 * @module
 */

import { INSPECT, jsonOf, VALUE } from "./by_value.ts";
import type { Description } from "./description.ts";
import type { AggregateField } from "./field.ts";
import type { Memory } from "./memory.ts";
import { refuseClosed } from "./messages.ts";
import { arrayOf, type I64, isScalar, type SmallInteger, type U64 } from "./scalar.ts";

/** What can be atomic: every integer. */
export type AtomicBase = SmallInteger | U64 | I64;

/** A number in memory that nobody sees half-changed. Every operation is sequentially consistent. */
export interface AtomicCell<Value extends number | bigint> {
  /** Reads it. */
  load(): Value;
  /** Writes it. */
  store(value: Value): void;
  /** Adds, and wraps around as in C. @returns What it was before; so do the next ones. */
  add(value: Value): Value;
  /** Subtracts, and wraps around as in C. */
  sub(value: Value): Value;
  /** Keeps the bits that the value has too. */
  and(value: Value): Value;
  /** Sets the bits of the value. */
  or(value: Value): Value;
  /** Flips the bits of the value. */
  xor(value: Value): Value;
  /** Writes another value. */
  exchange(value: Value): Value;
  /** Writes another value if it is the expected one. @returns What it was: the expected, if written. */
  compareExchange(expected: Value, replacement: Value): Value;
}

/** A bigint for 64 bits, a number for less. */
export type AtomicValue<Base extends AtomicBase> = Base extends U64 | I64 ? bigint : number;

/** An integer that is changed by atomic operations only. */
export interface Atomic<Base extends AtomicBase>
  extends AggregateField<AtomicValue<Base>, AtomicValue<Base>, AtomicCell<AtomicValue<Base>>> {
  /** The name of the kind. */
  readonly kind: "atomic";
  /** What is in memory. */
  readonly base: Base;
}

/** Any one of the arrays of integers: `Atomics` takes them all alike. */
type Words = Int32Array<ArrayBuffer>;

class Cell implements AtomicCell<number> {
  readonly #words: Words;
  readonly #index: number;
  readonly #base: AtomicBase;
  readonly #path: string;

  constructor(base: AtomicBase, memory: Memory, position: number, path: string) {
    this.#words = arrayOf(memory, base.kind) as unknown as Words;
    this.#index = position / base.size;
    this.#base = base;
    this.#path = path;
    Object.defineProperty(this, VALUE, VALUE_PROPERTY);
  }

  load(): number {
    return Atomics.load(this.#open(), this.#index);
  }

  store(value: number): void {
    Atomics.store(this.#open(), this.#index, this.#checked(value));
  }

  add(value: number): number {
    return Atomics.add(this.#open(), this.#index, this.#checked(value));
  }

  sub(value: number): number {
    return Atomics.sub(this.#open(), this.#index, this.#checked(value));
  }

  and(value: number): number {
    return Atomics.and(this.#open(), this.#index, this.#checked(value));
  }

  or(value: number): number {
    return Atomics.or(this.#open(), this.#index, this.#checked(value));
  }

  xor(value: number): number {
    return Atomics.xor(this.#open(), this.#index, this.#checked(value));
  }

  exchange(value: number): number {
    return Atomics.exchange(this.#open(), this.#index, this.#checked(value));
  }

  compareExchange(expected: number, replacement: number): number {
    return Atomics.compareExchange(
      this.#open(),
      this.#index,
      this.#checked(expected),
      this.#checked(replacement),
    );
  }

  toJSON(): unknown {
    return jsonOf(this.load());
  }

  [INSPECT](): string {
    const value: unknown = this.load();
    return `Atomic ${String(value)}${typeof value === "bigint" ? "n" : ""}`;
  }

  /** The words, when they are still there. */
  #open(): Words {
    return this.#words.length === 0 ? refuseClosed(this.#path) : this.#words;
  }

  #checked(operand: number): number {
    this.#base.check(operand, this.#path, false);
    return operand;
  }
}

const VALUE_PROPERTY: PropertyDescriptor = {
  get(this: Cell) {
    return this.load();
  },
  enumerable: true,
};

class AtomicField<Base extends AtomicBase> implements Atomic<Base> {
  readonly kind = "atomic";
  readonly size: number;
  readonly alignment: number;
  readonly assignable = false;
  readonly plain = true;
  readonly base: Base;

  constructor(base: Base) {
    this.base = base;
    this.size = base.size;
    this.alignment = base.alignment;
    Object.freeze(this);
  }

  describe(): Description {
    return { kind: "atomic", base: this.base.kind };
  }

  attach(memory: Memory, position: number, path: string): AtomicCell<AtomicValue<Base>> {
    return new Cell(this.base, memory, position, path) as unknown as AtomicCell<AtomicValue<Base>>;
  }

  load(memory: Memory, position: number, path: string): AtomicValue<Base> {
    const words = arrayOf(memory, this.base.kind) as unknown as Words;
    if (words.length === 0) refuseClosed(path);
    return Atomics.load(words, position / this.size) as AtomicValue<Base>;
  }

  check(value: unknown, path: string): void {
    this.base.check(value, path, false);
  }

  store(memory: Memory, position: number, value: unknown): void {
    const words = arrayOf(memory, this.base.kind) as unknown as Words;
    Atomics.store(words, position / this.size, value as number);
  }
}

/**
 * Makes a field that is read and changed by atomic operations only: `_Atomic` in C,
 * `std::atomic` in C++. In a plain value it is its number.
 *
 * @param base Any integer; up to 32 bits are faster than 64.
 */
export function atomic<Base extends AtomicBase>(base: Base): Atomic<Base> {
  if (isScalar(base) && base.range !== undefined) return new AtomicField(base);
  throw new TypeError("An atomic field must be based on an integer: u8 to u64, or i8 to i64");
}
