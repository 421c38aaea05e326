/**
 * What `shm top` shows of the synchronisation of objects: who holds what, since when that was seen, and
 * who waits.
 *
 * @module
 */

import type { InspectedField } from "../sync/inspect/inspection.ts";
import type { SharedObject } from "./objects.ts";
import { stateText } from "./sync_words.ts";
import { briefSync, busyFields, Sightings, syncRecord } from "./synchronisation.ts";
import { styleOf } from "./stat_sync.ts";
import { layOut } from "./table.ts";
import { formatSeen } from "./units.ts";

interface Row {
  readonly object: SharedObject;
  readonly field: InspectedField;
  /** For how long its holders have been seen with it. */
  readonly seenMs: number | undefined;
}

/** The table, which remembers what it has seen before. */
export class LockTable {
  readonly #sightings = new Sightings();

  /** Looks at objects, and lays out what is busy. @returns No line when nothing is. */
  lines(objects: readonly SharedObject[], maxLines: number = Infinity): string[] {
    this.#sightings.begin();
    const rows: Row[] = objects.flatMap((object) =>
      busyFields(briefSync(object.target)).map((field) => ({
        object,
        field,
        seenMs: this.#sightings.see(object.label, field),
      }))
    );
    if (rows.length === 0) return [];
    const lines = layOut<Row>([
      { title: "SEEN", align: "right", cell: ({ seenMs }) => seenMs ? formatSeen(seenMs) : "-" },
      { title: "NAME", cell: ({ object }) => object.label },
      { title: "FIELD", cell: ({ field }) => field.path },
      {
        title: "STATE",
        cell: ({ field }) => stateText(field),
        style: ({ field }) => styleOf(field),
      },
    ], rows);
    const all = ["", ...lines];
    if (all.length <= maxLines) return all;
    const shown = Math.max(0, maxLines - 1);
    return [...all.slice(0, shown), `... and ${all.length - shown} more`];
  }

  /** Looks at objects. @returns What JSON has of each. */
  records(objects: readonly SharedObject[]): (object | null)[] {
    this.#sightings.begin();
    return objects.map(({ target, label }) =>
      syncRecord(label, briefSync(target), this.#sightings)
    );
  }
}
