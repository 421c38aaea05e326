/**
 * Where layouts and memory meet: what is written into a new object, and what an existing one must be.
 *
 * @module
 */

import { type Action, misuse, ShmError, stateError } from "../errors.ts";
import { difference } from "../layout/difference.ts";
import type { Field, Fields } from "../layout/field.ts";
import { fingerprintOfText } from "../layout/fingerprint.ts";
import { fromDescription, MAX_TEXT_LENGTH, type OtherKinds } from "../layout/from_description.ts";
import { placeOf } from "../layout/memory.ts";
import { isStruct, type Struct } from "../layout/struct.ts";
import { partsOf } from "../layout/struct_names.ts";
import { checkZeros } from "../layout/zeros.ts";
import { corrupt, type ObjectHeader } from "../memory/objects/header.ts";
import type { CheckedCreation } from "../memory/objects/object_options.ts";
import type { ExpectedLayout, ObjectCreation } from "../memory/objects/open_object.ts";
import { shapeFor } from "../memory/objects/trailer.ts";

/** Throws unless something is a layout. */
export function checkLayout(action: Action, layout: unknown): void {
  if (isStruct(layout)) return;
  throw new TypeError(misuse(action, "layout must be one that t.struct() has made", layout));
}

/** What is to be made of a value. */
export function withContents(
  action: Action,
  layout: Struct<Fields>,
  initial: object,
  creation: CheckedCreation,
): ObjectCreation {
  const schema = new TextEncoder().encode(JSON.stringify(layout.describe()));
  if (schema.length > MAX_TEXT_LENGTH) {
    const rule = `layout must have a description of at most ${MAX_TEXT_LENGTH} bytes`;
    throw new RangeError(misuse(action, rule, schema.length));
  }
  const shape = shapeFor(layout.size, creation.participants, schema.length);
  const { fingerprint } = layout;
  const fill = (buffer: ArrayBuffer) => {
    const { memory } = placeOf(buffer, 0, layout.size);
    layout.store(memory, 0, initial);
    checkZeros(layout, memory, 0, layout.name); // or nobody could read it
  };
  return { ...creation, shape, schema, fingerprint, fill };
}

/** What an object that is opened must be. */
export function expected(action: Action, layout: Struct<Fields>): ExpectedLayout {
  const { name, size, fingerprint } = layout;
  return { name, size, fingerprint, difference: (header) => differenceTo(action, layout, header) };
}

function differenceTo(action: Action, layout: Struct<Fields>, header: ObjectHeader): string[] {
  try {
    return difference(layout, layoutIn(action, header, kindsIn(layout)));
  } catch (error) {
    if (!(error instanceof ShmError && error.code === "ERR_SHM_UNSUPPORTED")) throw error;
    return ["it has something that is not known here"];
  }
}

/**
 * The layout that an object describes.
 *
 * @param kinds Fields of kinds that `layout/` does not know.
 */
export function layoutIn(
  action: Action,
  header: ObjectHeader,
  kinds: OtherKinds = {},
): Struct<Fields> {
  let layout: Struct<Fields>;
  try {
    layout = fromDescription(new TextDecoder().decode(header.schema), kinds);
  } catch (error) {
    throw unreadable(action, header, (error as Error).message);
  }
  const isConsistent = layout.fingerprint === header.fingerprint &&
    layout.size === header.payloadByteLength;
  if (!isConsistent) throw corrupt(action, "its layout does not fit its size");
  return layout;
}

/** The error of a layout that cannot be read: it has been written over, or is beyond this library. */
function unreadable(action: Action, header: ObjectHeader, reason: string): ShmError {
  if (fingerprintOfText(header.schema) !== header.fingerprint) {
    return corrupt(action, `its layout cannot be read (${reason})`);
  }
  return stateError(
    action,
    "ERR_SHM_UNSUPPORTED",
    `its layout has something that is not known here (${reason})`,
    "Open it with the layout, and the version of this library, that it was made with.",
  );
}

/** The kinds that occur in a layout, whoever implements them. */
function kindsIn(layout: Field): OtherKinds {
  const kinds: Record<string, Field> = {};
  const seen = new Set<Field>();
  const visit = (field: Field): void => {
    if (seen.has(field)) return;
    seen.add(field);
    const parts = partsOf(field);
    if (parts.length === 0) kinds[field.kind] = field;
    else parts.forEach(visit);
  };
  visit(layout);
  return kinds;
}
