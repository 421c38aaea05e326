/**
 * Getting hold of an object: of one that exists, or of a new one.
 *
 * @module
 */

import { type Action, ShmError, type ShmErrorCode, stateError } from "../../errors.ts";
import {
  close,
  failure,
  type FileStatus,
  getpid,
  pageSize,
  refusal,
  statusOf,
} from "../../ffi/mod.ts";
import { attach } from "../files/attach.ts";
import { placeOfName } from "../files/create.ts";
import { nameIdentity } from "../files/identity.ts";
import { createSegment } from "../files/open_segment.ts";
import { emptyError, type OpenFile, SegmentHandle } from "../files/segment_handle.ts";
import type { CheckedMappingOptions } from "../memory_options.ts";
import type { AsyncWaitOptions, Trust } from "../options.ts";
import { poll, sleep } from "../waiting.ts";
import { leaveAndRemove, removeIfAbandoned } from "./abandoned.ts";
import { attend, attendFirst } from "./attendance.ts";
import { corrupt, type NamedAction, type ObjectHeader, readHeader } from "./header.ts";
import { checkKind, numberOfKind, type ObjectKind } from "./kinds.ts";
import { ObjectHandle } from "./object_handle.ts";
import { encodeTrailer, type ObjectShape, placesOf, type Trailer } from "./trailer.ts";

/** How often an object may vanish, or be looked at by others, between two looks. */
const MAX_ATTEMPTS = 1000;

/** How long it is waited for an object that somebody is just making. */
const PATIENCE_MS = 1000;

/** How many differences of layouts a message names, and how much of each. */
const MAX_DIFFERENCES = 6;
const MAX_DIFFERENCE_LENGTH = 200;

/** What is to be made. */
export interface ObjectCreation extends CheckedMappingOptions {
  readonly kind: ObjectKind;
  readonly mode: number;
  readonly lifetime: Trailer["lifetime"];
  readonly shape: ObjectShape;
  /** The layout as JSON, in UTF-8. */
  readonly schema: Uint8Array;
  /** Of the layout, in hexadecimal. */
  readonly fingerprint: string;
  /** Writes the payload: the first bytes of the buffer, all zeros. */
  readonly fill: (buffer: ArrayBuffer) => void;
}

/** How an object is opened. */
export interface ObjectAccess extends CheckedMappingOptions {
  readonly trust: Trust;
  readonly writable: boolean;
  readonly expected: ExpectedObject;
}

/** What an object must be. */
export interface ExpectedObject {
  /** Any of these. */
  readonly kinds: readonly ObjectKind[];
  /** What must be in it. Without, it is taken with whatever it says is in it. */
  readonly layout?: ExpectedLayout;
}

/** What the layout of an object is compared with. */
export interface ExpectedLayout {
  readonly name: string;
  readonly size: number;
  /** What it needs in the row of each participant, in bytes. */
  readonly rowByteLength: number;
  /** In hexadecimal. */
  readonly fingerprint: string;
  /** Tells how it differs from the one that an object says it has. */
  difference(header: ObjectHeader): string[];
}

/** Creates an object: it appears under its name complete or not at all. */
export function createObject(action: NamedAction, creation: ObjectCreation): ObjectHandle {
  for (let attempt = 0;; attempt++) {
    try {
      return create(action, creation);
    } catch (error) {
      const isTaken = hasCode(error, "EEXIST");
      if (!isTaken || attempt === MAX_ATTEMPTS || !removeIfAbandoned(action)) throw error;
    }
  }
}

function create(action: NamedAction, creation: ObjectCreation): ObjectHandle {
  const file = {
    place: placeOfName(action.name),
    size: placesOf(creation.shape).byteLength,
    mode: creation.mode,
    reserve: true,
    hugePages: false,
    prefault: creation.prefault,
    mlock: creation.mlock,
  };
  let header: ObjectHeader | undefined;
  const segment = createSegment(action, nameIdentity(action.name, action.noun), file, (handle) => {
    if (creation.lifetime === "lastDetach") attendFirst(action, handle.fd);
    header = writeContents(action, handle, creation);
  });
  return new ObjectHandle(segment, header, true);
}

/** Writes all that is in a new object. @returns What it says about itself. */
export function writeContents(
  action: Action,
  segment: SegmentHandle,
  { kind, shape, schema, fingerprint, lifetime, fill }: ObjectCreation,
): ObjectHeader {
  const header: ObjectHeader = {
    ...shape,
    kind: numberOfKind(kind),
    lifetime,
    fingerprint,
    creationTimeMs: Date.now(),
    creatorPid: getpid(),
    schema: schema.slice(),
  };
  const places = placesOf(shape);
  const buffer = segment.buffer(action.verb);
  fill(buffer);
  const bytes = new Uint8Array(buffer);
  bytes.set(schema, places.schema);
  publish(bytes.subarray(places.trailer), encodeTrailer(header, schema));
  return header;
}

/**
 * Writes the trailer, its first word last: where an object is made under its name, others may be
 * looking. They read it by a system call, which pairs with the store as a load would.
 */
function publish(place: Uint8Array<ArrayBuffer>, trailer: Uint8Array<ArrayBuffer>): void {
  place.set(trailer.subarray(4), 4);
  const [word] = new Int32Array(trailer.buffer, trailer.byteOffset, 1);
  Atomics.store(new Int32Array(place.buffer, place.byteOffset, 1), 0, word as number);
}

/** Opens an object that exists. Waits only while somebody is just removing it. */
export function openObject(action: NamedAction, access: ObjectAccess): ObjectHandle {
  const found = findStill(action, access);
  if (found instanceof ShmError) throw found;
  return found;
}

/** Opens an object, or makes it when there is none. Blocks while somebody is just making it. */
export function openOrCreateObject(
  action: NamedAction,
  access: ObjectAccess,
  creation: ObjectCreation,
): ObjectHandle {
  const deadline = performance.now() + PATIENCE_MS;
  while (true) {
    try {
      const found = findStill(action, access);
      if (found instanceof ObjectHandle) return found;
      if (performance.now() >= deadline) throw found;
      sleep(1);
      continue;
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
    try {
      return createObject(action, creation);
    } catch (error) {
      // Another user's that was abandoned is not there for us, and keeps its name.
      if (!hasCode(error, "EEXIST") || performance.now() >= deadline) throw error;
      sleep(1);
    }
  }
}

/** Waits until there is an object, and opens it. */
export function openObjectAsync(
  action: NamedAction,
  access: ObjectAccess,
  options: AsyncWaitOptions,
): Promise<ObjectHandle> {
  let unreadySince: number | undefined;
  return poll(action, () => {
    let found: Found;
    try {
      found = find(action, access);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      unreadySince = undefined;
      return undefined;
    }
    if (found instanceof ObjectHandle) return found;
    if (hasCode(found, "ERR_SHM_SIZE")) {
      unreadySince = undefined;
      return undefined;
    }
    unreadySince ??= performance.now();
    if (performance.now() - unreadySince <= PATIENCE_MS) return undefined;
    throw found === "restless" ? neverStill(action) : found;
  }, options);
}

/**
 * What comes of looking for an object: it; or, when it has no size or no trailer yet, the error to
 * throw or to wait upon, because somebody is just making it, or has died while making it, or it is no
 * object at all; or `"restless"`: it is just being removed, or looked at by somebody who may.
 */
type Found = ObjectHandle | ShmError | "restless";

/** Looks for an object until it is not restless any more. */
function findStill(action: NamedAction, access: ObjectAccess): ObjectHandle | ShmError {
  for (let attempt = 0; attempt <= MAX_ATTEMPTS; attempt++) {
    const found = find(action, access);
    if (found !== "restless") return found;
    sleep(1);
  }
  throw neverStill(action);
}

/** Looks for an object, once. */
function find(action: NamedAction, access: ObjectAccess): Found {
  const file = attach(action, access);
  let found: Found;
  try {
    found = open(action, file, access);
  } catch (error) {
    close(file.fd);
    throw error;
  }
  if (!(found instanceof ObjectHandle)) close(file.fd);
  return found;
}

/** Looks at an open file. The descriptor is left to the caller, except in a handle. */
function open(action: NamedAction, file: OpenFile, access: ObjectAccess): Found {
  const { fd, status } = file;
  const { writable } = access;
  const { size } = status;
  const header = readHeader(action, fd, size);
  if (header?.lifetime !== "lastDetach") return openChecked(action, file, access, header);
  // Before anything is asked of it: what has been abandoned is not there, whatever it is.
  if (!isKept(action, file, writable)) return "restless";
  try {
    return openChecked(action, file, access, header);
  } catch (error) {
    try {
      // It may have become the last: those who have left meanwhile count on it.
      leaveAndRemove(action, { fd, status, writable });
    } catch {
      // Why it could not be opened matters more.
    }
    throw error;
  }
}

function openChecked(
  action: NamedAction,
  file: OpenFile,
  { writable, prefault, mlock, expected }: ObjectAccess,
  header: ObjectHeader | undefined,
): ObjectHandle | ShmError {
  const { size } = file.status;
  const problem = problemWith(action, header, size, expected);
  if (problem !== undefined) return problem;
  const options = { size, writable, prefault, mlock, reserve: true };
  const segment = new SegmentHandle(action, nameIdentity(action.name, action.noun), file, options);
  return new ObjectHandle(segment, header, false);
}

/**
 * Tells whether a file is the object that is asked for; throws when it is another one.
 *
 * @param header Undefined when it says nothing.
 * @returns The error of a file that is no object, or not yet.
 */
export function problemWith(
  action: Action,
  header: ObjectHeader | undefined,
  size: number,
  { kinds, layout }: ExpectedObject,
): ShmError | undefined {
  if (header !== undefined) {
    checkKind(action, header, kinds);
    if (layout !== undefined) checkLayout(action, header, layout);
    return undefined;
  }
  if (size === 0) return emptyError(action);
  // Those who synchronise need what stands behind the value: only an object can do without.
  if (!kinds.includes("object")) return withoutTrailer(action, size);
  return layout !== undefined && isBare(size, layout.size)
    ? undefined
    : withoutLayout(action, size, layout?.size);
}

/** Throws unless an object has the layout that is asked for. */
function checkLayout(action: Action, header: ObjectHeader, layout: ExpectedLayout): void {
  const isSame = header.fingerprint === layout.fingerprint &&
    header.payloadByteLength === layout.size;
  if (isSame && header.readerRowByteLength >= layout.rowByteLength) return;
  if (isSame) throw corrupt(action, "its rows are too short for its layout");
  const lines = layout.difference(header);
  const more = lines.length - MAX_DIFFERENCES;
  const shown = lines.slice(0, MAX_DIFFERENCES).map(shorten).join("; ") +
    (more > 0 ? `; and ${more} more` : "");
  throw stateError(
    action,
    "ERR_SHM_LAYOUT",
    `it has another layout than ${layout.name} here: ${shown}`,
    "Open it with the layout that it was made with, or unlink it and create it anew.",
  );
}

function shorten(line: string): string {
  return line.length <= MAX_DIFFERENCE_LENGTH ? line : `${line.slice(0, MAX_DIFFERENCE_LENGTH)}...`;
}

/** Reads what an object says about itself. */
export function headerOf(
  action: NamedAction,
  trust: Trust,
  kinds: readonly ObjectKind[] = ["object"],
): ObjectHeader {
  const { fd, status } = attach(action, { writable: false, trust });
  try {
    const header = readHeader(action, fd, status.size);
    if (header === undefined) throw withoutLayout(action, status.size);
    checkKind(action, header, kinds);
    return header;
  } finally {
    close(fd);
  }
}

/** Whether a file is as long as a struct, exactly or in whole pages, as other programs make it. */
function isBare(size: number, byteLength: number): boolean {
  return size === byteLength || size === Math.ceil(byteLength / pageSize()) * pageSize();
}

/** Attaches to an object that goes with the last. @returns Whether it has not gone before. */
function isKept(action: NamedAction, { fd, status }: OpenFile, writable: boolean): boolean {
  const attendance = attend(action, fd, writable);
  if (attendance === "busy") return false;
  const now = statusOf(fd);
  if (typeof now === "number") throw failure(action, now, "statx");
  if (now.linkCount === 0) return false;
  if (attendance === "attached") return true;
  // Whoever was attached has died. For those who cannot remove it, it is not there either.
  if (writable && unlinks(action, status)) return false;
  throw refusal(action, "ENOENT", "shm_open", "Create it first.");
}

/** Removes a name, if there is a right to that. */
function unlinks(action: NamedAction, status: FileStatus): boolean {
  try {
    nameIdentity(action.name, action.noun).unlink(status);
    return true;
  } catch (error) {
    if (hasCode(error, "EPERM") || hasCode(error, "EACCES")) return false;
    throw error;
  }
}

function withoutLayout(action: Action, size: number, expected?: number): ShmError {
  const wanted = expected === undefined ? "" : ` where ${expected} are expected`;
  return stateError(
    action,
    "ERR_SHM_LAYOUT",
    `it says nothing about its layout, and has ${size} bytes${wanted}`,
    "Open it with the layout that its creator has, or as a SharedSegment.",
  );
}

function withoutTrailer(action: Action, size: number): ShmError {
  return stateError(
    action,
    "ERR_SHM_KIND",
    `it is nothing that this library has made, and has ${size} bytes`,
    "Open it as a SharedSegment, or choose another name.",
  );
}

function neverStill(action: Action): ShmError {
  return refusal(
    action,
    "EAGAIN",
    "fcntl",
    "Somebody holds a lock on it without end: shm ps tells who has it open.",
    "others were looking at it all the time",
  );
}

function hasCode(error: unknown, code: ShmErrorCode): boolean {
  return error instanceof ShmError && error.code === code;
}
