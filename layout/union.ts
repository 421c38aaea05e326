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
import type { Memory } from "./memory.ts";
import type { StructView } from "./struct.ts";
import type { ViewClass } from "./view.ts";

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
    super.check(value, path, true);
    const given = value as Readonly<Record<string, unknown>>;
    const names = this.members.map(({ name }) => name);
    const present = names.filter((name) => given[name] !== undefined);
    if (present.length === 1) return;
    const received = present.join(", ") || "none";
    const rule = `must have exactly one of its members, ${names.join(", ")}`;
    throw new TypeError(`${path} ${rule}; received ${received}`);
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

/**
 * Makes a field whose members are different readings of the same bytes.
 *
 * Nothing in memory says which member was written last: put a field beside it that does. A copy has
 * every member that the bytes can be read as; to copy in takes exactly one.
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
