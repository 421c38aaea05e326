/**
 * Objects that should have gone with the last process that was attached, and have not: that one was
 * killed.
 *
 * @module
 */

import { removeIfAbandoned } from "../memory/objects/abandoned.ts";
import { isAttached } from "./carried.ts";
import type { Finding } from "./gc.ts";
import type { SharedObject } from "./objects.ts";
import { openSource } from "./read.ts";

/**
 * Looks whether an object is one: it says itself that it goes with the last, and nobody holds the lock
 * that tells who is there. Nobody has to name it: whoever opened or created the name would remove it,
 * too.
 *
 * @param keptBecause Why it is to be spared, if so.
 */
export function findAbandoned(object: SharedObject, keptBecause?: string): Finding | undefined {
  const { label, size, bornMs, target } = object;
  if (target?.kind !== "posix") return undefined;
  try {
    using source = openSource(target);
    if (source.header()?.lifetime !== "lastDetach") return undefined;
    if (isAttached(target) !== false) return undefined;
  } catch {
    return undefined; // damaged, gone, or without the right to read it
  }
  return {
    label,
    size,
    bornMs,
    keptBecause,
    removedBecause: "the last who was attached to it has died",
    remove: () => removeIfAbandoned({ verb: "remove", noun: "object", name: target.name }),
  };
}
