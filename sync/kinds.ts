/**
 * The fields that synchronise, as layouts describe them.
 *
 * What is named (`named/`) reads layouts, and so needs these: a field's own file imports none of that.
 *
 * @module
 */

import type { OtherKinds } from "../layout/from_description.ts";
import {
  autoResetEvent,
  barrier,
  condition,
  event,
  mutex,
  once,
  rwlock,
  semaphore,
} from "./fields.ts";

/**
 * What makes the fields that synchronise, by the names of their kinds. With these, whatever reads the
 * layout that an object carries knows them: `SharedObject.layoutOf()`, the command `shm`, and whoever
 * tells how two layouts differ.
 */
export const KINDS: OtherKinds = {
  mutex: () => mutex,
  rwlock: () => rwlock,
  semaphore: ({ permits }) => semaphore(permits as number),
  condition: () => condition,
  event: () => event,
  autoResetEvent: () => autoResetEvent,
  barrier: ({ parties }) => barrier(parties as number),
  once: () => once,
};
