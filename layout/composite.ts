/**
 * What structs, unions and bit fields have in common: members with names, and views of them.
 *
 * @module
 */

import { isAligned } from "./align.ts";
import { isArray } from "./array.ts";
import type { Description } from "./description.ts";
import { type Field, roundUp } from "./field.ts";
import type { Extent } from "./limits.ts";
import type { Memory } from "./memory.ts";
import { misfit, show } from "./messages.ts";
import { makeViewClass, type Member, type ViewClass } from "./view.ts";

/** A field that has members. */
export abstract class Composite implements Field {
  abstract readonly kind: string;
  readonly assignable = false;
  readonly plain: boolean;
  readonly size: number;
  readonly alignment: number;
  readonly rowByteLength: number;
  readonly extent: Extent;
  /** In the order of memory. */
  readonly members: readonly Member[];
  readonly #membersByName: ReadonlyMap<string, Member>;

  constructor(members: readonly Member[], size: number, alignment: number, extent: Extent) {
    this.members = members;
    this.size = size;
    this.alignment = alignment;
    this.extent = extent;
    this.plain = members.every(({ field }) => field.plain);
    this.rowByteLength = members.reduce((sum, { field }) => sum + (field.rowByteLength ?? 0), 0);
    this.#membersByName = new Map(members.map((member) => [member.name, member]));
  }

  abstract describe(): Description;

  /** The class of its views; there may be one for each place where it stands. */
  protected abstract viewClass(path: string): ViewClass;

  /** Finds a member by its name. */
  member(name: string): Member | undefined {
    return this.#membersByName.get(name);
  }

  attach(memory: Memory, position: number, path: string): object {
    return new (this.viewClass(path))(memory, position);
  }

  load(memory: Memory, position: number, path: string, into?: unknown): unknown {
    const value = (typeof into === "object" && into !== null ? into : {}) as Record<
      string,
      unknown
    >;
    for (const { name, field, byteOffset } of this.members) {
      if (isWithoutValue(field)) continue;
      this.loadMember(value, name, field, memory, position + byteOffset, path);
    }
    return value;
  }

  /** Copies a member out to where the value has it. */
  protected loadMember(
    value: Record<string, unknown>,
    name: string,
    field: Field,
    memory: Memory,
    position: number,
    path: string,
  ): void {
    value[name] = field.load(memory, position, `${path}.${name}`, value[name]);
  }

  check(value: unknown, path: string, partial: boolean): void {
    if (typeof value !== "object" || value === null) {
      throw new TypeError(misfit(path, "must be an object", value));
    }
    for (const name of Object.keys(value)) {
      const field = this.#membersByName.get(name)?.field;
      if (field !== undefined && !isWithoutValue(field)) continue;
      const known = [...this.#membersByName.keys()].slice(0, 16).join(", ");
      const why = field === undefined ? `there is no such field among ${known}` : "it has no value";
      throw new TypeError(`${path}.${name} cannot be written: ${why}`);
    }
    const given = value as Readonly<Record<string, unknown>>;
    for (const { name, field } of this.members) {
      if (isWithoutValue(field)) continue;
      const part = given[name];
      if (part !== undefined) field.check(part, `${path}.${name}`, partial);
      else if (!partial) throw new TypeError(`${path}.${name} is missing in ${show(value)}`);
    }
  }

  store(memory: Memory, position: number, value: unknown): void {
    const given = value as Readonly<Record<string, unknown>>;
    for (const { name, field, byteOffset } of this.members) {
      if (isWithoutValue(field)) continue;
      const part = given[name];
      if (part !== undefined) field.store(memory, position + byteOffset, part);
    }
  }

  /** Makes a class of its views. */
  protected makeViewClass(name: string, path: string): ViewClass {
    return makeViewClass(
      name,
      path,
      this.members,
      (memory, position) => this.load(memory, position, path),
    );
  }
}

/** Whether a field has no value at all. A struct always has one: of the members that have. */
export function isWithoutValue(field: Field): boolean {
  if (field.plain || field instanceof Composite) return false;
  if (isArray(field)) return isWithoutValue(field.element);
  return !isAligned(field) || isWithoutValue(field.field);
}

/** Puts fields behind each other as a C compiler does. */
export function placeInSequence(
  fields: readonly (readonly [name: string, field: Field])[],
): { members: Member[]; size: number; alignment: number } {
  let [end, alignment] = [0, 1];
  const members = fields.map(([name, field]) => {
    const byteOffset = roundUp(end, field.alignment);
    end = byteOffset + field.size;
    alignment = Math.max(alignment, field.alignment);
    return Object.freeze({ name, field, byteOffset });
  });
  return { members, size: roundUp(end, alignment), alignment };
}
