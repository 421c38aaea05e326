/**
 * Reading what an object says about itself, without believing it: from the file and not from mapped
 * memory, so that it cannot change between the check and the use, and a file that is cut off meanwhile
 * is a short read and not a signal.
 *
 * @module
 */

import { type Action, type ShmError, stateError } from "../../errors.ts";
import { failure, readAt } from "../../ffi/mod.ts";
import {
  decodeTrailer,
  hasMagic,
  isIntact,
  placesOf,
  type Trailer,
  TRAILER_BYTE_LENGTH,
  VERSION,
  versionOf,
} from "./trailer.ts";

/** An action on a name that has been checked. */
export type NamedAction = Action & { readonly name: string };

/** What an object says about itself. */
export interface ObjectHeader extends Trailer {
  /** The layout as JSON, in UTF-8. */
  readonly schema: Uint8Array<ArrayBuffer>;
}

/**
 * Reads the header of an object.
 *
 * @param byteLength The size of the file.
 * @returns It, or undefined when the file has none.
 * @throws {ShmError} `ERR_SHM_CORRUPT`; `ERR_SHM_UNSUPPORTED` for another format.
 */
export function readHeader(
  action: Action,
  fd: number,
  byteLength: number,
): ObjectHeader | undefined {
  const bytes = readTrailer(action, fd, byteLength);
  if (bytes === undefined) return undefined;
  checkVersion(action, versionOf(bytes));
  const trailer = decodeTrailer(bytes, byteLength);
  if (trailer === undefined) throw corrupt(action, "its sizes cannot be right");
  const schema = readPart(action, fd, placesOf(trailer).schema, trailer.schemaByteLength);
  if (schema.length !== trailer.schemaByteLength || !isIntact(bytes, schema)) {
    throw corrupt(action, "its checksum is wrong");
  }
  return { ...trailer, schema };
}

/** Whether a file ends with a trailer, intact or not. */
export function endsWithTrailer(action: Action, fd: number, byteLength: number): boolean {
  return readTrailer(action, fd, byteLength) !== undefined;
}

/** Throws unless it is known what the other bytes of a trailer mean. */
function checkVersion(action: Action, version: number): void {
  if (version === VERSION) return;
  throw stateError(
    action,
    "ERR_SHM_UNSUPPORTED",
    `its format has version ${version}, and this version of the library reads ${VERSION}`,
    "Open it with the version that made it, or unlink it and create it anew.",
  );
}

/** The error of an object whose bookkeeping has been written over. */
export function corrupt(action: Action, reason: string): ShmError {
  return stateError(
    action,
    "ERR_SHM_CORRUPT",
    `${reason}: something has been written over its end`,
    "Find out who did that, unlink it, and create it anew.",
  );
}

function readTrailer(
  action: Action,
  fd: number,
  byteLength: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (byteLength < TRAILER_BYTE_LENGTH) return undefined;
  const start = byteLength - TRAILER_BYTE_LENGTH;
  const bytes = readPart(action, fd, start, TRAILER_BYTE_LENGTH);
  return hasMagic(bytes) ? bytes : undefined;
}

function readPart(
  action: Action,
  fd: number,
  byteOffset: number,
  byteLength: number,
): Uint8Array<ArrayBuffer> {
  const bytes = readAt(fd, byteOffset, byteLength);
  if (typeof bytes === "number") throw failure(action, bytes, "pread");
  return bytes;
}
