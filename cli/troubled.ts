/**
 * The locks of all objects with which something is wrong.
 *
 * @module
 */

import type { SharedObject } from "./objects.ts";
import { briefSync, type TroubledField, troublesIn } from "./synchronisation.ts";

/** One of them, and what it is in. */
export interface TroubledPlace extends TroubledField {
  readonly label: string;
}

/** Finds them. What somebody waits for is about to be well, and no business of anybody. */
export function troubledFields(objects: readonly SharedObject[]): TroubledPlace[] {
  return objects.flatMap(({ target, label }) =>
    troublesIn(briefSync(target))
      .filter(({ field: { sleepers } }) => sleepers.length === 0)
      .map((each) => ({ ...each, label }))
  );
}

const MAX_NAMED = 3;

/** Names some of them: `player lock, queue items[3].lock, ...`. */
export function formatFields(places: readonly TroubledPlace[]): string {
  const names = places.slice(0, MAX_NAMED).map(({ label, field }) => `${label} ${field.path}`);
  return [...names, ...(places.length > MAX_NAMED ? ["..."] : [])].join(", ");
}
