/**
 * What the words of each kind say, to somebody who does not take part.
 *
 * Each of these takes what was read and answers in facts; words for people are the command's business.
 * Where bytes have been written over, they say what a participant would take them for.
 *
 * @module
 */

import { DIED, OWNER } from "../protocols/lock_word.ts";
import { DONE } from "../protocols/once.ts";
import { type InspectedParticipant, isLiving } from "./participants.ts";

/** Somebody who has something, so many times. */
export interface Holder {
  readonly participant: InspectedParticipant;
  readonly count: number;
}

/** What is to be known of each. */
interface Common {
  /** Those who hold it: the owner, readers, owners of permits, members of a barrier. */
  readonly holders: readonly Holder[];
  /** Who is to be next. */
  readonly demandedBy: InspectedParticipant | undefined;
}

/** What is to be known of a field, by its kind. */
export type SyncState =
  & Common
  & (
    | {
      readonly kind: "mutex";
      readonly state: "free" | "held" | "ownerDead";
      /** Whether an owner has died, and nobody has marked the lock consistent since. */
      readonly needsRepair: boolean;
    }
    | {
      readonly kind: "rwlock";
      /**
       * `pending` is a writer that waits for readers, among the holders. `ownerDead` is a writer that may
       * have been changing data, `pendingDead` one that was not.
       */
      readonly state: "free" | "shared" | "pending" | "exclusive" | "ownerDead" | "pendingDead";
      readonly needsRepair: boolean;
      /** Among the holders. */
      readonly writer: InspectedParticipant | undefined;
    }
    | {
      readonly kind: "once";
      readonly state: "notRun" | "running" | "ownerDead" | "done";
      readonly needsRepair: boolean;
    }
    | {
      readonly kind: "semaphore";
      readonly state: "free" | "exhausted";
      readonly permits: number;
      readonly free: number;
      /** Permits of the dead: the next who needs them takes them. */
      readonly ofDead: number;
    }
    | { readonly kind: "condition"; readonly state: "none" }
    | { readonly kind: "event" | "autoResetEvent"; readonly state: "set" | "unset" }
    | {
      readonly kind: "barrier";
      readonly state: "gathering" | "broken" | "memberDead";
      readonly parties: number;
      readonly joined: number;
      readonly arrived: number;
      /** How many phases have ended, modulo 2^18. */
      readonly phase: number;
    }
  );

/** What it takes to tell. */
export interface Words {
  /** Of the field. */
  readonly words: readonly number[];
  /** Who has an id. */
  of(id: number): InspectedParticipant;
  /** Those who share a read-write lock. */
  readers(): Holder[];
}

const NOBODY: Common = { holders: [], demandedBy: undefined };

/** What the words of a field say; undefined for a kind that is not known. */
export function stateOf(kind: string, given: Words): SyncState | undefined {
  switch (kind) {
    case "mutex":
      return mutexState(given);
    case "rwlock":
      return rwlockState(given);
    case "once":
      return onceState(given);
    case "semaphore":
      return semaphoreState(given);
    case "barrier":
      return barrierState(given);
    case "condition":
      return { ...NOBODY, kind, state: "none" };
    case "event":
    case "autoResetEvent":
      return { ...NOBODY, kind, state: (wordAt(given, 0) & 1) === 0 ? "unset" : "set" };
    default:
      return undefined;
  }
}

const wordAt = ({ words }: Words, index: number) => words[index] ?? 0;

/** Of a lock word and what follows it. */
function lockWord(given: Words) {
  const word = wordAt(given, 0);
  const next = wordAt(given, 1);
  const owner = (word & OWNER) === 0 ? undefined : given.of(word & OWNER);
  return {
    owner,
    isDone: (word & OWNER) === DONE,
    needsRepair: (word & DIED) !== 0,
    demandedBy: next === 0 ? undefined : given.of(next & OWNER),
    holders: owner === undefined ? [] : [{ participant: owner, count: 1 }],
  };
}

function mutexState(given: Words): SyncState {
  const { owner, needsRepair, demandedBy, holders } = lockWord(given);
  const state = owner === undefined ? "free" : isLiving(owner) ? "held" : "ownerDead";
  return { kind: "mutex", state, needsRepair, demandedBy, holders };
}

function onceState(given: Words): SyncState {
  const { owner, isDone, needsRepair, demandedBy, holders } = lockWord(given);
  if (isDone) return { ...NOBODY, kind: "once", state: "done", needsRepair: false };
  const state = owner === undefined ? "notRun" : isLiving(owner) ? "running" : "ownerDead";
  return { kind: "once", state, needsRepair, demandedBy, holders };
}

/** Where the id of the writer that may be changing data is. */
const WRITING = 3;

function rwlockState(given: Words): SyncState {
  const { owner: writer, needsRepair, demandedBy, holders } = lockWord(given);
  const common = { kind: "rwlock", needsRepair, demandedBy, writer } as const;
  const readers = given.readers();
  const all = [...holders, ...readers];
  if (writer === undefined) {
    return { ...common, state: readers.length > 0 ? "shared" : "free", holders: all };
  }
  const isWriting = wordAt(given, WRITING) === writer.id;
  const state = isLiving(writer)
    ? isWriting ? "exclusive" : "pending"
    : isWriting
    ? "ownerDead"
    : "pendingDead";
  return { ...common, state, holders: all };
}

/** Where the permits of a semaphore and the members of a barrier begin. */
const FIRST = 4;

/** Those whose ids stand there, each once. */
function holdersIn(given: Words): Holder[] {
  const counts = new Map<number, number>();
  for (const id of given.words.slice(FIRST)) {
    if (id !== 0) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return [...counts].map(([id, count]) => ({ participant: given.of(id), count }));
}

function semaphoreState(given: Words): SyncState {
  const next = wordAt(given, 1);
  const permits = Math.max(0, given.words.length - FIRST);
  const holders = holdersIn(given);
  const sum = (some: readonly Holder[]) => some.reduce((total, { count }) => total + count, 0);
  const free = permits - sum(holders);
  return {
    kind: "semaphore",
    state: free > 0 ? "free" : "exhausted",
    permits,
    free,
    ofDead: sum(holders.filter(({ participant }) => !isLiving(participant))),
    holders,
    demandedBy: next === 0 ? undefined : given.of(next & OWNER),
  };
}

function barrierState(given: Words): SyncState {
  const word = wordAt(given, 0);
  const holders = holdersIn(given);
  const hasDead = holders.some(({ participant }) => !isLiving(participant));
  return {
    kind: "barrier",
    state: word < 0 ? "broken" : hasDead ? "memberDead" : "gathering",
    parties: Math.max(0, given.words.length - FIRST),
    joined: holders.reduce((sum, { count }) => sum + count, 0),
    arrived: word & 0xfff,
    phase: word >>> 12 & 0x3_ffff,
    holders,
    demandedBy: undefined,
  };
}
