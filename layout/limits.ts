/**
 * How large a layout may be.
 *
 * @module
 */

import { misfit } from "./messages.ts";

/** Of a layout, and so of everything in it: 1 GiB. */
export const MAX_SIZE: number = 2 ** 30;

/** Of structs, unions and arrays within each other. */
export const MAX_DEPTH = 16;

/** The members of a layout, counted each time that they occur. */
export const MAX_MEMBERS = 65536;

/** Elements of an array for each of which an object is made. */
export const MAX_OBJECTS: number = 2 ** 20;

/** Throws unless a size or a length is one that a layout can have. */
export function checkSize(size: unknown, what: string, least: number): void {
  const rule = `must be an integer from ${least} to ${MAX_SIZE}`;
  const message = misfit(`The size of ${what}`, rule, size);
  if (typeof size !== "number") throw new TypeError(message);
  if (!Number.isInteger(size) || size < least || size > MAX_SIZE) throw new RangeError(message);
}

/** How much a field is, counted so that no layout is endless. */
export interface Extent {
  readonly depth: number;
  readonly members: number;
}

/** How much a field is. */
export function extentOf(field: object): Extent {
  return (field as { extent?: Extent }).extent ?? { depth: 0, members: 1 };
}

/** How much it is to have fields in one, unless that is too much. */
export function extentAround(fields: readonly object[], what: string): Extent {
  const extents = fields.map(extentOf);
  const depth = 1 + extents.reduce((most, extent) => Math.max(most, extent.depth), 0);
  const members = extents.reduce((sum, extent) => sum + extent.members, 0);
  if (depth > MAX_DEPTH) {
    throw new RangeError(
      `${what} must have at most ${MAX_DEPTH} structs, unions and arrays nested`,
    );
  }
  if (members > MAX_MEMBERS) {
    throw new RangeError(`${what} must have at most ${MAX_MEMBERS} fields, has ${members}`);
  }
  return { depth, members };
}
