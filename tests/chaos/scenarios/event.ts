/**
 * An automatic event as a baton, which one has at a time; and a manual one as a gate, which is opened
 * by whoever has the baton.
 *
 * Events have no owner: a baton whose holder dies is gone. The controller gives a new one when it is
 * sure of that, which is at once when the dead certainly had it.
 *
 * @module
 */

import { t } from "../../../mod.ts";
import { autoResetEvent, event } from "../../../sync/fields.ts";
import { common, type Context, get, ORPHANED, type Scenario } from "../scenario.ts";

const layout = t.struct("ChaosEvent", {
  ...common,
  pad: t.u8,
  baton: autoResetEvent,
  gate: event,
  /** Who has the baton. */
  inside: t.atomic(t.u32),
  /** 1 from before the gate is set until it has been reset. */
  gateOpen: t.atomic(t.u32),
  /** How often it has been. */
  opens: t.atomic(t.u32),
  /** Batons that were given, the first included. */
  batons: t.atomic(t.u32),
});

type Chaos = Context<typeof layout>;

/** What `mark` says of a worker: it has passed no later than it says so, and gives no earlier. */
const MARK = { elsewhere: 0, waits: 1, has: 2, gives: 3 } as const;

/** When the baton was seen to be nowhere, and the rounds and batons of then. */
let missing: { readonly sinceMs: number; readonly rounds: number } | undefined;
/** How many had died when it was last replaced. */
let lastKills = 0;

export const scenario: Scenario<typeof layout> = {
  layout,
  endless: true,
  // Some must be there for the baton: the gate may stay shut for ever.
  round: async (context) =>
    context.seat > 3 && context.random(2) === 0 ? await pass(context) : await run(context),
  bury: ({ value }, worker) => {
    const mark = worker.mark.exchange(MARK.elsewhere);
    if (mark !== MARK.has) return;
    value.inside.store(0);
    value.batons.add(1);
    value.baton.set();
  },
  tend: ({ value, kills, violation, excuse }) => {
    const rounds = value.workers.reduce((all, worker) => all + worker.rounds.load(), 0);
    const nowMs = performance.now();
    if (value.batons.load() === 0) {
      lastKills = 0;
      value.batons.store(1);
      value.baton.set();
    }
    const marks = value.workers.map(({ mark }) => mark.load());
    const isSomewhere = marks.some((mark) => mark === MARK.has || mark === MARK.gives);
    if (rounds === 0 || missing?.rounds !== rounds || isSomewhere) {
      missing = { sinceMs: nowMs, rounds };
    } else if (nowMs - missing.sinceMs > 500 && !value.baton.isSet) {
      // Somebody died between the pass and saying so, or before giving it.
      if (kills === lastKills) violation("the baton was lost, and nobody has died");
      lastKills = kills;
      excuse();
      value.inside.store(0);
      value.batons.add(1);
      (value.workers[0] as Chaos["self"]).narrow.add(1);
      value.baton.set();
      missing = undefined;
    } else if (nowMs - missing.sinceMs > 2000) {
      violation("the baton is set, and nobody takes it");
      missing = undefined;
    }
  },
  finish: ({ value, kills, violation }) => {
    const lost = value.batons.load() - 1;
    if (lost > kills) violation(`${lost} batons were lost in ${kills} deaths`);
  },
};

/** Waits for the baton, opens the gate at times, and gives the baton on. */
async function run(context: Chaos): Promise<boolean> {
  const { value, self, seat, random, pass, violation } = context;
  const { baton, gate, inside, gateOpen, opens } = value;
  self.mark.store(MARK.waits);
  const got = await get<true>(context, {
    now: () => baton.tryWait() || null,
    plainly: (options) => (baton.wait(options ?? ORPHANED), true),
    async: async (options) => (await baton.waitAsync(options), true),
  });
  if (got === null) {
    self.mark.store(MARK.elsewhere);
    return false;
  }
  self.mark.store(MARK.has);
  self.holding.store(1);
  const before = inside.exchange(seat);
  if (before !== 0) violation(`${seat} and ${before} passed with one baton`);
  if (gateOpen.load() === 1) { // whoever opened it has died
    gate.reset();
    gateOpen.store(0);
  }
  if (random(3) === 0) {
    gateOpen.store(1);
    opens.add(1);
    gate.set();
    if (random(2) === 0) await pass();
    gate.reset();
    gateOpen.store(0);
  } else {
    await pass();
  }
  if (inside.exchange(0) !== seat) violation(`somebody came in while ${seat} had the baton`);
  self.holding.store(0);
  self.mark.store(MARK.gives);
  baton.set();
  self.mark.store(MARK.elsewhere);
  return true;
}

/** Waits at the gate. */
async function pass(context: Chaos): Promise<boolean> {
  const { gate, gateOpen, opens } = context.value;
  const before = opens.load();
  const wasOpen = gateOpen.load() === 1;
  const passed = await get<true>(context, {
    now: () => gate.tryWait() || null,
    plainly: (options) => (gate.wait(options ?? ORPHANED), true),
    async: async (options) => (await gate.waitAsync(options), true),
  });
  if (passed === null) return false;
  if (!wasOpen && opens.load() === before) context.violation("the gate was passed while shut");
  return true;
}
