/**
 * The state of what synchronises, in words and as JSON.
 *
 * @module
 */

import type { InspectedField } from "../sync/inspect/inspection.ts";
import { type InspectedParticipant, isLiving } from "../sync/inspect/participants.ts";
import type { Holder, SyncState } from "../sync/inspect/states.ts";
import { escapeName } from "./escape.ts";
import { count } from "./units.ts";

/** How many are named, where there are more. */
const MAX_NAMED = 6;

/** A thread, as people find it: by its process, and by its own number when it is not the main one. */
export function formatParticipant(participant: InspectedParticipant): string {
  const { pid, thread, state, isHere, command, slot } = participant;
  if (state === "gone") return "somebody unknown";
  if (state === "arriving" || pid <= 0) return `slot ${slot}`;
  const numbers = thread === pid || thread === 0 ? `${pid}` : `${pid}/${thread}`;
  const notes = [
    ...(command === undefined ? [] : [escapeName(command)]),
    ...(isHere ? [] : ["in another PID namespace"]),
    ...(state === "alive" ? [] : [STATE_WORDS[state] ?? state]),
  ];
  return notes.length === 0 ? numbers : `${numbers} (${notes.join(", ")})`;
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  terminated: "thread terminated",
  unknown: "who knows whether alive",
};

/** Some of many, by name. */
function list(participants: readonly InspectedParticipant[]): string {
  return listed(participants.map(formatParticipant));
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  const shown = names.slice(0, MAX_NAMED).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function holderList(holders: readonly Holder[]): string {
  return listed(
    holders.map(({ participant, count: times }) =>
      `${formatParticipant(participant)}${times === 1 ? "" : ` ${times} times`}`
    ),
  );
}

/** What is wrong with a field, in a word for programs. */
export type Trouble = "ownerDead" | "needsRepair" | "broken";

/** What is wrong with a field: nothing that the next who comes would not find out. */
export function troubleOf({ state }: InspectedField): Trouble | undefined {
  switch (state?.kind) {
    case "mutex":
    case "rwlock":
    case "once":
      if (state.state === "ownerDead") return "ownerDead";
      return state.needsRepair ? "needsRepair" : undefined;
    case "barrier":
      return state.state === "gathering" ? undefined : "broken";
    default:
      return undefined;
  }
}

/** That for people. */
export const TROUBLE_WORDS: Readonly<Record<Trouble, string>> = {
  ownerDead: "owner dead",
  needsRepair: "needs repair",
  broken: "broken",
};

/** Whether anybody has to do with a field now. */
export function isBusy({ state, sleepers, awaiters, isSure }: InspectedField): boolean {
  return (state?.holders.length ?? 0) > 0 || sleepers.length > 0 ||
    (isSure && awaiters.length > 0);
}

/** The state of a field without those who wait: a thread that waits is now asleep, now looks again. */
export function briefText({ state }: InspectedField): string {
  return state === undefined ? "unreadable" : words(state);
}

/**
 * The state of a field.
 *
 * @param seen For how long its holders have been seen with it, if that is known.
 */
export function stateText(field: InspectedField, seen?: string): string {
  const { state, sleepers, awaiters, isSure } = field;
  if (state === undefined) return "unreadable";
  const demands = state.demandedBy !== undefined && isLiving(state.demandedBy)
    ? [`demanded by ${formatParticipant(state.demandedBy)}`]
    : [];
  const hasWaiters = sleepers.length > 0 || awaiters.length > 0;
  return [
    ...(state.kind === "condition" && hasWaiters ? [] : [words(state)]),
    ...(seen === undefined ? [] : [seen]),
    ...demands,
    ...(sleepers.length === 0
      ? []
      : [`${count(sleepers.length, "waits", "wait")}: ${list(sleepers)}`]),
    ...(awaiters.length === 0
      ? []
      : [`${isSure ? "awaited" : "perhaps awaited"} by ${list(awaiters)}`]),
  ].join("; ");
}

function words(state: SyncState): string {
  switch (state.kind) {
    case "mutex":
      return lockWords(state.state, state);
    case "rwlock":
      return rwlockWords(state);
    case "once":
      return onceWords(state);
    case "semaphore": {
      const { free, permits, holders, ofDead } = state;
      const held = holders.length === 0 ? "" : `; held by ${holderList(holders)}`;
      return `${free} of ${permits} free${held}${
        ofDead === 0 ? "" : `; ${ofDead} of the dead, to be taken by who needs them`
      }`;
    }
    case "condition":
      return "nobody waits"; // it has no other state
    case "barrier": {
      const { parties, joined, arrived, phase, holders } = state;
      const members = holders.length === 0 ? "" : `: ${holderList(holders)}`;
      const broken = {
        gathering: "",
        broken: "broken, ",
        memberDead: "a member is dead, ",
      }[state.state];
      return `${broken}${arrived} of ${parties} arrived in phase ${phase}; ${joined} joined${members}`;
    }
    default:
      return state.state === "set" ? "set" : "not set";
  }
}

const REPAIR = "needs repair, since an owner has died";

function lockWords(
  state: "free" | "held" | "ownerDead",
  { holders, needsRepair }: SyncState & { readonly needsRepair: boolean },
): string {
  if (state === "free") return needsRepair ? `free, ${REPAIR}` : "free";
  if (state === "ownerDead") return `its owner is dead: ${holderList(holders)}`;
  return `held by ${holderList(holders)}${needsRepair ? `, ${REPAIR}` : ""}`;
}

function rwlockWords(state: SyncState & { readonly kind: "rwlock" }): string {
  const { holders, writer, needsRepair } = state;
  const readers = writer === undefined ? holders : holders.slice(1);
  const shared = readers.length === 0 ? "" : `shared by ${holderList(readers)}`;
  const by = writer === undefined ? "" : formatParticipant(writer);
  const repair = needsRepair ? `, ${REPAIR}` : "";
  switch (state.state) {
    case "free":
      return `free${repair}`;
    case "shared":
      return `${shared}${repair}`;
    case "pending":
      return `${shared || "free of readers"}, for whose end the writer ${by} waits${repair}`;
    case "exclusive":
      return `held exclusively by ${by}${repair}`;
    case "ownerDead":
      return `its writer is dead: ${by}`;
    case "pendingDead":
      return `${shared === "" ? "free" : shared}, a writer died waiting: ${by}${repair}`;
  }
}

function onceWords({ state, holders, needsRepair }: SyncState & { readonly kind: "once" }): string {
  switch (state) {
    case "notRun":
      return needsRepair ? "not run since a runner has died" : "not run";
    case "running":
      return `being run by ${holderList(holders)}`;
    case "ownerDead":
      return `its runner is dead: ${holderList(holders)}`;
    case "done":
      return "done";
  }
}

/** Somebody as JSON has it. */
export function participantRecord(participant: InspectedParticipant): object {
  const { slot, pid, thread, state, isHere, command } = participant;
  return { slot, pid, thread, sameNamespace: isHere, command: command ?? null, state };
}

/** A field as JSON has it. */
export function fieldRecord(field: InspectedField, seenMs?: number): object {
  const { path, position, state, sleepers, awaiters, isSure } = field;
  const { holders = [], demandedBy, ...facts } = state ?? { kind: field.field.kind, state: null };
  const writer = "writer" in facts && facts.writer !== undefined
    ? { writer: participantRecord(facts.writer) }
    : {};
  return {
    path,
    offset: position,
    ...facts,
    ...writer,
    holders: holders.map(({ participant, count: times }) => ({
      ...participantRecord(participant),
      count: times,
    })),
    ...(seenMs === undefined ? {} : { seenMs: Math.round(seenMs) }),
    demandedBy: demandedBy === undefined ? null : participantRecord(demandedBy),
    waiting: sleepers.map(participantRecord),
    [isSure ? "awaiting" : "perhapsAwaiting"]: awaiters.map(participantRecord),
    text: stateText(field),
  };
}
