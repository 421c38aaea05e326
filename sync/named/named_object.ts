/**
 * Objects that are one thing that synchronises, under a name of their own: made and found as every
 * object is, and told apart by their kind. Their layout is a struct with one field.
 *
 * @module
 */

import { type Action, misuse, stateError } from "../../errors.ts";
import { withoutAlignment } from "../../layout/align.ts";
import type { Field, Fields } from "../../layout/field.ts";
import type { Struct } from "../../layout/struct.ts";
import { nameExists, removeName } from "../../memory/files/attach.ts";
import { creatableName, existingName } from "../../memory/names.ts";
import type { NamedAction } from "../../memory/objects/header.ts";
import { kindOf, type ObjectKind, phraseOf } from "../../memory/objects/kinds.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import {
  type CheckedAccess,
  checkObjectAccess,
  checkObjectCreation,
  type ObjectCreateOptions,
  type ObjectOpenOptions,
  type ObjectOpenOrCreateOptions,
} from "../../memory/objects/object_options.ts";
import {
  createObject,
  type ObjectCreation,
  openObject,
  openObjectAsync,
  openOrCreateObject,
} from "../../memory/objects/open_object.ts";
import { type AsyncWaitOptions, checkInteger, checkOptions } from "../../memory/options.ts";
import { expected, layoutIn, withContents } from "../objects/contents.ts";
import type { Home } from "../primitives/synchroniser.ts";

/** How something that synchronises is opened: always for writing. */
export type NamedOpenOptions = Omit<ObjectOpenOptions, "readonly">;

/** What was opened, and what it says that it is. */
export interface OpenedNamed {
  readonly handle: ObjectHandle;
  readonly layout: Struct<Fields>;
  /** Its only field, which has its parameters. */
  readonly field: Field;
}

/** Writes an initial state that is not zeros, before anybody else can see it. */
export type Prepare = (words: Int32Array<ArrayBuffer>) => void;

/** Where the verbs of something find what they work on, when it is all that there is in its object. */
export function homeOf(handle: ObjectHandle, noun: string): Home {
  return { handle, position: 0, noun, part: undefined };
}

/**
 * Gives a parameter that has to be said: how many of something there are.
 *
 * @param action What is being done, without the name.
 */
export function countIn(
  action: Action,
  name: string,
  options: object,
  what: string,
  maximum: number,
): number {
  const named = { ...action, name: creatableName(action, name) };
  checkOptions(named, options);
  const count = (options as Readonly<Record<string, unknown>> | undefined)?.[what];
  return checkInteger(named, what, count, 1, maximum);
}

/** Gives such a parameter of what was opened: the field that it has says it. */
export function countOf({ field }: OpenedNamed, what: string): number {
  return (field.describe() as Readonly<Record<string, unknown>>)[what] as number;
}

/**
 * Creates one: it appears under its name complete or not at all.
 *
 * @param action What is being done, `create mutex`, without the name.
 * @param layout A struct with one field, of the kind. Its zeros are the initial state.
 * @param prepare Makes another one of that.
 */
export function createNamed(
  action: Action,
  name: string,
  kind: ObjectKind,
  layout: Struct<Fields>,
  options: ObjectCreateOptions,
  prepare?: Prepare,
): ObjectHandle {
  const named = { ...action, name: creatableName(action, name) };
  const creation = checkObjectCreation(named, options);
  return createObject(named, prepared(withContents(named, layout, {}, creation, kind), prepare));
}

/**
 * Opens one that exists, whatever its parameters are.
 *
 * @param kind What it must be; of several, any.
 */
export function openNamed(
  action: Action,
  name: string,
  kind: ObjectKind | readonly ObjectKind[],
  options: NamedOpenOptions,
): OpenedNamed {
  const named = { ...action, name: existingName(action, name) };
  const access = { ...checkAccess(named, options), expected: { kinds: [kind].flat() } };
  return describe(named, openObject(named, access));
}

/** As {@linkcode openNamed}, once there is one. */
export async function openNamedAsync(
  action: Action,
  name: string,
  kind: ObjectKind | readonly ObjectKind[],
  options: NamedOpenOptions & AsyncWaitOptions,
): Promise<OpenedNamed> {
  const named = { ...action, name: existingName(action, name) };
  const access = { ...checkAccess(named, options), expected: { kinds: [kind].flat() } };
  return describe(named, await openObjectAsync(named, access, options));
}

/**
 * Opens one, or creates it when there is none; `created` tells which. One with other parameters is
 * `ERR_SHM_LAYOUT`.
 */
export function openOrCreateNamed(
  action: Action,
  name: string,
  kind: ObjectKind,
  layout: Struct<Fields>,
  options: ObjectOpenOrCreateOptions,
  prepare?: Prepare,
): ObjectHandle {
  const named = { ...action, name: creatableName(action, name) };
  const creation = checkObjectCreation(named, options);
  const access = { ...checkAccess(named, options), expected: expected(named, layout, kind) };
  const contents = prepared(withContents(named, layout, {}, creation, kind), prepare);
  return openOrCreateObject(named, access, contents);
}

/** Tells whether there is anything under a name, whatever it is. */
export function existsNamed(action: Action, name: string): boolean {
  return nameExists(action, existingName(action, name));
}

/** Removes a name, whatever it is of. @returns Whether there was anything to remove. */
export function unlinkNamed(action: Action, name: string): boolean {
  return removeName(action, existingName(action, name));
}

function prepared(contents: ObjectCreation, prepare?: Prepare): ObjectCreation {
  if (prepare === undefined) return contents;
  const fill = (buffer: ArrayBuffer) => {
    contents.fill(buffer);
    prepare(new Int32Array(buffer, 0, 4));
  };
  return { ...contents, fill };
}

function checkAccess(action: Action, options: ObjectOpenOptions): CheckedAccess {
  checkOptions(action, options);
  const { readonly = false } = options;
  if (readonly === false) return checkObjectAccess(action, options);
  throw new TypeError(misuse(action, "readonly must be false, for who waits writes", readonly));
}

/** Reads what was opened says; closes it when that is nothing of its kind. */
function describe(action: NamedAction, handle: ObjectHandle): OpenedNamed {
  try {
    const header = handle.header as NonNullable<ObjectHandle["header"]>; // or it has no kind
    const layout = layoutIn(action, header);
    const kind = kindOf(header) as ObjectKind;
    const [first, ...more] = Object.values(layout.fields);
    const field = withoutAlignment(first as Field);
    if (more.length === 0 && field.kind === kind) return { handle, layout, field };
    throw stateError(
      action,
      "ERR_SHM_LAYOUT",
      `its layout is not that of ${phraseOf(kind)}`,
      "Unlink it and create it anew.",
    );
  } catch (error) {
    handle.close();
    throw error;
  }
}
