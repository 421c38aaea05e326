/**
 * Objects that carry their layout with them: what they say about themselves.
 *
 * @module
 */

import { type ShmError, stateError } from "../errors.ts";
import { close, isByteLocked, platform, readAt } from "../ffi/mod.ts";
import type { Field, Fields } from "../layout/field.ts";
import type { Struct } from "../layout/struct.ts";
import type { ObjectHeader } from "../memory/objects/header.ts";
import { kindOf, nounOf } from "../memory/objects/kinds.ts";
import {
  decodeTrailer,
  hasMagic,
  LIFETIME_LOCK,
  placesOf,
  type Trailer,
  TRAILER_BYTE_LENGTH,
  VERSION,
  versionOf,
} from "../memory/objects/trailer.ts";
import { type InspectedField, Inspection } from "../sync/inspect/inspection.ts";
import { layoutIn } from "../sync/objects/contents.ts";
import type { Bytes } from "./field_values.ts";
import { cutOff, openObject, pieces, type Source } from "./read.ts";
import { actionOn, type Target } from "./target.ts";
import { formatTime } from "./units.ts";

/** What an object is, as it says itself. */
export interface Carried {
  readonly header: ObjectHeader;
  readonly layout: Struct<Fields>;
}

/**
 * Reads the layout of an object, and believes it as far as it is consistent.
 *
 * @param known What an earlier call gave: the same text is not parsed again.
 * @returns Undefined for bytes without a layout.
 * @throws {ShmError} `ERR_SHM_CORRUPT`.
 */
export function carriedBy(target: Target, source: Source, known?: Carried): Carried | undefined {
  const header = source.header();
  if (header === undefined || kindOf(header) === undefined) return undefined;
  if (known !== undefined && isEqual(known.header, header)) {
    return { header, layout: known.layout };
  }
  return { header, layout: layoutIn(actionOn("read", target), header) };
}

function isEqual(a: ObjectHeader, b: ObjectHeader): boolean {
  return a.payloadByteLength === b.payloadByteLength && a.fingerprint === b.fingerprint &&
    a.schema.length === b.schema.length &&
    a.schema.every((byte, index) => byte === b.schema[index]);
}

/** The error of an object that carries none. */
export function withoutLayout(verb: string, target: Target): ShmError {
  return stateError(
    actionOn(verb, target),
    "ERR_SHM_LAYOUT",
    "it carries no layout",
    "Only what SharedObject has made does; shm dump shows the bytes of any other.",
  );
}

/**
 * What people call an object that is one thing that synchronises: `mutex`. Undefined for any other,
 * of which the layout says more.
 */
export function primitiveNoun(trailer: Trailer): string | undefined {
  const kind = kindOf(trailer);
  return kind === undefined || kind === "object" ? undefined : nounOf(kind);
}

/** That as JSON has it. */
export function toLayoutRecord(name: string | null, trailer: Trailer): object {
  const { payloadByteLength, fingerprint, lifetime, participants } = trailer;
  return {
    kind: kindOf(trailer) ?? null,
    name,
    size: payloadByteLength,
    fingerprint,
    lifetime,
    participants,
    creatorPid: trailer.creatorPid,
    createdMs: trailer.creationTimeMs,
    bookkeeping: placesOf(trailer).byteLength - payloadByteLength,
  };
}

/** When it was made, and by which process. */
export function formatCreation({ creatorPid, creationTimeMs }: Trailer): string {
  const isDate = creationTimeMs <= MAX_DATE_MS;
  return `${
    isDate ? formatTime(creationTimeMs) : "at no time that there is"
  } by process ${creatorPid}`;
}

/** The last moment that a date can be. */
const MAX_DATE_MS = 8.64e15;

/** What a list says of an object: what its last bytes tell, and no more. */
export interface Brief {
  /** The name of its layout; undefined where it cannot be read at a glance. */
  readonly name: string | undefined;
  /** Undefined when it has been written over, or is of another version. */
  readonly trailer: Trailer | undefined;
}

/** The text that a layout starts with; what follows is not read for a list. */
const START = /^\{"kind":"struct","name":"([A-Za-z_]\w{0,63})"/;
const START_BYTE_LENGTH = 128;

/** Looks at the end of a POSIX object. @returns Undefined when it is none, or cannot be read. */
export function briefOf(target: Target | undefined): Brief | undefined {
  if (target?.kind !== "posix") return undefined;
  let fd = -1;
  try {
    const opened = openObject(target, "look at", platform().constants.O_RDONLY);
    fd = opened.fd;
    return brief(fd, opened.size);
  } catch {
    return undefined; // without the right to read it, or gone
  } finally {
    if (fd >= 0) close(fd);
  }
}

function brief(fd: number, size: number): Brief | undefined {
  if (size < TRAILER_BYTE_LENGTH) return undefined;
  const bytes = readAt(fd, size - TRAILER_BYTE_LENGTH, TRAILER_BYTE_LENGTH);
  if (typeof bytes === "number" || !hasMagic(bytes)) return undefined;
  const trailer = versionOf(bytes) === VERSION ? decodeTrailer(bytes, size) : undefined;
  if (trailer === undefined) return { name: undefined, trailer: undefined };
  if (kindOf(trailer) === undefined) return undefined;
  const start = readAt(fd, placesOf(trailer).schema, START_BYTE_LENGTH);
  const text = typeof start === "number" ? "" : new TextDecoder().decode(start);
  return { name: START.exec(text)?.[1], trailer };
}

/**
 * Whether anybody is attached to an object that goes with the last of them: each holds a lock.
 *
 * @returns Undefined where the kernel does not tell.
 */
export function isAttached(target: Target & { readonly kind: "posix" }): boolean | undefined {
  const { fd } = openObject(target, "look at", platform().constants.O_RDONLY);
  const locked = isByteLocked(fd, LIFETIME_LOCK);
  close(fd);
  return locked < 0 ? undefined : locked === 1;
}

/** What is read at a time. A field that is no larger never lies across two of these. */
const WINDOW_BYTE_LENGTH = 2 ** 18;

/** The value of an object, read where it is asked for: it may be large. */
export class Payload implements Bytes {
  readonly #target: Target;
  readonly #source: Source;
  readonly #byteLength: number;
  readonly #carried: Carried;
  #inspection: Inspection | undefined;
  #start = 0;
  #window: Uint8Array = new Uint8Array(0);

  constructor(target: Target, source: Source, carried: Carried) {
    this.#target = target;
    this.#source = source;
    this.#carried = carried;
    this.#byteLength = carried.layout.size;
  }

  look(field: Field, position: number): InspectedField | undefined {
    const { fd } = this.#source;
    if (fd === undefined) return undefined;
    const { header, layout } = this.#carried;
    this.#inspection ??= new Inspection(fd, header, layout);
    return this.#inspection.at({ path: "", position, field });
  }

  at(byteOffset: number, byteLength: number): Uint8Array {
    const isThere = byteOffset >= this.#start &&
      byteOffset + byteLength <= this.#start + this.#window.length;
    if (!isThere) {
      this.#start = byteOffset;
      const rest = this.#byteLength - byteOffset;
      this.#window = this.#read(
        byteOffset,
        Math.max(byteLength, Math.min(rest, WINDOW_BYTE_LENGTH)),
      );
    }
    const first = byteOffset - this.#start;
    return this.#window.subarray(first, first + byteLength);
  }

  /** All of it, at one time as far as that can be. */
  whole(): Uint8Array {
    return this.#read(0, this.#byteLength);
  }

  #read(byteOffset: number, byteLength: number): Uint8Array {
    const bytes = new Uint8Array(byteLength);
    const range = { byteOffset, byteLength };
    let read = 0;
    for (const piece of pieces(this.#source, range)) {
      bytes.set(piece, read);
      read += piece.length;
    }
    if (read < byteLength) throw cutOff(this.#target, range, read);
    return bytes;
  }
}
