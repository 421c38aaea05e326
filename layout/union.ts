/**
 * The same bytes, seen as several types.
 *
 * @module
 */

import { Composite } from "./composite.ts";
import type { Description } from "./description.ts";
import {
  type AggregateField,
  type Field,
  type Fields,
  type Infer,
  type InferInput,
  roundUp,
} from "./field.ts";
import { checkFields } from "./fields.ts";
import { extentAround } from "./limits.ts";
import { type Memory, placeOf } from "./memory.ts";
import type { StructView } from "./struct.ts";
import type { Member, ViewClass } from "./view.ts";

/** Members that all start at the same byte. */
export interface Union<Members extends Fields> extends
  AggregateField<
    { [K in keyof Members]?: Infer<Members[K]> },
    { readonly [K in keyof Members]?: InferInput<Members[K]> },
    StructView<Members>
  > {
  /** The name of the kind. */
  readonly kind: "union";
}

type Value = Readonly<Record<string, unknown>>;

class UnionField extends Composite {
  readonly kind = "union";
  readonly #viewClasses = new Map<string, ViewClass>();

  constructor(fields: readonly (readonly [string, Field])[]) {
    const size = Math.max(...fields.map(([, field]) => field.size));
    const alignment = Math.max(...fields.map(([, field]) => field.alignment));
    const members = fields.map(([name, field]) => Object.freeze({ name, field, byteOffset: 0 }));
    const extent = extentAround(fields.map(([, field]) => field), "A union");
    super(members, roundUp(size, alignment), alignment, extent);
    Object.freeze(this);
  }

  describe(): Description {
    const members = this.members.map(({ name, field }) => ({ name, type: field.describe() }));
    return { kind: "union", members };
  }

  override check(value: unknown, path: string, _partial: boolean): void {
    try {
      super.check(value, path, true);
    } catch (error) {
      // What was read as a text may be none, or too long for one. It need not be written as that.
      if (!this.#isWritable(value)) throw error;
    }
    if (this.#writers(value as Value) !== undefined) return;
    const names = this.members.map(({ name }) => name);
    const present = this.#present(value as Value).map(({ name }) => name);
    const rule = `must have one of its members, ${names.join(", ")}`;
    const received = present.length === 0
      ? "received none"
      : `received ${present.join(", ")}, which contradict each other`;
    throw new TypeError(`${path} ${rule}; ${received}`);
  }

  override store(memory: Memory, position: number, value: unknown): void {
    const present = this.#present(value as Value);
    if (present.length > 1) {
      // Those that are not written, and what lies between, are as they were tried: over zeros.
      memory.u8.fill(0, position, position + Math.max(...present.map(({ field }) => field.size)));
    }
    for (const { name, field } of this.#writers(value as Value) as Member[]) {
      field.store(memory, position, (value as Value)[name]);
    }
  }

  /** Whether something has several members, and nothing else, of which those to write give the others. */
  #isWritable(value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    return Object.keys(value).every((name) => this.member(name) !== undefined) &&
      this.#present(value as Value).length > 1 && this.#writers(value as Value) !== undefined;
  }

  #present(value: Value): Member[] {
    return this.members.filter(({ name }) => value[name] !== undefined);
  }

  /**
   * The members to write, in this order: the only one; or, of several, those after which all are read
   * as they were given, so that a value that was read can be written. Undefined when there are none.
   */
  #writers(value: Value): Member[] | undefined {
    const present = this.#present(value);
    if (present.length < 2) return present.length === 0 ? undefined : present;
    const { memory } = placeOf(new ArrayBuffer(roundUp(this.size, 8)), 0, this.size);
    const isRead = ({ name }: Member) =>
      isSame((this.load(memory, 0, "union") as Value)[name], value[name]);
    const bySize = present.toSorted((a, b) => b.field.size - a.field.size);
    const writers = bySize.filter((member, index) => {
      if (index > 0 && isRead(member)) return false;
      if (!fits(member, value[member.name])) return false;
      member.field.store(memory, 0, value[member.name]);
      return true;
    });
    return present.every(isRead) ? writers : undefined;
  }

  /** Whoever wrote the bytes meant one member; they may be nonsense as another. */
  protected override loadMember(
    value: Record<string, unknown>,
    name: string,
    field: Field,
    memory: Memory,
    position: number,
    path: string,
  ): void {
    try {
      super.loadMember(value, name, field, memory, position, path);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      delete value[name];
    }
  }

  protected viewClass(path: string): ViewClass {
    let viewClass = this.#viewClasses.get(path);
    if (viewClass === undefined) {
      this.#viewClasses.set(path, viewClass = this.makeViewClass("Union", path));
    }
    return viewClass;
  }
}

/** Whether a member can be written. */
function fits({ name, field }: Member, value: unknown): boolean {
  try {
    field.check(value, name, true);
    return true;
  } catch {
    return false;
  }
}

/** Whether a value that was read is one that was given, as far as that says anything. */
function isSame(read: unknown, given: unknown): boolean {
  if (typeof given !== "object" || given === null) return Object.is(read, given);
  if (typeof read !== "object" || read === null) return false;
  return Object.keys(given).every((key) => isSame((read as Value)[key], (given as Value)[key]));
}

/**
 * Makes a field whose members are different readings of the same bytes.
 *
 * Nothing in memory says which member was written last: put a field beside it that does. A copy has
 * every member that the bytes can be read as. To copy in takes one of them, or several that do not
 * contradict each other: what was read can be written, but for bytes that only a text has and that are
 * no text that fits.
 *
 * @param members What the bytes can be; nothing that synchronises.
 */
export function union<Members extends Fields>(members: Members): Union<Members> {
  const fields = checkFields(members, "A union", "union");
  for (const [name, field] of fields) {
    if (field.plain) continue;
    throw new TypeError(`union.${name} must not be ${field.kind}: it would share its bytes`);
  }
  return new UnionField(fields) as unknown as Union<Members>;
}
