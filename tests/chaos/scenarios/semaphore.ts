/**
 * Never more holders than permits, and those of the dead come back.
 *
 * Who lives cannot be known by a witness. So whoever sees too many holders at one instant looks who of
 * them goes on later: those have been alive.
 *
 * @module
 */

import { t } from "../../../mod.ts";
import { semaphore } from "../../../sync/fields.ts";
import type { Permit } from "../../../sync/primitives/semaphore.ts";
import { ASYNC_WAYS, common, type Context, get, type Scenario, sleep } from "../scenario.ts";

const PERMITS = 3;

const layout = t.struct("ChaosSemaphore", { ...common, pad: t.u8, pool: semaphore(PERMITS) });

type Chaos = Context<typeof layout>;

/** Workers' marks: which worker it is (random, 12 bits), changes (16), and permits held (4). */
const HELD = 0xf;
const ONE_CHANGE = 0x10;
const CHANGES = 0xffff0;

let incarnation = 0;
let changes = 0;
let held = 0;

export const scenario: Scenario<typeof layout> = {
  layout,
  round: async (context) => {
    const { random } = context;
    if (random(10) > 0) return await one(context);
    const way = () => ASYNC_WAYS[random(ASYNC_WAYS.length)] as number;
    const got = await Promise.all([one(context, way()), one(context, way())]);
    return got.includes(true);
  },
  bury: (_control, worker) => {
    worker.mark.store(0);
  },
  finish: ({ value, violation }) => {
    const permits = Array.from({ length: PERMITS }, () => value.pool.acquire({ timeout: 5000 }));
    if (value.pool.tryAcquire() !== null) violation("there are more permits than there were");
    for (const permit of permits) permit.release();
    if (value.pool.available !== PERMITS) violation(`${value.pool.available} permits are left`);
  },
};

function hold({ self, random }: Chaos, difference: number): void {
  incarnation ||= 1 + random(0xfff);
  changes = (changes + ONE_CHANGE) & CHANGES;
  held += difference;
  self.mark.store((incarnation << 20 | changes | held) >>> 0);
  self.holding.store(held);
}

async function one(context: Chaos, way?: number): Promise<boolean> {
  const { pool } = context.value;
  const permit = await get<Permit>(context, {
    now: () => pool.tryAcquire(),
    plainly: (options) => pool.acquire(options),
    async: (options) => pool.acquireAsync(options),
  }, way);
  if (permit === null) return false;
  hold(context, 1);
  const marks = look(context);
  await context.pass();
  hold(context, -1);
  permit.release();
  if (sum(marks) > PERMITS) await judge(context, marks);
  return true;
}

const sum = (marks: readonly number[]): number =>
  marks.reduce((all, mark) => all + (mark & HELD), 0);

/** What all held at one instant; nothing when there was none that could be seen. */
function look({ value: { workers } }: Chaos): readonly number[] {
  const read = () => workers.map(({ mark }) => mark.load());
  let marks = read();
  for (let attempt = 0; sum(marks) > PERMITS; attempt++) {
    if (attempt === 100) return [];
    const again = read();
    if (again.every((mark, at) => mark === marks[at])) break;
    marks = again;
  }
  return marks;
}

/** Finds out whether too many of them have lived, from what they do after that. */
async function judge(
  { value: { workers }, random, violation }: Chaos,
  marks: readonly number[],
): Promise<void> {
  const alive = new Set<number>();
  for (let attempt = 0; attempt < 50; attempt++) {
    let possible = 0;
    for (const [at, before] of marks.entries()) {
      const mark = (workers[at] as Chaos["self"]).mark.load();
      const isSame = mark >>> 20 === before >>> 20; // or it has died
      if (isSame && mark !== before) alive.add(at);
      if (isSame || alive.has(at)) possible += before & HELD;
    }
    const holders = [...alive].reduce((all, at) => all + ((marks[at] as number) & HELD), 0);
    if (holders > PERMITS) return violation(`${holders} permits were held by the living`);
    if (possible <= PERMITS) return;
    await sleep(random(4));
  }
}
