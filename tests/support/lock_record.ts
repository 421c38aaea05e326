/**
 * The object of the lock tests whose peers are in C as well: `tests/c/lock_record.h` has the second
 * half of it.
 *
 * @module
 */

import { t } from "../../mod.ts";

/** A mutex, an event, and what they guard. */
export const LockRecord = t.struct("LockRecord", {
  lock: t.mutex,
  event: t.array(t.u32, 4),
  /** Under the lock: added to at the begin of a round. */
  count: t.u64,
  /** Under the lock: added to at its end. */
  check: t.u64,
  /** Who is in; 0: nobody. */
  witness: t.atomic(t.u32),
  /** The peers end when it is not 0. */
  stop: t.atomic(t.u32),
  violations: t.atomic(t.u32),
  /** How often it was said that an owner had died. */
  reports: t.atomic(t.u32),
});
