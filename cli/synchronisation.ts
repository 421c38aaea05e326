/**
 * What the command tells of the synchronisation of objects.
 *
 * @module
 */

import { type InspectedField, Inspection } from "../sync/inspect/inspection.ts";
import { isLiving } from "../sync/inspect/participants.ts";
import { KINDS } from "../sync/mod.ts";
import { type Carried, carriedBy } from "./carried.ts";
import { openSource, type Source } from "./read.ts";
import { fieldRecord, isBusy, type Trouble, TROUBLE_WORDS, troubleOf } from "./sync_words.ts";
import { formatTarget, type Target } from "./target.ts";
import { formatSeen } from "./units.ts";

/** How many fields of an object are looked at, where it is not asked for one of them. */
export const MAX_FIELDS = 1024;

/** Looks at an object that is being read. @returns Undefined when nothing of it synchronises. */
export function inspect(source: Source, { header, layout }: Carried): Inspection | undefined {
  const { fd } = source;
  if (fd === undefined || layout.plain) return undefined;
  return new Inspection(fd, header, layout);
}

/** The fields that are looked at. */
export function firstFields(inspection: Inspection): InspectedField[] {
  const fields: InspectedField[] = [];
  for (const field of inspection.fields()) {
    fields.push(field);
    if (fields.length === MAX_FIELDS) break;
  }
  return fields;
}

/** What a list says of an object. */
export interface SyncBrief {
  readonly fields: readonly InspectedField[];
  /** How many fields were not looked at. */
  readonly more: number;
}

/** Of a longer one, a list does not find out what is in it. */
const MAX_SCHEMA_BYTE_LENGTH = 2 ** 16;
const SYNCHRONISING = new RegExp(`"(?:${Object.keys(KINDS).join("|")})"`);

/** Looks at an object for a list: whatever is wrong with it is none of its business. */
export function briefSync(target: Target | undefined): SyncBrief | undefined {
  if (target?.kind !== "posix") return undefined;
  try {
    using source = openSource(target);
    const header = source.header();
    if (header === undefined || header.schema.length > MAX_SCHEMA_BYTE_LENGTH) return undefined;
    if (!SYNCHRONISING.test(new TextDecoder().decode(header.schema))) return undefined;
    const key = formatTarget(target);
    const carried = carriedBy(target, source, known.get(key));
    if (carried === undefined) return undefined;
    known.set(key, carried);
    const inspection = inspect(source, carried);
    if (inspection === undefined) return undefined;
    const fields = firstFields(inspection);
    return { fields, more: inspection.count - fields.length };
  } catch {
    return undefined; // without the right to read it, gone, or written over
  }
}

/** The same layouts again and again are not parsed again and again. */
const known = new Map<string, Carried>();

/** A field with which something is wrong. */
export interface TroubledField {
  readonly field: InspectedField;
  readonly trouble: Trouble;
}

/** The fields with which something is wrong. */
export function troublesIn(brief: SyncBrief | undefined): TroubledField[] {
  return (brief?.fields ?? []).flatMap((field) => {
    const trouble = troubleOf(field);
    return trouble === undefined ? [] : [{ field, trouble }];
  });
}

/** What a list adds to the name of an object: nothing when all is well. */
export function formatTroubles(troubles: readonly TroubledField[]): string {
  const [first, ...more] = troubles;
  if (first === undefined) return "";
  const rest = more.length === 0 ? "" : ` and ${more.length} more`;
  return `${first.field.path}: ${TROUBLE_WORDS[first.trouble]}${rest}`;
}

/** Those as JSON has them. */
export function troubleRecords(troubles: readonly TroubledField[]): object[] {
  return troubles.map(({ field: { path, position, field: { kind } }, trouble }) => ({
    path,
    offset: position,
    kind,
    trouble,
  }));
}

/**
 * Remembers since when the same have been seen to hold something. No word tells how long a lock has been
 * held: who lets go and locks again between two looks looks the same.
 */
export class Sightings {
  #since = new Map<string, number>();
  #now = new Map<string, number>();

  /** Begins to look: whoever is not seen until the next time is forgotten. */
  begin(): void {
    this.#since = this.#now;
    this.#now = new Map();
  }

  /** Sees a field. @returns For how long it has been seen like that; undefined when nobody has it. */
  see(object: string, { position, state }: InspectedField): number | undefined {
    const holders = state?.holders.filter(({ participant }) => isLiving(participant)) ?? [];
    if (holders.length === 0 || state?.kind === "barrier") return undefined;
    const ids = holders.map(({ participant }) => participant.id).sort();
    const key = JSON.stringify([object, position, state?.state, ids]);
    const nowMs = performance.now();
    const sinceMs = this.#since.get(key) ?? nowMs;
    this.#now.set(key, sinceMs);
    return nowMs - sinceMs;
  }

  /** The same in words; undefined for what is seen for the first time. */
  seen(object: string, field: InspectedField): string | undefined {
    const ms = this.see(object, field);
    return ms === undefined || ms === 0 ? undefined : `seen for ${formatSeen(ms)}`;
  }
}

/** The fields of an object that anybody has to do with, or with which something is wrong. */
export function busyFields(brief: SyncBrief | undefined): InspectedField[] {
  return (brief?.fields ?? []).filter((field) => isBusy(field) || troubleOf(field) !== undefined);
}

/** The fields of an object as JSON has them, those of them that are looked at. */
export function syncRecord(
  target: string,
  brief: SyncBrief | undefined,
  sightings: Sightings,
): object | null {
  if (brief === undefined) return null;
  const { fields, more } = brief;
  return { fields: fields.map((field) => fieldRecord(field, sightings.see(target, field))), more };
}
