/**
 * Paths to fields: `stats.level`, `items[3].id`.
 *
 * @module
 */

import { withoutAlignment } from "./align.ts";
import { isArray } from "./array.ts";
import { Composite } from "./composite.ts";
import type { Field } from "./field.ts";

const STEP = /(?:^|\.)([A-Za-z_]\w*)|\[(\d{1,10})\]/y;

/** The offset of a field within a struct, in bytes. */
export function byteOffsetOf(root: Composite & { readonly name: string }, path: string): number {
  let field: Field = root;
  let byteOffset = 0;
  STEP.lastIndex = 0;
  do {
    const at = STEP.lastIndex;
    const [step, name, index] = STEP.exec(path) ?? [];
    if (step === undefined || (at === 0) !== (name !== undefined && !step.startsWith("."))) {
      STEP.lastIndex = 0;
      throw noSuchField(root, path);
    }
    const inner = withoutAlignment(field);
    const member = name !== undefined && inner instanceof Composite
      ? inner.member(name)
      : undefined;
    if (member !== undefined) {
      byteOffset += member.byteOffset;
      field = member.field;
    } else if (index !== undefined && isArray(inner) && Number(index) < inner.length) {
      byteOffset += Number(index) * inner.element.size;
      field = inner.element;
    } else {
      STEP.lastIndex = 0;
      throw noSuchField(root, path);
    }
  } while (STEP.lastIndex < path.length);
  return byteOffset;
}

function noSuchField({ name }: { readonly name: string }, path: string): RangeError {
  return new RangeError(`${name} must have the field asked for, received ${JSON.stringify(path)}`);
}
