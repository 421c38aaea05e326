/**
 * Names for whole numbers.
 *
 * @module
 */

import type { Description } from "./description.ts";
import type { ValueField } from "./field.ts";
import type { Memory } from "./memory.ts";
import { misfit, show } from "./messages.ts";
import { checkName } from "./names.ts";
import { checkSmallInteger, type SmallInteger } from "./scalar.ts";

/** A whole number that has one of some values, each with a name. */
export interface Enumeration<Name extends string> extends ValueField<Name> {
  /** The name of the kind. */
  readonly kind: "enumeration";
  /** What is in memory. */
  readonly base: SmallInteger;
  /** The number of each name. */
  readonly members: Readonly<Record<Name, number>>;
}

class EnumerationField<Name extends string> implements Enumeration<Name> {
  readonly kind = "enumeration";
  readonly size: number;
  readonly alignment: number;
  readonly assignable = true;
  readonly plain = true;
  readonly base: SmallInteger;
  readonly members: Readonly<Record<Name, number>>;
  readonly #names: ReadonlyMap<number, Name>;
  readonly #numbers: ReadonlyMap<unknown, number>;

  constructor(base: SmallInteger, members: Readonly<Record<Name, number>>) {
    const entries = Object.entries(members) as [Name, number][];
    if (entries.length === 0) throw new TypeError("An enumeration must have a member");
    const names = new Map<number, Name>();
    for (const [name, number] of entries) {
      checkName(name, "A member of an enumeration");
      if (typeof number !== "number") {
        throw new TypeError(misfit(name, "must be a number", number));
      }
      base.check(number, name, false);
      const other = names.get(number);
      if (other !== undefined) {
        throw new TypeError(`${name} must not be ${number}, which is the value of ${other}`);
      }
      names.set(number, name);
    }
    this.base = base;
    this.size = base.size;
    this.alignment = base.alignment;
    this.members = Object.freeze(Object.fromEntries(entries)) as Readonly<Record<Name, number>>;
    this.#names = names;
    this.#numbers = new Map(entries);
    Object.freeze(this);
  }

  describe(): Description {
    return { kind: "enumeration", base: this.base.kind, members: { ...this.members } };
  }

  attach(memory: Memory, position: number, path: string): Name {
    return this.load(memory, position, path);
  }

  load(memory: Memory, position: number, path: string): Name {
    const number = this.base.load(memory, position, path);
    const name = this.#names.get(number);
    if (name !== undefined) return name;
    throw new RangeError(`${path} holds ${number} in memory, which is none of ${this.#choice()}`);
  }

  check(value: unknown, path: string): void {
    if (this.#numbers.has(value)) return;
    const message = `${path} must be one of ${this.#choice()}, received ${show(value)}`;
    throw typeof value === "string" ? new RangeError(message) : new TypeError(message);
  }

  store(memory: Memory, position: number, value: unknown): void {
    this.base.store(memory, position, this.#numbers.get(value));
  }

  #choice(): string {
    const shown = [...this.#names].slice(0, 16).map(([number, name]) => `"${name}" (${number})`);
    return shown.join(", ") + (this.#names.size > 16 ? ", ..." : "");
  }
}

/**
 * Makes a field that holds one of some names, each with a number in memory. A number that no name
 * has, written by a peer, is a `RangeError` when it is read.
 *
 * @param base What is in memory: an integer of at most 32 bits.
 * @param members The number of each name.
 */
export function enumeration<const Members extends Readonly<Record<string, number>>>(
  base: SmallInteger,
  members: Members,
): Enumeration<keyof Members & string> {
  checkSmallInteger(base, "An enumeration", false);
  return new EnumerationField<keyof Members & string>(base, members);
}
