/**
 * Where in the row of a participant the fields have their entries.
 *
 * Each who takes part in an object has a row of its own, which no one else writes. A field that needs
 * room there, as a read-write lock does for those who share it, says how much
 * ({@linkcode Field.rowByteLength}). The entries stand in the order of the fields' positions, without
 * gaps: so they follow from the layout, and are written down nowhere.
 *
 * @module
 */

import { isAligned } from "./align.ts";
import { isArray } from "./array.ts";
import { Composite } from "./composite.ts";
import type { Field } from "./field.ts";

/**
 * Finds the entry of a field. Takes as long as the layout is deep, however long its arrays are.
 *
 * @param layout The whole layout.
 * @param position Where the field is, in bytes from the start of the layout.
 * @returns Where its entry is, in bytes from the start of a row; undefined when there is no such field.
 */
export function rowOffsetOf(layout: Field, position: number): number | undefined {
  if (!((layout.rowByteLength ?? 0) > 0 && position >= 0 && position < layout.size)) {
    return undefined;
  }
  if (isAligned(layout)) return rowOffsetOf(layout.field, position);
  if (isArray(layout)) {
    const { element } = layout;
    const index = Math.floor(position / element.size);
    const before = index * (element.rowByteLength as number);
    return offsetBy(before, rowOffsetOf(element, position - index * element.size));
  }
  if (!(layout instanceof Composite)) return position === 0 ? 0 : undefined;
  const found = memberAt(rowsOf(layout), position);
  return found && offsetBy(found.before, rowOffsetOf(found.field, position - found.byteOffset));
}

const offsetBy = (before: number, offset: number | undefined): number | undefined =>
  offset === undefined ? undefined : before + offset;

/** A member that has entries. */
interface RowMember {
  readonly field: Field;
  readonly byteOffset: number;
  /** The bytes of the entries of those before. */
  readonly before: number;
}

/** What was found out about a struct once. */
const known = new WeakMap<Composite, readonly RowMember[]>();

function rowsOf(composite: Composite): readonly RowMember[] {
  let rows = known.get(composite);
  if (rows === undefined) {
    let before = 0;
    rows = composite.members.flatMap(({ field, byteOffset }) => {
      const { rowByteLength = 0 } = field;
      if (rowByteLength === 0) return [];
      before += rowByteLength;
      return [{ field, byteOffset, before: before - rowByteLength }];
    });
    known.set(composite, rows);
  }
  return rows;
}

/** The last that does not start behind a position. */
function memberAt(rows: readonly RowMember[], position: number): RowMember | undefined {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as RowMember).byteOffset <= position) low = middle + 1;
    else high = middle;
  }
  return rows[low - 1];
}
