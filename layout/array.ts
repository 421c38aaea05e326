/**
 * A fixed number of equal fields behind each other.
 *
 * @module
 */

import { INSPECT, type Inspect, jsonOf, VALUE } from "./by_value.ts";
import type { Description } from "./description.ts";
import {
  type AggregateField,
  type Field,
  type Infer,
  type InferInput,
  type InferLive,
  type InferView,
  isField,
} from "./field.ts";
import { checkSize, type Extent, extentAround, MAX_OBJECTS, MAX_SIZE } from "./limits.ts";
import type { Memory, NumberArrays } from "./memory.ts";
import { misfit, refuseClosed, show } from "./messages.ts";
import { arrayOf, isScalar, type ScalarKind } from "./scalar.ts";
import { checkArrayLike } from "./text.ts";

/** An array in memory of what is neither a number nor an object: truth values, names, texts. */
export interface Elements<Value> extends Iterable<Value> {
  /** The number of elements. */
  readonly length: number;
  /** Reads an element; a negative index counts from the end. Throws outside, as `set` does. */
  at(index: number): Value;
  /** Writes an element. */
  set(index: number, value: Value): void;
}

/** What a view has for an array. */
export type ArrayView<Element extends Field, View> = Element extends
  { readonly kind: infer Kind extends keyof NumberArrays } ? NumberArrays[Kind]
  : Element extends { readonly assignable: true } ? Elements<Infer<Element>>
  : readonly View[];

/** A fixed number of equal fields. */
export interface ArrayOf<Element extends Field> extends
  AggregateField<
    [Infer<Element>] extends [never] ? never : Infer<Element>[],
    [Infer<Element>] extends [never] ? never : ArrayLike<InferInput<Element>>,
    ArrayView<Element, InferView<Element>>,
    ArrayView<Element, InferLive<Element>>
  > {
  /** The name of the kind. */
  readonly kind: "array";
  /** What it is an array of. */
  readonly element: Element;
  /** The number of elements. */
  readonly length: number;
}

class ElementsInMemory implements Elements<unknown> {
  readonly length: number;
  readonly #field: Field;
  readonly #memory: Memory;
  readonly #position: number;
  readonly #path: string;

  constructor(array: ArrayField, memory: Memory, position: number, path: string) {
    this.length = array.length;
    this.#field = array.element;
    this.#memory = memory;
    this.#position = position;
    this.#path = path;
    Object.defineProperty(this, VALUE, VALUE_PROPERTY);
  }

  at(index: number): unknown {
    const place = this.#check(index < 0 ? index + this.length : index, index);
    return this.#field.load(this.#memory, place, this.#path);
  }

  set(index: number, value: unknown): void {
    const place = this.#check(index, index);
    this.#field.check(value, `${this.#path}[${index}]`, false);
    this.#field.store(this.#memory, place, value);
  }

  *[Symbol.iterator](): Generator<unknown> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  toJSON(): unknown {
    return jsonOf([...this]);
  }

  [INSPECT](_depth: unknown, options: unknown, inspect?: Inspect): unknown {
    const shown = [...this];
    return inspect === undefined ? shown : `Elements ${inspect(shown, options)}`;
  }

  #check(index: number, received: unknown): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.length)) {
      const rule = `must have an index from 0 to ${this.length - 1}`;
      throw new RangeError(misfit(this.#path, rule, received));
    }
    const place = this.#position + index * this.#field.size;
    if (this.#memory.u8[place] === undefined) refuseClosed(this.#path);
    return place;
  }
}

const VALUE_PROPERTY: PropertyDescriptor = {
  get(this: ElementsInMemory) {
    return [...this];
  },
  enumerable: true,
};

class ArrayField implements Field {
  readonly kind = "array";
  readonly size: number;
  readonly alignment: number;
  readonly assignable = false;
  readonly plain: boolean;
  readonly rowByteLength: number;
  readonly extent: Extent;
  readonly element: Field;
  readonly length: number;
  /** The kind of its numbers, when it is an array of these. */
  readonly #numbers: ScalarKind | undefined;

  constructor(element: Field, length: number) {
    this.element = element;
    this.length = length;
    this.size = element.size * length;
    this.alignment = element.alignment;
    this.plain = element.plain;
    this.rowByteLength = (element.rowByteLength ?? 0) * length;
    this.extent = extentAround([element], "An array");
    this.#numbers = isScalar(element) && element.kind !== "bool" ? element.kind : undefined;
    Object.freeze(this);
  }

  describe(): Description {
    return { kind: "array", element: this.element.describe(), length: this.length };
  }

  attach(memory: Memory, position: number, path: string): unknown {
    const { element, length } = this;
    if (this.#numbers !== undefined) return this.#typedArray(memory, position);
    if (element.assignable) return new ElementsInMemory(this, memory, position, path);
    const elementPath = path.endsWith("[]") ? path : `${path}[]`;
    return Object.freeze(
      Array.from(
        { length },
        (_, index) => element.attach(memory, position + index * element.size, elementPath),
      ),
    );
  }

  load(memory: Memory, position: number, path: string, into?: unknown): unknown[] {
    const { element, length } = this;
    const values: unknown[] = Array.isArray(into) ? into : [];
    values.length = length;
    if (memory.u8[position] === undefined) refuseClosed(path);
    if (this.#numbers !== undefined) {
      const numbers = this.#typedArray(memory, position);
      for (let index = 0; index < length; index++) values[index] = numbers[index];
      return values;
    }
    for (let index = 0; index < length; index++) {
      const place = position + index * element.size;
      values[index] = element.load(memory, place, `${path}[${index}]`, values[index]);
    }
    return values;
  }

  check(value: unknown, path: string): void {
    checkArrayLike(value, this.length, "elements", path);
    for (let index = 0; index < this.length; index++) {
      this.element.check(value[index], `${path}[${index}]`, false);
    }
  }

  store(memory: Memory, position: number, value: unknown): void {
    const { element, length } = this;
    for (let index = 0; index < length; index++) {
      element.store(memory, position + index * element.size, (value as ArrayLike<unknown>)[index]);
    }
  }

  #typedArray(memory: Memory, position: number): ArrayLike<number | bigint> {
    const whole = arrayOf(memory, this.#numbers as ScalarKind) as unknown as Uint8Array;
    const first = position / this.element.size;
    return whole.subarray(first, first + this.length);
  }
}

/**
 * Makes an array of a fixed length: `T name[length]` in C. Of arrays for more dimensions.
 *
 * Views have a typed array for numbers, a frozen array of views for structs and other objects, and
 * {@linkcode Elements} for the rest. Values are arrays, and may be written from any array-like.
 *
 * @param element What it is an array of.
 * @param length The number of elements, from 1 on.
 */
export function array<Element extends Field>(
  element: Element,
  length: number,
): ArrayOf<Element> {
  if (!isField(element)) {
    throw new TypeError(misfit("An array", "must be made of a field", element));
  }
  checkSize(length, "an array", 1);
  if (element.size * length > MAX_SIZE) {
    throw new RangeError(
      `An array must have at most ${MAX_SIZE} bytes, has ${element.size * length}`,
    );
  }
  if (!element.assignable && length > MAX_OBJECTS) {
    throw new RangeError(`An array of ${element.kind} must have at most ${MAX_OBJECTS} elements`);
  }
  if (element.size % element.alignment !== 0) {
    const rule = `An array must have elements whose size is a multiple of their alignment`;
    throw new TypeError(`${rule}, received ${show(element.size)} and ${element.alignment}`);
  }
  return new ArrayField(element, length) as unknown as ArrayOf<Element>;
}

/** Whether a field is made by {@linkcode array}. */
export function isArray(field: Field): field is Field & { element: Field; length: number } {
  return field instanceof ArrayField;
}
