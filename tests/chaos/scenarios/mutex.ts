/**
 * One at a time, and whoever comes after a death is told.
 *
 * @module
 */

import { t } from "../../../mod.ts";
import { mutex } from "../../../sync/fields.ts";
import type { MutexGuard } from "../../../sync/primitives/mutex.ts";
import { ASYNC_WAYS, common, type Context, type Control, get, type Scenario } from "../scenario.ts";

const layout = t.struct("ChaosMutex", {
  ...common,
  pad: t.u8,
  lock: mutex,
  /** Who is inside. */
  inside: t.atomic(t.u32),
  /** An owner has been told of a death, and has not marked the lock consistent. */
  inconsistent: t.atomic(t.u32),
  /** Two numbers that are equal, except inside. */
  first: t.u32,
  second: t.u32,
});

type Chaos = Context<typeof layout>;

let entries = 0;

export const scenario: Scenario<typeof layout> = {
  layout,
  round: async (context) => {
    const { random } = context;
    if (random(20) > 0) return await one(context);
    // Several of one thread.
    const way = () => ASYNC_WAYS[random(ASYNC_WAYS.length)] as number;
    const got = await Promise.all([one(context, way()), one(context, way()), one(context, way())]);
    return got.includes(true);
  },
  finish: ({ value, kills, violation }: Control<typeof layout>) => {
    let died = 0;
    for (const worker of value.workers) died += worker.died.load();
    using guard = value.lock.lock({ timeout: 5000 });
    const wasInside = value.inside.load() !== 0;
    if (wasInside && !guard.ownerDied) violation("the last death of an owner was not told");
    if (died > kills) violation(`${died} deaths of owners were told, of ${kills} workers`);
    guard.markConsistent();
  },
};

async function one(context: Chaos, way?: number): Promise<boolean> {
  const { lock } = context.value;
  const guard = await get<MutexGuard>(context, {
    now: () => lock.tryLock(),
    plainly: (options) => lock.lock(options),
    async: (options) => lock.lockAsync(options),
  }, way);
  if (guard === null) return false;
  const { value, self, seat, random, pass, violation } = context;
  self.holding.add(1);
  const me = seat << 24 | (entries = (entries + 1) & 0xff_ffff);
  const before = value.inside.exchange(me);
  const wasInconsistent = value.inconsistent.load() === 1;
  if (guard.ownerDied) {
    if (!wasInconsistent || before !== 0) self.died.add(1);
    if (before === 0 && !wasInconsistent) self.narrow.add(1);
    value.second = value.first;
  } else {
    if (before !== 0) violation(`${before >>> 24} was inside, and not said to be dead`);
    if (wasInconsistent) violation("the lock was not marked consistent, and that was not told");
    if (value.first !== value.second) violation("what the lock guards was half changed");
  }
  value.first++;
  await pass();
  value.second++;
  if (guard.ownerDied) {
    const leaves = random(8) === 0;
    value.inconsistent.store(leaves ? 1 : 0);
    if (!leaves) guard.markConsistent();
  }
  const after = value.inside.exchange(0);
  if (after !== me) violation(`${after >>> 24} came in while ${seat} was inside`);
  self.holding.sub(1);
  guard.release();
  return true;
}
