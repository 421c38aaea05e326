/**
 * Where layouts and memory meet: what is written into a new object, and what an existing one must be.
 *
 * It is here because the named primitives are such objects, too, and because it takes the fields of
 * this folder to read what an object says about itself.
 *
 * @module
 */

import { type Action, misuse, ShmError, stateError } from "../../errors.ts";
import type { Description } from "../../layout/description.ts";
import { difference } from "../../layout/difference.ts";
import type { Field, Fields } from "../../layout/field.ts";
import { fingerprintOfText } from "../../layout/fingerprint.ts";
import {
  type FieldMaker,
  fromDescription,
  MAX_TEXT_LENGTH,
  type OtherKinds,
} from "../../layout/from_description.ts";
import { placeOf } from "../../layout/memory.ts";
import { isStruct, type Struct } from "../../layout/struct.ts";
import { partsOf } from "../../layout/struct_names.ts";
import { checkZeros } from "../../layout/zeros.ts";
import { corrupt, type ObjectHeader } from "../../memory/objects/header.ts";
import type { ObjectKind } from "../../memory/objects/kinds.ts";
import type { CheckedCreation } from "../../memory/objects/object_options.ts";
import type { ExpectedObject, ObjectCreation } from "../../memory/objects/open_object.ts";
import { MAX_ROWS_BYTE_LENGTH, shapeFor } from "../../memory/objects/trailer.ts";
import { KINDS } from "../kinds.ts";

/** Throws unless something is a layout. */
export function checkLayout(action: Action, layout: unknown): void {
  if (isStruct(layout)) return;
  throw new TypeError(misuse(action, "layout must be one that t.struct() has made", layout));
}

/**
 * What is to be made of a value.
 *
 * @param initial The value, which may lack anything: that is zero.
 */
export function withContents(
  action: Action,
  layout: Struct<Fields>,
  initial: object,
  creation: CheckedCreation,
  kind: ObjectKind = "object",
): ObjectCreation {
  const schema = new TextEncoder().encode(JSON.stringify(layout.describe()));
  if (schema.length > MAX_TEXT_LENGTH) {
    const rule = `layout must have a description of at most ${MAX_TEXT_LENGTH} bytes`;
    throw new RangeError(misuse(action, rule, schema.length));
  }
  const { participants } = creation;
  const shape = shapeFor(layout.size, participants, schema.length, layout.rowByteLength);
  const rowsByteLength = participants * shape.readerRowByteLength;
  if (rowsByteLength > MAX_ROWS_BYTE_LENGTH) {
    const rule =
      `${participants} participants must need at most ${MAX_ROWS_BYTE_LENGTH} bytes for ` +
      "the read-write locks of the layout";
    throw new RangeError(misuse(action, rule, rowsByteLength));
  }
  const { fingerprint } = layout;
  const fill = (buffer: ArrayBuffer) => {
    const { memory } = placeOf(buffer, 0, layout.size);
    layout.store(memory, 0, initial);
    checkZeros(layout, memory, 0, layout.name); // or nobody could read it
  };
  return { ...creation, kind, shape, schema, fingerprint, fill };
}

/** What an object that is opened must be. */
export function expected(
  action: Action,
  layout: Struct<Fields>,
  kind: ObjectKind = "object",
): ExpectedObject {
  const { name, size, rowByteLength = 0, fingerprint } = layout;
  const difference = (header: ObjectHeader) => differenceTo(action, layout, header);
  return { kinds: [kind], layout: { name, size, rowByteLength, fingerprint, difference } };
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
 * @param kinds What makes fields of kinds that `layout/` does not know.
 */
export function layoutIn(
  action: Action,
  header: ObjectHeader,
  kinds: OtherKinds = KINDS,
): Struct<Fields> {
  let layout: Struct<Fields>;
  try {
    layout = fromDescription(new TextDecoder().decode(header.schema), kinds);
  } catch (error) {
    throw unreadable(action, header, (error as Error).message);
  }
  const isConsistent = layout.fingerprint === header.fingerprint &&
    layout.size === header.payloadByteLength &&
    (layout.rowByteLength ?? 0) <= header.readerRowByteLength;
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

/** The kinds that are known here, and those that occur in a layout, whoever implements them. */
function kindsIn(layout: Field): OtherKinds {
  const fields = new Map<string, Field[]>();
  const seen = new Set<Field>();
  const visit = (field: Field): void => {
    if (seen.has(field)) return;
    seen.add(field);
    const parts = partsOf(field);
    parts.forEach(visit);
    if (parts.length > 0 || Object.hasOwn(KINDS, field.kind)) return;
    const others = fields.get(field.kind);
    if (others === undefined) fields.set(field.kind, [field]);
    else others.push(field);
  };
  visit(layout);
  return { ...Object.fromEntries([...fields].map(([kind, all]) => [kind, oneOf(all)])), ...KINDS };
}

/** Gives the field that describes itself so; any other one is refused by whoever reads. */
function oneOf(fields: readonly Field[]): FieldMaker {
  const known = new Map(fields.map((field) => [textOf(field.describe()), field]));
  return (description) => known.get(textOf(description)) ?? fields[0] as Field;
}

const textOf = (description: Description | object) =>
  JSON.stringify(typeof description === "string" ? { kind: description } : description);
