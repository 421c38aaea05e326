/**
 * Nothing changes under a reader, one writes at a time, and the death of a writer is told.
 *
 * @module
 */

import { t } from "../../../mod.ts";
import { rwlock } from "../../../sync/fields.ts";
import type { ExclusiveGuard, SharedGuard } from "../../../sync/primitives/rwlock_guards.ts";
import { common, type Context, get, type Scenario } from "../scenario.ts";

const layout = t.struct("ChaosRwLock", {
  ...common,
  pad: t.u8,
  lock: rwlock,
  /** Who writes. */
  inside: t.atomic(t.u32),
  /** A writer has been told of a death, and has not marked the lock consistent. */
  inconsistent: t.atomic(t.u32),
  /** Two numbers that are equal, except while somebody writes. */
  first: t.atomic(t.u32),
  second: t.atomic(t.u32),
});

type Chaos = Context<typeof layout>;

export const scenario: Scenario<typeof layout> = {
  layout,
  round: async (context) => context.random(3) === 0 ? await write(context) : await read(context),
  finish: ({ value, kills, violation }) => {
    let died = 0;
    for (const worker of value.workers) died += worker.died.load();
    using guard = value.lock.lockExclusive({ timeout: 5000 });
    const wasInside = value.inside.load() !== 0;
    if (wasInside && !guard.ownerDied) violation("the last death of a writer was not told");
    if (died > kills) violation(`${died} deaths of writers were told, of ${kills} workers`);
    guard.markConsistent();
  },
};

async function write(context: Chaos): Promise<boolean> {
  const { lock } = context.value;
  const guard = await get<ExclusiveGuard>(context, {
    now: () => lock.tryLockExclusive(),
    plainly: (options) => lock.lockExclusive(options),
    async: (options) => lock.lockExclusiveAsync(options),
  });
  if (guard === null) return false;
  const { value, self, seat, random, pass, violation } = context;
  self.holding.add(1);
  const before = value.inside.exchange(seat);
  const wasInconsistent = value.inconsistent.load() === 1;
  if (guard.ownerDied) {
    if (!wasInconsistent || before !== 0) self.died.add(1);
    if (before === 0 && !wasInconsistent) self.narrow.add(1);
    value.second.store(value.first.load());
  } else {
    if (before !== 0) violation(`${before} was writing, and not said to be dead`);
    if (wasInconsistent) violation("the lock was not marked consistent, and that was not told");
    if (value.first.load() !== value.second.load()) violation("the data was half changed");
  }
  const number = value.first.add(1) + 1;
  await pass();
  if (value.first.load() !== number) violation("somebody else has written meanwhile");
  value.second.store(number);
  if (guard.ownerDied) {
    const leaves = random(8) === 0;
    value.inconsistent.store(leaves ? 1 : 0);
    if (!leaves) guard.markConsistent();
  }
  const after = value.inside.exchange(0);
  if (after !== seat) violation(`${after} came in while ${seat} was writing`);
  self.holding.sub(1);
  guard.release();
  return true;
}

async function read(context: Chaos): Promise<boolean> {
  const { lock } = context.value;
  const guard = await get<SharedGuard>(context, {
    now: () => lock.tryLockShared(),
    plainly: (options) => lock.lockShared(options),
    async: (options) => lock.lockSharedAsync(options),
  });
  if (guard === null) return false;
  const { value, self, random, pass, violation } = context;
  self.holding.add(1);
  const [first, second] = [value.first.load(), value.second.load()];
  if (!guard.ownerDied) {
    if (value.inconsistent.load() === 1) violation("readers were not told that it is inconsistent");
    if (value.inside.load() !== 0) violation(`${value.inside.load()} was writing while one reads`);
    if (first !== second) violation("a reader has seen half a change");
  }
  using another = random(8) === 0 ? lock.lockShared() : undefined;
  if (another !== undefined && another.ownerDied !== guard.ownerDied) {
    violation("one reader was told two things");
  }
  await pass();
  if (value.first.load() !== first || value.second.load() !== second) {
    violation("the data has changed under a reader");
  }
  self.holding.sub(1);
  guard.release();
  return true;
}
