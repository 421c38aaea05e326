/**
 * More workers than parties: when a member dies, the others are told, reset the barrier and go on with
 * whoever joins in its place. In each phase, as many pass as there are parties, one of them as leader.
 *
 * @module
 */

import { ShmError, t } from "../../../mod.ts";
import type { BarrierMember } from "../../../sync/primitives/barrier.ts";
import { barrier } from "../../../sync/fields.ts";
import { common, type Context, get, ORPHANED, type Scenario, sleep } from "../scenario.ts";

const PARTIES = 3;

const layout = t.struct("ChaosBarrier", {
  ...common,
  pad: t.u8,
  meeting: barrier(PARTIES),
  /** Who has passed, the leaders included; and how many of them led. */
  passed: t.atomic(t.u32),
  led: t.atomic(t.u32),
});

type Chaos = Context<typeof layout>;

let member: BarrierMember | undefined;
/** Since when the barrier is full in this phase, as far as this worker has seen. */
let full: { readonly led: number; readonly sinceMs: number } | undefined;

export const scenario: Scenario<typeof layout> = {
  layout,
  endless: true,
  round: async (context) => {
    const { value: { meeting }, random } = context;
    if (member === undefined && isFull(context)) {
      await sleep(random(4));
      return false;
    }
    try {
      if (member === undefined) {
        member = meeting.join();
        context.self.holding.store(1);
      }
      return await arrive(context, member);
    } catch (error) {
      const code = error instanceof ShmError ? error.code : "";
      if (code === "EBUSY") await sleep(random(4)); // others were faster
      else if (code === "ERR_SHM_BROKEN_BARRIER") meeting.reset();
      else throw error;
      return false;
    }
  },
  finish: ({ value: { passed, led, meeting }, kills, violation }) => {
    // Whoever died between its pass and its count may be missing in each.
    if (passed.load() > PARTIES * (led.load() + kills)) {
      violation(`${passed.load()} passed in ${led.load()} phases`);
    }
    if (PARTIES * led.load() > passed.load() + PARTIES * kills) {
      violation(`there were ${led.load()} leaders, and only ${passed.load()} passed`);
    }
    meeting.reset();
    if (meeting.joined !== 0) violation(`${meeting.joined} members are left of the dead`);
    if (meeting.broken || meeting.arrived !== 0) violation("the barrier is not as new");
  },
};

/**
 * Whether the barrier has no room. Who asks for some would notice the dead: so that is left to those who
 * wait, as long as there are any.
 */
function isFull({ value: { workers, meeting, led }, violation }: Chaos): boolean {
  if (meeting.joined < PARTIES) {
    full = undefined;
    return false;
  }
  const nowMs = performance.now();
  if (full?.led !== led.load()) full = { led: led.load(), sinceMs: nowMs };
  const waitedMs = nowMs - full.sinceMs;
  if (workers.every(({ holding }) => holding.load() === 0) && waitedMs > 50) return false;
  if (waitedMs > 8000) violation("members wait for ever");
  return true;
}

async function arrive(context: Chaos, own: BarrierMember): Promise<boolean> {
  const { value: { passed, led }, self, random, pass, violation } = context;
  const result = await get<boolean>(context, {
    now: () => own.arriveAndWait({ timeout: 0 }),
    plainly: (options) => own.arriveAndWait(options ?? ORPHANED),
    async: (options) => own.arriveAndWaitAsync(options),
  });
  if (result === null) return false;
  passed.add(1);
  if (result) led.add(1);
  if (passed.load() > PARTIES * (led.load() + 1000)) violation("phases without leaders");
  if (random(20) === 0) {
    self.holding.store(0);
    own.leave();
    member = undefined;
    await sleep(1); // somebody else's turn
  } else if (random(4) === 0) await pass();
  return true;
}
