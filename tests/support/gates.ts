/**
 * Events in shared memory, and a count of those who have passed.
 *
 * @module
 */

import { t } from "../../mod.ts";
import { autoResetEvent, event } from "../../sync/fields.ts";

const Gate = t.struct("Gate", {
  odd: t.u8,
  open: event,
  next: autoResetEvent,
  done: autoResetEvent,
  passed: t.atomic(t.u32),
});

/** Several, at odd places. */
export const Gates = t.struct("Gates", { odd: t.bytes(3), gates: t.array(Gate, 2) });
