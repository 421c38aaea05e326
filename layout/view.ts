/**
 * The classes of views: one for each layout, with its accessors on the prototype.
 *
 * @module
 */

import { INSPECT, type Inspect, inspectable, jsonOf, VALUE } from "./by_value.ts";
import type { Field, FieldAccessors, ViewBase } from "./field.ts";
import type { Memory } from "./memory.ts";
import { refuseClosed } from "./messages.ts";

/** A field at its place in a struct. */
export interface Member {
  readonly name: string;
  readonly field: Field;
  /** In bytes from the start of the struct. */
  readonly byteOffset: number;
}

/** Makes a view of the struct that starts at a position. */
export type ViewClass = new (memory: Memory, position: number) => object;

/** Hidden, so that printing and comparing see the value alone. */
const HIDDEN: PropertyDescriptor = { value: undefined, writable: true };
const SHAPE: PropertyDescriptorMap = {
  "~memory": HIDDEN,
  "~base": HIDDEN,
  "~held": HIDDEN,
  [VALUE]: { get: valueOf, enumerable: true },
};

/**
 * What all views have in common. Accessors find it by names that no field can have.
 *
 * It extends `Object` for JSC's sake. Objects that the constructors of this source make, with another
 * prototype for each layout, would all get one hidden class that has no prototype of its own
 * ("poly proto"): then accessors are not compiled into their callers, at ten times the cost.
 */
abstract class View extends Object implements ViewBase {
  declare readonly "~memory": Memory;
  declare readonly "~base": number;
  /** The objects of its aggregates, each made when it is first asked for. */
  declare readonly "~held": unknown[];

  constructor(memory: Memory, position: number) {
    super();
    Object.defineProperties(this, SHAPE);
    const own = this as { -readonly [Key in keyof View]: View[Key] };
    own["~memory"] = memory;
    own["~base"] = position;
    own["~held"] = [];
    Object.preventExtensions(this); // a name that is misspelled would be a property, and no field
  }
}

/**
 * Makes the class of a layout's views.
 *
 * @param name What it is called when it is printed.
 * @param path What precedes the names of members in messages.
 * @param load Copies the value out.
 */
export function makeViewClass(
  name: string,
  path: string,
  members: readonly Member[],
  load: (memory: Memory, position: number, path: string) => unknown,
): ViewClass {
  const Class = { [name]: class extends View {} }[name] as ViewClass;
  const { prototype } = Class;
  let aggregates = 0;
  for (const { name, field, byteOffset } of members) {
    const memberPath = `${path}.${name}`;
    const property = field.assignable
      ? field.accessors?.(byteOffset, memberPath) ?? valueAccessors(field, byteOffset, memberPath)
      : {
        get: aggregateGetter(field, byteOffset, memberPath, aggregates++),
        set: () => refuseAssignment(memberPath, field.plain),
      };
    Object.defineProperty(prototype, name, { ...property, enumerable: true, configurable: true });
  }
  const own: Record<PropertyKey, unknown> = {
    toJSON(this: View): unknown {
      return jsonOf(load(this["~memory"], this["~base"], path));
    },
    [INSPECT](this: View, _depth: unknown, options: unknown, inspect?: Inspect): unknown {
      const shown = Object.fromEntries(members.map(({ name }) => [
        name,
        inspectable(() => (this as unknown as Record<string, unknown>)[name]),
      ]));
      return inspect === undefined ? shown : `${Class.name} ${inspect(shown, options)}`;
    },
    "~load"(this: View): unknown {
      return load(this["~memory"], this["~base"], path);
    },
  };
  for (const key of Reflect.ownKeys(own)) {
    Object.defineProperty(prototype, key, { value: own[key], configurable: true, writable: true });
  }
  return Class;
}

function refuseAssignment(path: string, hasValue: boolean): never {
  const reason = hasValue ? "change its elements or members, or use assign()" : "it has no value";
  throw new TypeError(`${path} cannot be assigned to: ${reason}`);
}

function valueOf(this: { "~load"?(): unknown }): unknown {
  return this["~load"]?.();
}

function valueAccessors(field: Field, byteOffset: number, path: string): FieldAccessors {
  return {
    get() {
      return field.load(this["~memory"], this["~base"] + byteOffset, path);
    },
    set(value) {
      field.check(value, path, false);
      const memory = this["~memory"];
      if (memory.u8[this["~base"]] === undefined) refuseClosed(path);
      field.store(memory, this["~base"] + byteOffset, value);
    },
  };
}

function aggregateGetter(
  field: Field,
  byteOffset: number,
  path: string,
  index: number,
): (this: View) => unknown {
  return function () {
    const memory = this["~memory"];
    if (memory.u8[this["~base"]] === undefined) refuseClosed(path);
    return this["~held"][index] ??= field.attach(memory, this["~base"] + byteOffset, path);
  };
}
