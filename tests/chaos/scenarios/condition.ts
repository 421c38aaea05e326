/**
 * A bounded queue under a mutex: nothing is lost or taken twice, a predicate that was waited for is
 * true, and both sides go on whoever dies.
 *
 * @module
 */

import { t } from "../../../mod.ts";
import { condition, mutex } from "../../../sync/fields.ts";
import type { MutexGuard } from "../../../sync/primitives/mutex.ts";
import { common, type Context, get, ORPHANED, type Scenario } from "../scenario.ts";

const CAPACITY = 4;

const layout = t.struct("ChaosCondition", {
  ...common,
  pad: t.u8,
  lock: mutex,
  notEmpty: condition,
  notFull: condition,
  /** Who is inside. */
  inside: t.atomic(t.u32),
  /** One is added to each when an item is complete, so that nothing is ever half done. */
  head: t.atomic(t.u32),
  tail: t.atomic(t.u32),
  items: t.array(t.u32, CAPACITY),
});

type Chaos = Context<typeof layout>;

export const scenario: Scenario<typeof layout> = {
  layout,
  endless: true,
  round: async (context) => {
    const { lock } = context.value;
    const guard = await get<MutexGuard>(context, {
      now: () => lock.tryLock(),
      plainly: (options) => lock.lock(options),
      async: (options) => lock.lockAsync(options),
    });
    if (guard === null) return false;
    enter(context, guard);
    const worked = context.seat % 2 === 0 ? await take(context, guard) : await add(context, guard);
    leave(context);
    guard.release();
    return worked;
  },
  finish: ({ value, kills, violation }) => {
    let died = 0;
    for (const worker of value.workers) died += worker.died.load();
    using guard = value.lock.lock({ timeout: 5000 });
    if (value.inside.load() !== 0 && !guard.ownerDied) violation("the last death was not told");
    if (died > kills) violation(`${died} deaths of owners were told, of ${kills} workers`);
  },
};

/** What has to hold whenever the lock was got. */
function enter({ value, self, seat, violation }: Chaos, guard: MutexGuard): void {
  self.holding.store(1);
  const before = value.inside.exchange(seat);
  if (guard.ownerDied) {
    self.died.add(1);
    if (before === 0) self.narrow.add(1);
    guard.markConsistent();
  } else if (before !== 0) violation(`${before} was inside, and not said to be dead`);
  const length = value.tail.load() - value.head.load() >>> 0;
  if (length > CAPACITY) violation(`there are ${length} items`);
}

function leave({ value, self, seat, violation }: Chaos): void {
  const after = value.inside.exchange(0);
  if (after !== seat) violation(`${after} came in while ${seat} was inside`);
  self.holding.store(0);
}

/** Waits for one side, as the lock is waited for. The lock is held again in the end. */
async function waitFor(
  context: Chaos,
  guard: MutexGuard,
  name: "notEmpty" | "notFull",
  isMet: () => boolean,
): Promise<boolean> {
  const { value, self, seat, violation } = context;
  let isFirst = true;
  const predicate = (got: MutexGuard): boolean => {
    if (!isFirst) enter(context, got);
    isFirst = false; // which is called in the hold of before
    const met = isMet();
    if (!met) leave(context);
    return met;
  };
  const met = await get(context, {
    now: () => predicate(guard) || null,
    plainly: (options) => (value[name].wait(guard, predicate, options ?? ORPHANED), true),
    async: async (options) => (await value[name].waitAsync(guard, predicate, options), true),
  }) !== null;
  if (!guard.held) violation("the lock is not held after a wait");
  if (met) {
    if (!isMet()) violation("the predicate is false after the wait");
    return true;
  }
  // The end of the time may have come before the predicate was called again, or after it.
  const before = value.inside.exchange(seat);
  if (before !== 0) {
    if (!guard.ownerDied) violation(`${before} was inside, and not said to be dead, after a wait`);
    self.died.add(1);
  }
  if (guard.ownerDied) guard.markConsistent();
  self.holding.store(1);
  return false;
}

async function add(context: Chaos, guard: MutexGuard): Promise<boolean> {
  const { value, random, pass } = context;
  const isMet = () => value.tail.load() - value.head.load() >>> 0 < CAPACITY;
  if (!await waitFor(context, guard, "notFull", isMet)) return false;
  await pass();
  const tail = value.tail.load();
  value.items[tail % CAPACITY] = Math.imul(tail, 0x9e3779b1);
  value.tail.store(tail + 1 >>> 0);
  if (random(10) === 0) value.notEmpty.notifyAll();
  else value.notEmpty.notify();
  return true;
}

async function take(context: Chaos, guard: MutexGuard): Promise<boolean> {
  const { value, random, pass, violation } = context;
  const isMet = () => value.tail.load() !== value.head.load();
  if (!await waitFor(context, guard, "notEmpty", isMet)) return false;
  const head = value.head.load();
  await pass();
  if (value.items[head % CAPACITY] !== Math.imul(head, 0x9e3779b1) >>> 0) {
    violation(`item ${head} is not what it was`);
  }
  if (value.head.exchange(head + 1 >>> 0) !== head) violation(`item ${head} was taken twice`);
  if (random(10) === 0) value.notFull.notifyAll();
  else value.notFull.notify();
  return true;
}
