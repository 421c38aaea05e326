/**
 * Where the fields of a layout are that synchronise.
 *
 * @module
 */

import { isAligned } from "../../layout/align.ts";
import { isArray } from "../../layout/array.ts";
import { Composite } from "../../layout/composite.ts";
import type { Field } from "../../layout/field.ts";
import { KINDS } from "../kinds.ts";

/** A field that synchronises, in a layout. */
export interface SyncPlace {
  /** As in `items[3].lock`. */
  readonly path: string;
  /** In bytes, from the start of the object. */
  readonly position: number;
  readonly field: Field;
}

/** Whether a field is one of this library that synchronises. */
export function isSynchronising({ kind }: Field): boolean {
  return Object.hasOwn(KINDS, kind);
}

/**
 * Finds them, in the order of memory, one by one: of a layout that somebody else has made, there may be
 * a thousand million.
 */
export function* syncPlacesIn(
  field: Field,
  path: string = "",
  position: number = 0,
): Generator<SyncPlace> {
  if (field.plain) return; // so is all that is in it
  if (isAligned(field)) yield* syncPlacesIn(field.field, path, position);
  else if (isArray(field)) {
    const { element, length } = field;
    for (let index = 0; index < length; index++) {
      yield* syncPlacesIn(element, `${path}[${index}]`, position + index * element.size);
    }
  } else if (field instanceof Composite) {
    for (const { name, field: each, byteOffset } of field.members) {
      yield* syncPlacesIn(each, path === "" ? name : `${path}.${name}`, position + byteOffset);
    }
  } else if (isSynchronising(field)) yield { path, position, field };
}

/** How many there are. */
export function countSyncPlaces(field: Field): number {
  if (field.plain) return 0;
  if (isAligned(field)) return countSyncPlaces(field.field);
  if (isArray(field)) return field.length * countSyncPlaces(field.element);
  if (field instanceof Composite) {
    return field.members.reduce((sum, member) => sum + countSyncPlaces(member.field), 0);
  }
  return isSynchronising(field) ? 1 : 0;
}
