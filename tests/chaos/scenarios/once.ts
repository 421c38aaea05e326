/**
 * Many onces, one after the other: the effect of each is complete exactly when it is done, and while
 * one runs it nobody else does.
 *
 * They are a ring. The controller makes those new that are far behind: whoever still looks at one of
 * them can tell by its generation.
 *
 * @module
 */

import { t } from "../../../mod.ts";
import { once } from "../../../sync/fields.ts";
import { common, type Context, type Control, get, type Scenario, sleep } from "../scenario.ts";

const RING = 64;
const AHEAD = 32;

const Part = t.struct("ChaosOncePart", {
  /** Which of the sequence this place is for. */
  generation: t.atomic(t.u32),
  once,
  /** Who runs it. */
  inside: t.atomic(t.u32),
  left: t.atomic(t.u32),
  right: t.atomic(t.u32),
});

const layout = t.struct("ChaosOnce", {
  ...common,
  pad: t.u8,
  /** The first of the sequence that is not known to be done. */
  next: t.atomic(t.u32),
  /** The first that must not be run yet. */
  limit: t.atomic(t.u32),
  parts: t.array(Part, RING),
});

type Chaos = Context<typeof layout>;

export const scenario: Scenario<typeof layout> = {
  layout,
  round,
  tend: ({ object, value: { next, limit, parts } }) => {
    while (limit.load() < next.load() + AHEAD) {
      const number = limit.load();
      const part = parts[number % RING] as Chaos["value"]["parts"][number];
      part.generation.store(number + 1);
      part.inside.store(0);
      part.left.store(0);
      part.right.store(0);
      const position = layout.offsetOf("parts") + number % RING * Part.size + Part.offsetOf("once");
      const { buffer, byteOffset } = object.bytes;
      new Int32Array(buffer, byteOffset + position, 1).fill(0);
      limit.store(number + 1);
    }
  },
  finish: ({ value, kills, violation }: Control<typeof layout>) => {
    let died = 0;
    for (const worker of value.workers) died += worker.died.load();
    if (died > kills) violation(`${died} deaths were told, of ${kills} workers`);
    const part = value.parts[value.next.load() % RING] as Chaos["value"]["parts"][number];
    part.once.run(() => {}, { timeout: 5000 });
    if (!part.once.done) violation("the last one is not done");
  },
};

async function round(context: Chaos): Promise<boolean> {
  const { value, self, seat, random, pass, work, violation } = context;
  const number = value.next.load();
  if (number >= value.limit.load()) {
    await sleep(1);
    return false;
  }
  const part = value.parts[number % RING] as Chaos["value"]["parts"][number];
  let generation = 0;
  /** Mostly it takes as long as nothing: then hardly a kill would hit it. */
  const effect = () => {
    const endMs = performance.now() + (random(4) === 0 ? random(4) : 0);
    while (performance.now() < endMs);
    work();
  };
  const begin = (ownerDied: boolean) => {
    self.holding.store(1);
    generation = part.generation.load();
    const before = part.inside.exchange(seat);
    if (before === 0 && ownerDied) self.narrow.add(1);
    if (ownerDied) self.died.add(1);
    else if (before !== 0) violation(`${before} was running it, and not said to be dead`);
    part.left.store(generation);
  };
  const end = () => {
    part.right.store(generation);
    const after = part.inside.exchange(0);
    if (after !== seat) violation(`${after} came in while ${seat} ran it`);
    self.holding.store(0);
    if (random(20) === 0) throw new Failure();
  };
  let hasRun: boolean | null;
  try {
    hasRun = await get<boolean>(context, {
      now: () => part.once.run((died) => (begin(died), effect(), end()), { timeout: 0 }),
      plainly: (options) => part.once.run((died) => (begin(died), effect(), end()), options),
      async: (options) =>
        part.once.runAsync(async (died) => {
          begin(died);
          await pass();
          end();
        }, options),
    });
  } catch (error) {
    if (error instanceof Failure) return true; // it is left to the next one
    throw error;
  }
  if (hasRun === null) return false;
  if (part.generation.load() === number + 1 || hasRun) {
    const seen = [part.once.done, part.left.load(), part.right.load()];
    const isSame = part.generation.load() === number + 1;
    if (isSame && String(seen) !== `true,${number + 1},${number + 1}`) {
      violation(`number ${number + 1} was done: ${seen}`);
    }
    if (hasRun && generation === 0) violation("it was said to have been run, and was not");
    if (isSame) value.next.compareExchange(number, number + 1);
  }
  return true;
}

class Failure extends Error {}
