/**
 * The synchronisation of an object, as `shm stat` shows it: who takes part, who has what, who waits.
 *
 * @module
 */

import type { InspectedField, Inspection } from "../sync/inspect/inspection.ts";
import { type InspectedParticipant, isLiving } from "../sync/inspect/participants.ts";
import { carriedBy } from "./carried.ts";
import { escapeName } from "./escape.ts";
import { typeText } from "./fields.ts";
import type { SharedObject } from "./objects.ts";
import type { Style } from "./output.ts";
import { openSource, type Source } from "./read.ts";
import { fieldRecord, isBusy, participantRecord, stateText, troubleOf } from "./sync_words.ts";
import { firstFields, inspect, Sightings } from "./synchronisation.ts";
import { layOut } from "./table.ts";
import { formatSeen } from "./units.ts";

/** What was seen of an object. */
export interface SyncReport {
  readonly participants: readonly InspectedParticipant[];
  readonly fields: readonly InspectedField[];
  /** How many fields were not looked at. */
  readonly more: number;
  /** For how long a field has been seen as it is, where it was looked at more than once. */
  readonly seenMs: ReadonlyMap<InspectedField, number>;
}

/** How many fields are shown with which nobody has to do. */
const MAX_IDLE = 32;
/** How often it is looked. */
const LOOK_MS = 50;

/**
 * Looks at an object, once or for a time.
 *
 * @returns Undefined when nothing of it synchronises, or it cannot be read.
 */
export async function syncReport(
  object: SharedObject,
  forMs: number,
): Promise<SyncReport | undefined> {
  const sightings = new Sightings();
  let endMs = Infinity;
  while (true) {
    sightings.begin();
    const report = look(object, sightings, forMs > 0);
    const nowMs = performance.now();
    if (endMs === Infinity) endMs = nowMs + forMs; // the first look takes longest, and sees nobody for long
    const leftMs = endMs - nowMs;
    if (report === undefined || leftMs <= 0) return report;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, leftMs)));
  }
}

function look(
  { target, label }: SharedObject,
  sightings: Sightings,
  isRepeated: boolean,
): SyncReport | undefined {
  if (target?.kind !== "posix") return undefined;
  let source: Source;
  try {
    source = openSource(target);
  } catch {
    return undefined; // without the right to read it, or gone
  }
  try {
    const carried = carriedBy(target, source);
    const inspection = carried && inspect(source, carried);
    return inspection && reportOf(inspection, label, sightings, isRepeated);
  } catch {
    return undefined; // what is wrong with its layout is told elsewhere
  } finally {
    source[Symbol.dispose]();
  }
}

function reportOf(
  inspection: Inspection,
  label: string,
  sightings: Sightings,
  isRepeated: boolean,
): SyncReport {
  const fields = firstFields(inspection);
  const seenMs = new Map<InspectedField, number>();
  for (const field of fields) {
    const ms = sightings.see(label, field);
    if (isRepeated && ms !== undefined) seenMs.set(field, ms);
  }
  const { participants, count } = inspection;
  return { participants, fields, more: count - fields.length, seenMs };
}

/** Lays it out. */
export function syncTables(report: SyncReport): string[] {
  const { participants, more, seenMs } = report;
  const fields = report.fields.filter((field, index) =>
    index < MAX_IDLE || isBusy(field) || troubleOf(field) !== undefined
  );
  const idle = report.fields.length - fields.length;
  const present = participants.filter(isPresent);
  const text = (field: InspectedField) => {
    const ms = seenMs.get(field);
    return stateText(field, ms === undefined ? undefined : `seen for ${formatSeen(ms)}`);
  };
  return [
    ...(present.length === 0 ? [] : [
      "",
      ...layOut<InspectedParticipant>([
        { title: "SLOT", align: "right", cell: ({ slot }) => String(slot) },
        { title: "PID", align: "right", cell: ({ pid, isHere }) => `${pid}${isHere ? "" : "*"}` },
        { title: "THREAD", align: "right", cell: ({ thread }) => String(thread) },
        {
          title: "COMMAND",
          cell: ({ command }) => command === undefined ? "?" : escapeName(command),
        },
        {
          title: "STATE",
          cell: ({ state }) => state,
          style: (who) => isLiving(who) ? undefined : "red",
        },
        { title: "WAITS FOR", cell: (who) => waitsFor(who, report.fields) },
      ], present),
    ]),
    ...(present.every(({ isHere }) => isHere)
      ? []
      : ["*  in another PID namespace: not the numbers that they have here"]),
    "",
    ...layOut<InspectedField>([
      { title: "OFFSET", align: "right", cell: ({ position }) => String(position) },
      { title: "TYPE", cell: ({ field }) => typeText(field) },
      { title: "FIELD", cell: ({ path }) => path },
      { title: "STATE", cell: text, style: styleOf },
    ], fields),
    ...(idle === 0 ? [] : [`... and ${idle} more with which nobody has to do`]),
    ...(more === 0 ? [] : [`... and ${more} not looked at; shm dump --field shows any of them`]),
  ];
}

/** How a field stands out. */
export function styleOf(field: InspectedField): Style | undefined {
  return troubleOf(field) === undefined ? undefined : "yellow";
}

/** Whether there is anything to say of who has a slot: who has left it in order is nobody any more. */
function isPresent({ state, thread }: InspectedParticipant): boolean {
  return state !== "dead" || thread !== 0;
}

function waitsFor(who: InspectedParticipant, fields: readonly InspectedField[]): string {
  const { sleepsAt, awaiting } = who;
  if (!isLiving(who)) return "-";
  const field = fields.find(({ position, field: { size } }) =>
    sleepsAt !== undefined && sleepsAt >= position && sleepsAt < position + size
  );
  const awaited = fields.filter(({ isSure, awaiters }) =>
    isSure && awaiters.some(({ slot }) => slot === who.slot)
  );
  const waits = [
    ...(sleepsAt === undefined ? [] : [field?.path ?? `what is at ${sleepsAt}`]),
    ...awaited.map(({ path }) => `${path} (event loop)`),
    ...(awaiting > awaited.length ? [`${awaiting - awaited.length} in its event loop`] : []),
  ];
  return waits.length === 0 ? "-" : waits.join(", ");
}

/** As JSON has it. */
export function syncReportRecord(report: SyncReport): object {
  const { participants, fields, more, seenMs } = report;
  return {
    participants: participants.filter(isPresent).map((who) => ({
      ...participantRecord(who),
      sleepsAt: isLiving(who) ? who.sleepsAt ?? null : null,
      awaiting: isLiving(who) ? who.awaiting : 0,
    })),
    fields: fields.map((field) => fieldRecord(field, seenMs.get(field))),
    more,
  };
}
