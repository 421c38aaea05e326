/**
 * How an object lies in its file. The payload is at offset 0, as a C program sees it that maps the
 * file and casts; what the library keeps about it lies behind.
 *
 *     0          payload        what the layout says; padded to the next multiple of 128
 *                slots          one for each participant: who takes part in synchronisation
 *                reader rows    one for each participant: the shared locks that it holds
 *                waiters        who waits for what, and who has ever shared a lock
 *                schema         the layout as JSON, UTF-8; padded, see below
 *     end - 64   trailer        written last, and never changed
 *
 *     trailer  0   8  magic           0x89 "shmkit" 0x0a
 *              8   2  version         of this format: 1
 *             10   2  kind            1: an object with a layout; 2 to 9: see `kinds.ts`
 *             12   2  lifetime        0: persist, 1: creator, 2: lastDetach
 *             14   2  participants    1 to 1000
 *             16   8  payload         in bytes, without its padding
 *             24   4  slot            in bytes, a multiple of 8
 *             28   4  reader row      in bytes, a multiple of 8
 *             32   4  waiters         in bytes, a multiple of 8
 *             36   4  schema          in bytes, without its padding
 *             40   8  fingerprint     of the layout
 *             48   8  creation        milliseconds since 1970
 *             56   4  creator         its process id, in its own PID namespace
 *             60   4  checksum        CRC-32 of the schema and of the trailer up to here
 *
 * All numbers are little-endian. Every part has its size here, so that a later version of the library
 * can make its tables larger without another format.
 *
 * The padding of the schema goes up to the next multiple of 8, and by 8 more when the file would end
 * with a page: so the size of an object is never a size that a program in another language gives
 * to a bare struct by rounding it up to pages.
 *
 * Locks on bytes far behind the end (`F_OFD_SETLK`) tell who is there. The kernel drops them with the
 * memory, whatever a process dies of:
 *
 *     2^52            lifetime "lastDetach": shared by all who are attached
 *     2^52 + 1024     and on: one for each slot
 *
 * @module
 */

import { crc32 } from "./crc32.ts";

/** The bytes of the trailer. */
export const TRAILER_BYTE_LENGTH = 64;
/** The byte on which those who are attached hold a shared lock. */
export const LIFETIME_LOCK: number = 2 ** 52;

/** The version of the format. Others are refused. */
export const VERSION = 1;
const MAGIC = [0x89, 0x73, 0x68, 0x6d, 0x6b, 0x69, 0x74, 0x0a] as const;

const AT = {
  version: 8,
  kind: 10,
  lifetime: 12,
  participants: 14,
  payload: 16,
  slot: 24,
  readers: 28,
  waiters: 32,
  schema: 36,
  fingerprint: 40,
  creation: 48,
  creator: 56,
  checksum: 60,
} as const;

/** What the payload is padded to: cache lines that are fetched in pairs. */
const PAYLOAD_ALIGNMENT = 128;
/** The least page: what a whole number of these is, may have been rounded up. */
const PAGE = 4096;
/** The most bytes of a table. */
const MAX_TABLE_BYTE_LENGTH = 2 ** 26;
/** The most bytes of a schema: nobody makes or parses a longer one, and it is read at every open. */
const MAX_SCHEMA_BYTE_LENGTH = 2 ** 22;
/** The most participants: as many as a lock can tell apart. */
export const MAX_PARTICIPANTS = 1000;

/** Lifetimes, by their numbers. */
export const OBJECT_LIFETIMES = ["persist", "creator", "lastDetach"] as const;

/** The sizes of the parts, in bytes where nothing else is said. */
export interface ObjectShape {
  readonly payloadByteLength: number;
  /** How many may take part in synchronisation at once. */
  readonly participants: number;
  readonly slotByteLength: number;
  readonly readerRowByteLength: number;
  readonly waitersByteLength: number;
  readonly schemaByteLength: number;
}

const roundUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** What a participant takes: a slot, which two threads never share a cache line of. */
const SLOT_BYTE_LENGTH = 128;
/** Two bitmaps of all participants that there can be: who awaits, and who has shared locks. */
const WAITERS_BYTE_LENGTH = 256;

/** What no two participants write to: a row is a whole number of these. */
const ROW_ALIGNMENT = 64;
/** The most bytes that the rows of all participants of a new object take together. */
export const MAX_ROWS_BYTE_LENGTH: number = MAX_TABLE_BYTE_LENGTH;

/**
 * The shape of a new object.
 *
 * @param rowByteLength What the layout needs in the row of each participant.
 */
export function shapeFor(
  payloadByteLength: number,
  participants: number,
  schemaByteLength: number,
  rowByteLength: number = 0,
): ObjectShape {
  return {
    payloadByteLength,
    participants,
    slotByteLength: SLOT_BYTE_LENGTH,
    readerRowByteLength: roundUp(rowByteLength, ROW_ALIGNMENT),
    waitersByteLength: WAITERS_BYTE_LENGTH,
    schemaByteLength,
  };
}

/** What the trailer says. */
export interface Trailer extends ObjectShape {
  /** The number of what is in the payload: see `kinds.ts`. */
  readonly kind: number;
  readonly lifetime: typeof OBJECT_LIFETIMES[number];
  /** Of the layout, in hexadecimal. */
  readonly fingerprint: string;
  readonly creationTimeMs: number;
  readonly creatorPid: number;
}

/** Where the parts of an object start, and the size of its file. */
export interface ObjectPlaces {
  readonly slots: number;
  readonly readerRows: number;
  readonly waiters: number;
  readonly schema: number;
  readonly trailer: number;
  readonly byteLength: number;
}

/** Finds the parts. */
export function placesOf(shape: ObjectShape): ObjectPlaces {
  const { participants } = shape;
  const slots = roundUp(shape.payloadByteLength, PAYLOAD_ALIGNMENT);
  const readerRows = slots + participants * shape.slotByteLength;
  const waiters = readerRows + participants * shape.readerRowByteLength;
  const schema = waiters + shape.waitersByteLength;
  const end = roundUp(schema + shape.schemaByteLength, 8);
  const trailer = (end + TRAILER_BYTE_LENGTH) % PAGE === 0 ? end + 8 : end;
  return {
    slots,
    readerRows,
    waiters,
    schema,
    trailer,
    byteLength: trailer + TRAILER_BYTE_LENGTH,
  };
}

/** The version of a trailer that has its magic: all else of it may be different in another one. */
export function versionOf(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(AT.version, true);
}

/** Whether 64 bytes are a trailer, of whatever version. */
export function hasMagic(bytes: Uint8Array): boolean {
  return bytes.length === TRAILER_BYTE_LENGTH &&
    MAGIC.every((byte, index) => bytes[index] === byte);
}

/** Makes the bytes of a trailer. */
export function encodeTrailer(trailer: Trailer, schema: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TRAILER_BYTE_LENGTH);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(AT.version, VERSION, true);
  view.setUint16(AT.kind, trailer.kind, true);
  view.setUint16(AT.lifetime, OBJECT_LIFETIMES.indexOf(trailer.lifetime), true);
  view.setUint16(AT.participants, trailer.participants, true);
  view.setBigUint64(AT.payload, BigInt(trailer.payloadByteLength), true);
  view.setUint32(AT.slot, trailer.slotByteLength, true);
  view.setUint32(AT.readers, trailer.readerRowByteLength, true);
  view.setUint32(AT.waiters, trailer.waitersByteLength, true);
  view.setUint32(AT.schema, trailer.schemaByteLength, true);
  view.setBigUint64(AT.fingerprint, BigInt(`0x${trailer.fingerprint}`), true);
  view.setBigUint64(AT.creation, BigInt(Math.floor(trailer.creationTimeMs)), true);
  view.setUint32(AT.creator, trailer.creatorPid, true);
  view.setUint32(AT.checksum, checksumOf(bytes, schema), true);
  return bytes;
}

/**
 * Reads a trailer that has its magic and this version, without believing it.
 *
 * @param bytes A private copy of the last 64 bytes.
 * @param byteLength The size of the file.
 * @returns It, or undefined when its sizes cannot be right.
 */
export function decodeTrailer(
  bytes: Uint8Array<ArrayBuffer>,
  byteLength: number,
): Trailer | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TRAILER_BYTE_LENGTH);
  const trailer = {
    kind: view.getUint16(AT.kind, true),
    lifetime: OBJECT_LIFETIMES[view.getUint16(AT.lifetime, true)],
    participants: view.getUint16(AT.participants, true),
    payloadByteLength: Number(view.getBigUint64(AT.payload, true)),
    slotByteLength: view.getUint32(AT.slot, true),
    readerRowByteLength: view.getUint32(AT.readers, true),
    waitersByteLength: view.getUint32(AT.waiters, true),
    schemaByteLength: view.getUint32(AT.schema, true),
    fingerprint: view.getBigUint64(AT.fingerprint, true).toString(16).padStart(16, "0"),
    creationTimeMs: Number(view.getBigUint64(AT.creation, true)),
    creatorPid: view.getUint32(AT.creator, true),
  };
  const { lifetime, participants } = trailer;
  const tables = [trailer.slotByteLength, trailer.readerRowByteLength, trailer.waitersByteLength];
  const isPossible = lifetime !== undefined && participants >= 1 &&
    participants <= MAX_PARTICIPANTS && trailer.payloadByteLength >= 1 &&
    trailer.payloadByteLength <= byteLength &&
    tables.every((each) => each % 8 === 0 && each <= MAX_TABLE_BYTE_LENGTH) &&
    trailer.schemaByteLength <= MAX_SCHEMA_BYTE_LENGTH &&
    placesOf(trailer).byteLength === byteLength;
  return isPossible ? { ...trailer, lifetime } : undefined;
}

/** Whether the checksum of a trailer is that of it and its schema. */
export function isIntact(bytes: Uint8Array<ArrayBuffer>, schema: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TRAILER_BYTE_LENGTH);
  return view.getUint32(AT.checksum, true) === checksumOf(bytes, schema);
}

function checksumOf(bytes: Uint8Array, schema: Uint8Array): number {
  return crc32(bytes.subarray(0, AT.checksum), crc32(schema));
}
