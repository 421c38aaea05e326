/**
 * One name, one struct: other languages have one space of names for all types.
 *
 * @module
 */

import { isAligned } from "./align.ts";
import { isArray } from "./array.ts";
import { Composite } from "./composite.ts";
import type { Field } from "./field.ts";

/** A struct, as far as it matters to its name. */
type Named = Composite & { readonly name: string };

/** The fields that a field consists of. */
export function partsOf(field: Field): readonly Field[] {
  if (field instanceof Composite) return field.members.map((member) => member.field);
  if (isArray(field)) return [field.element];
  return isAligned(field) ? [field.field] : [];
}

/** The structs within a struct and it, those that others need first. Equal ones once. */
export function structsIn(root: Named): Named[] {
  const found = new Map<string, Named>();
  const seen = new Set<Field>();
  const visit = (field: Field): void => {
    if (seen.has(field)) return;
    seen.add(field);
    partsOf(field).forEach(visit);
    if (field.kind !== "struct") return;
    const named = field as Named;
    const other = found.get(named.name);
    if (other === undefined) {
      found.set(named.name, named);
    } else if (JSON.stringify(other.describe()) !== JSON.stringify(named.describe())) {
      throw new TypeError(
        `${root.name} must not contain two different structs named ${named.name}`,
      );
    }
  };
  visit(root);
  return [...found.values()];
}

/** Throws when two different structs within a struct have one name. */
export function checkSameNames(root: Named): void {
  structsIn(root);
}
