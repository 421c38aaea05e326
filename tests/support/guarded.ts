/**
 * An object with locks in it, which tests and their peers share.
 *
 * @module
 */

import { t } from "../../mod.ts";

/** A count that a lock guards, at an odd place. */
export const Guarded = t.struct("Guarded", {
  letter: t.u8,
  inner: t.struct("GuardedInner", { small: t.u16, lock: t.mutex }),
  count: t.u32,
  /** How many are inside. */
  inside: t.atomic(t.u32),
  /** The process that holds the lock, where that is told. */
  holder: t.atomic(t.u32),
  others: t.array(t.struct("GuardedOther", { level: t.u8, lock: t.mutex }), 3),
});

/** Its first value. */
export const UNGUARDED = {
  letter: 0,
  inner: { small: 0 },
  count: 0,
  inside: 0,
  holder: 0,
  others: [{ level: 0 }, { level: 0 }, { level: 0 }],
};
