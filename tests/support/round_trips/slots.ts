/**
 * The fields of a layout one by one, however deep: what every language reads and writes in turn.
 *
 * @module
 */

import { isArray } from "../../../layout/array.ts";
import { withoutAlignment } from "../../../layout/align.ts";
import { Composite } from "../../../layout/composite.ts";
import type { Field, Fields, Struct } from "../../../layout/mod.ts";
import { isPadded, Names } from "../../../layout/spelling.ts";

/** From something to a part of it. */
export type Step =
  | { readonly owner: Composite; readonly name: string }
  /** With `padded`, other languages have the element in a struct, as its `value`. */
  | { readonly index: number; readonly padded: boolean };

/** A field that has no parts. A value of a bit field is one, too. */
export interface Slot {
  /** As in `Player.items[3].id`. */
  readonly path: string;
  readonly steps: readonly Step[];
  /** `bit` for a value of a bit field. */
  readonly kind: string;
  /** The scalar that is in memory, for those that are made of one. */
  readonly base: string;
  /** In bytes; of a bit field, that of the number. */
  readonly size: number;
  /** In bits, for a value of a bit field. */
  readonly width: number;
  /** The numbers of an enumeration. */
  readonly members: Readonly<Record<string, number>>;
  /** How the constants start that other languages have for it. */
  readonly constant: string;
}

/** A union has the slots of all its members: they are not all there at a time. */
export function slotsOf(layout: Struct<Fields>): Slot[] {
  const slots: Slot[] = [];
  visit(layout, { steps: [], path: layout.name, constant: layout.name });
  return slots;

  function visit(field: Field, place: Pick<Slot, "steps" | "path" | "constant">): void {
    const inner = withoutAlignment(field);
    const { steps, path } = place;
    if (isArray(inner)) {
      const padded = isPadded(inner.element);
      for (let index = 0; index < inner.length; index++) {
        const here = { ...place, path: `${path}[${index}]`, steps: [...steps, { index, padded }] };
        visit(inner.element, here);
      }
    } else if (inner instanceof Composite) {
      const start = inner.kind === "struct" ? (inner as { name?: string }).name : place.constant;
      for (const { name, field } of inner.members) {
        const here = {
          path: `${path}.${name}`,
          steps: [...steps, { owner: inner, name }],
          constant: `${start}_${name}`,
        };
        if (inner.kind === "bits") addBits(inner, name, here);
        else visit(field, here);
      }
    } else {
      const { kind, size } = inner;
      const { base, members = {} } = inner as { base?: Field } & Partial<Slot>;
      slots.push({ ...place, kind, size, width: 0, members, base: (base ?? inner).kind });
    }
  }

  function addBits(
    bits: Composite,
    name: string,
    place: Pick<Slot, "steps" | "path" | "constant">,
  ): void {
    const { base, widths } = bits as unknown as { base: Field; widths: Record<string, number> };
    const width = widths[name] as number;
    slots.push({ ...place, kind: "bit", size: bits.size, width, members: {}, base: base.kind });
  }
}

/** How a language calls a member. */
export function spelledWith(
  reserved: string,
): (step: { readonly owner: Composite; readonly name: string }) => string {
  const known = new Map<Composite, ReadonlyMap<string, string>>();
  return ({ owner, name }) => {
    let spelled = known.get(owner);
    if (spelled === undefined) {
      const names = new Names(reserved);
      spelled = new Map(owner.members.map((member) => [member.name, names.make(member.name)]));
      known.set(owner, spelled);
    }
    return spelled.get(name) as string;
  };
}
