/**
 * Barriers, which all parties pass together, and whose parties are told when one of them dies.
 */

import { afterAll, describe, expect, test } from "bun:test";
import type { Infer } from "../layout/mod.ts";
import { SharedObject, SharedSegment, ShmError, t } from "../mod.ts";
import { barrier } from "../sync/fields.ts";
import type { BarrierMember } from "../sync/primitives/barrier.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, openFiles, uniqueName } from "./support/names.ts";
import { type Peer, startPeer, succeed } from "./support/peers.ts";
import { PARTIES, Race } from "./support/pools.ts";
import { HOST, OTHERS, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();
const filesBefore = openFiles();
afterAll(() => expect(openFiles()).toEqual(filesBefore));

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const START: Infer<typeof Race> = { pad: [1, 2, 3], arrivals: 0, leads: 0, early: 0 };
const createRace = () => SharedObject.create(uniqueName(), Race, START);
type Members = [BarrierMember, BarrierMember, BarrierMember];
const joinAll = (race: SharedObject<typeof Race>) =>
  Array.from({ length: PARTIES }, () => race.value.step.join()) as Members;

function start(runtime: RuntimeCommand, name: string, mode: string, phases: number = 1): Peer {
  return startPeer(runtime, "barrier.ts", [name, mode, phases]);
}

async function startJoined(runtime: RuntimeCommand, name: string, mode: string): Promise<Peer> {
  const peer = start(runtime, name, mode);
  expect(await peer.line()).toBe("joined");
  return peer;
}

/** Waits until something holds: what others do takes them a moment. */
async function until(condition: () => boolean, timeoutMs: number = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error("It does not come about");
    await sleep(5);
  }
}

async function expectBroken(arrival: Promise<unknown>): Promise<void> {
  const error = await expectErrorAsync(
    arrival,
    ShmError,
    /^Cannot arrive at barrier "Race.step" of "shmkit-[^"]*": a member has died, or closed its handle without leave\(\)\. Let one of the others reset\(\) it, and somebody join\(\) in the place of the missing\.$/,
  );
  expect(error.code).toBe("ERR_SHM_BROKEN_BARRIER");
}

describe("a barrier in one thread", () => {
  test("is passed when all parties have arrived, of whom one leads", async () => {
    using race = createRace();
    const { step } = race.value;
    expect([step.parties, step.joined, step.arrived, step.broken]).toEqual([PARTIES, 0, 0, false]);
    const [first, second, third] = joinAll(race);
    for (let phase = 0; phase < 5; phase++) {
      const passed: boolean[] = [];
      const waits = [first, second].map((member) =>
        member.arriveAndWaitAsync().then((leader) => passed.push(leader))
      );
      await sleep(1);
      expect([step.joined, step.arrived, passed]).toEqual([PARTIES, 2, []]);
      expect(third.arriveAndWait()).toBe(true);
      await Promise.all(waits);
      expect([passed, step.arrived]).toEqual([[false, false], 0]);
    }
    expect(race.snapshot()).toEqual(START); // and nothing was written beside it
    for (const member of [first, second, third, third]) member.leave();
    expect(step.joined).toBe(0);
    const message =
      'Cannot arrive at barrier "Race.step": this member has left. Call join() again.';
    expect(expectError(() => first.arriveAndWait(), ShmError, message).code).toBe(
      "ERR_SHM_CLOSED",
    );
  });

  test("is passed by hundreds, phase after phase", async () => {
    const Many = t.struct("Many", { step: barrier(400) });
    using many = SharedObject.create(uniqueName(), Many);
    const { step } = many.value;
    const results = await Promise.all(
      Array.from({ length: 400 }, async () => {
        using member = step.join();
        // Queued before the phase of the first is over.
        const leads = await Promise.all([1, 2, 3].map(() => member.arriveAndWaitAsync()));
        return leads.map(Number);
      }),
    );
    for (const phase of [0, 1, 2]) {
      expect(results.reduce((sum, leads) => sum + (leads[phase] as number), 0)).toBe(1);
    }
    expect([step.joined, step.arrived]).toEqual([0, 0]);
  });

  test("has the thread as one party, through whatever handle", async () => {
    using race = createRace();
    using same = SharedObject.open(race.name, Race);
    const wait = race.value.step.arriveAndWaitAsync({ timeout: 10_000 });
    await sleep(1);
    expect([race.value.step.joined, race.value.step.arrived]).toEqual([1, 1]);
    const error = expectError(
      () => same.value.step.arriveAndWait({ timeout: 100 }),
      ShmError,
      'Cannot arrive at barrier "Race.step": this member has arrived already, and would wait for ' +
        "itself. Use arriveAndWaitAsync() where a thread is several parties.",
    );
    expect([error.code, race.value.step.joined]).toEqual(["EDEADLK", 1]);
    same.value.step.leave();
    expect((await expectErrorAsync(wait, ShmError, /has left/)).code).toBe("ERR_SHM_CLOSED");
    expect([race.value.step.joined, race.value.step.arrived]).toEqual([0, 0]);
    same.value.step.leave();
  });

  test("does not wait for itself", () => {
    using race = createRace();
    const [first, ...others] = joinAll(race);
    const error = expectError(
      () => first.arriveAndWait(),
      ShmError,
      /this thread is another party/,
    );
    expect([error.code, race.value.step.arrived]).toEqual(["EDEADLK", 0]);
    for (const member of [first, ...others]) member.leave();
  });

  test("has as many parties as it was made for", () => {
    using race = createRace();
    const members = joinAll(race);
    const error = expectError(
      () => race.value.step.join(),
      ShmError,
      'Cannot join barrier "Race.step": it has 3 parties already, which is as many as its layout ' +
        "says. Have one of them leave() it, or make a barrier of more.",
    );
    expect([error.code, race.value.step.broken]).toEqual(["EBUSY", false]);
    expect(expectError(() => race.value.step.arriveAndWait(), ShmError, /3 parties/).code).toBe(
      "EBUSY",
    );
    members[1].leave();
    members[1] = race.value.step.join();
    for (const member of members) member.leave();
  });

  test("withdraws an arrival that is called off", async () => {
    using race = createRace();
    const { step } = race.value;
    const [first, second, third] = joinAll(race);
    const reason = new Error("enough");
    const controller = new AbortController();
    const aborted = first.arriveAndWaitAsync({ signal: controller.signal });
    const timedOut = second.arriveAndWaitAsync({ timeout: 30 });
    await sleep(1);
    expect(step.arrived).toBe(2);
    controller.abort(reason);
    expect(step.arrived).toBe(1);
    await expectErrorAsync(aborted, Error, "enough");
    await expectErrorAsync(
      timedOut,
      DOMException,
      'Cannot arrive at barrier "Race.step": it took longer than the timeout of 30 ms',
    );
    expect([step.arrived, step.broken]).toEqual([0, false]);
    await expectErrorAsync(third.arriveAndWaitAsync({ timeout: 0 }), DOMException, /0 ms/);
    await expectErrorAsync(
      third.arriveAndWaitAsync({ signal: controller.signal }),
      Error,
      "enough",
    );
    second.leave();
    third.leave();
    expectError(() => first.arriveAndWait({ timeout: 30 }), DOMException, /30 ms/);
    expectError(() => first.arriveAndWait({ timeout: 0 }), DOMException, /0 ms/);
    expect(step.arrived).toBe(0);
    // Nobody is taken to have arrived who has withdrawn.
    const waits = [first, step.join(), step.join()].map((member) =>
      member.arriveAndWaitAsync().finally(() => member.leave())
    );
    expect((await Promise.all(waits)).filter((leader) => leader).length).toBe(1);
  });

  test("withdraws the arrival of a member that leaves", async () => {
    using race = createRace();
    const [first, second, third] = joinAll(race);
    const waits = [first, first, second].map((member) => member.arriveAndWaitAsync());
    first.leave();
    for (const wait of waits.slice(0, 2)) await expectErrorAsync(wait, ShmError, /has left/);
    expect([race.value.step.arrived, race.value.step.joined]).toEqual([1, 2]);
    using again = race.value.step.join();
    expect(await Promise.all([waits[2], third.arriveAndWaitAsync(), again.arriveAndWaitAsync()]))
      .toEqual([false, false, true]);
    second.leave();
    third.leave();
  });

  test("tells who waits when it is reset", async () => {
    using race = createRace();
    const [first, second, third] = joinAll(race);
    const waits = [first, second].map((member) => member.arriveAndWaitAsync());
    await sleep(1);
    race.value.step.reset();
    race.value.step.reset();
    for (const wait of waits) {
      const error = await expectErrorAsync(
        wait,
        ShmError,
        'Cannot arrive at barrier "Race.step": somebody has reset it. Arrive again, if the others do.',
      );
      expect(error.code).toBe("ERR_SHM_BROKEN_BARRIER");
    }
    const again = [first, second, third].map((member) => member.arriveAndWaitAsync());
    expect(await Promise.all(again)).toEqual([false, false, true]);
    for (const member of [first, second, third]) member.leave();
  });

  test("is broken by the end of a handle, unless its members have left", async () => {
    using race = createRace();
    const other = SharedObject.open(race.name, Race);
    using left = SharedObject.open(race.name, Race);
    left.value.step.join().leave();
    left.close();
    expect([race.value.step.broken, race.value.step.joined]).toEqual([false, 0]);

    using member = race.value.step.join();
    const wait = member.arriveAndWaitAsync();
    const closed = other.value.step.arriveAndWaitAsync();
    other.close(); // with a member is no mistake
    await expectBroken(wait);
    expect((await expectErrorAsync(closed, ShmError, /is closed/)).code).toBe("ERR_SHM_CLOSED");
    expect([race.value.step.broken, race.value.step.joined]).toEqual([true, 1]);
    await expectBroken(member.arriveAndWaitAsync());
    await expectBroken(race.value.step.arriveAndWaitAsync());
    race.value.step.leave();
    race.value.step.reset();
    expect(race.value.step.broken).toBe(false);
  });

  test("tells a member that something has been written over its place", async () => {
    using race = createRace();
    using member = race.value.step.join();
    using bytes = SharedSegment.open(race.name);
    bytes.bytes.fill(0, Race.offsetOf("step"), Race.offsetOf("arrivals"));
    const error = await expectErrorAsync(member.arriveAndWaitAsync(), ShmError, /lost its place/);
    expect(error.code).toBe("ERR_SHM_LOCK_LOST");
  });
});

describe("the field", () => {
  test("has 16 bytes, and 4 for each party", () => {
    for (const parties of [1, 3, 1000]) {
      const field = barrier(parties);
      expect([field.size, field.alignment, field.describe()]).toEqual([
        16 + 4 * parties,
        4,
        { kind: "barrier", parties },
      ]);
    }
    using race = createRace();
    const again = SharedObject.layoutOf(race.name);
    expect([again.fingerprint, again.toC()]).toEqual([Race.fingerprint, Race.toC()]);
    for (const parties of [0, 1001, 1.5]) {
      const message = "Cannot make barrier: parties must be an integer from 1 to 1000, received " +
        parties;
      expectError(() => barrier(parties), RangeError, message);
    }
  });

  test("checks options before it joins", async () => {
    using race = createRace();
    const { step } = race.value;
    expectError(() => step.arriveAndWait({ timeout: -1 }), RangeError, /timeout must be a number/);
    await expectErrorAsync(step.arriveAndWaitAsync({ timeout: NaN }), RangeError, /timeout/);
    const signal = AbortSignal.abort(new Error("before"));
    await expectErrorAsync(step.arriveAndWaitAsync({ signal }), Error, "before");
    expect(step.joined).toBe(0);
  });
});

describe("a barrier between processes", () => {
  test("is passed by all in each phase, and never before", async () => {
    for (const modes of [["plain", "plain", "plain"], ["async", "plain", "mixed"]]) {
      using race = createRace();
      const phases = 150;
      const peers = RUNTIMES.map((runtime, index) =>
        start(runtime, race.name, modes[index] as string, phases)
      );
      const printed = await Promise.all(peers.map(succeed));
      const { step, arrivals, leads, early } = race.value;
      expect(printed).toEqual(["passed\n", "passed\n", "passed\n"]);
      expect([arrivals.load(), leads.load(), early.load()]).toEqual([
        phases * PARTIES,
        phases,
        0,
      ]);
      expect([step.arrived, step.joined, step.broken]).toEqual([0, 0, false]);
    }
  });

  /** Puts two others in the place of the dead one and who has left, and passes with them. */
  async function repair(race: SharedObject<typeof Race>): Promise<void> {
    const { step } = race.value;
    expect(step.broken).toBe(true);
    await until(() => step.joined === 2); // the dead one, and this thread
    step.reset();
    expect([step.joined, step.arrived, step.broken]).toEqual([1, 0, false]);
    const peers = OTHERS.map((each) => start(each, race.name, "mixed"));
    step.arriveAndWait({ timeout: 10_000 });
    expect(await Promise.all(peers.map(succeed))).toEqual(["passed\n", "passed\n"]);
    step.leave();
  }

  test("is broken by the death of a member that has not arrived, and can be repaired", async () => {
    await Promise.all(RUNTIMES.map(async (runtime) => {
      using race = createRace();
      const { step } = race.value;
      await using victim = await startJoined(runtime, race.name, "idle");
      const other = start(OTHERS[0] as RuntimeCommand, race.name, "plain");
      await until(() => step.arrived === 1);
      victim.kill();
      const error = expectError(
        () => step.arriveAndWait({ timeout: 10_000 }),
        ShmError,
        /a member has died/,
      );
      expect(error.code).toBe("ERR_SHM_BROKEN_BARRIER");
      expect(await succeed(other)).toBe("ERR_SHM_BROKEN_BARRIER\n");
      await repair(race);
    }));
  });

  test("is broken by the death of a member that has passed it before", async () => {
    await Promise.all(RUNTIMES.map(async (runtime) => {
      using race = createRace();
      const { step } = race.value;
      await using victim = await startJoined(runtime, race.name, "stay");
      const other = start(OTHERS[0] as RuntimeCommand, race.name, "async", 2);
      expect(await step.arriveAndWaitAsync({ timeout: 20_000 })).toBeDefined();
      expect(await victim.line()).toBe("passed");
      await until(() => step.arrived === 1);
      victim.kill();
      await expectBroken(step.arriveAndWaitAsync({ timeout: 10_000 }));
      expect(await succeed(other)).toBe("ERR_SHM_BROKEN_BARRIER\n");
      await repair(race);
    }));
  });

  test("is whole again for others when all have died, or closed their handles", async () => {
    using race = createRace();
    const { step } = race.value;
    for (const mode of ["idle", "close"]) {
      const members = await Promise.all(RUNTIMES.map((each) => startJoined(each, race.name, mode)));
      expect(step.joined).toBe(3);
      for (const member of members) {
        if (mode === "idle") member.kill();
        else member.send("close");
        await member.exit();
      }
      expect(step.broken).toBe(mode === "close");
      const others = RUNTIMES.map((each) => start(each, race.name, "plain", 2));
      expect(await Promise.all(others.map(succeed))).toEqual(Array(3).fill("passed\n"));
      expect([step.joined, step.broken]).toEqual([0, false]);
    }
  });

  test("is broken by the end of a handle elsewhere", async () => {
    using race = createRace();
    const { step } = race.value;
    await using peer = await startJoined(OTHERS[0] as RuntimeCommand, race.name, "close");
    const wait = step.arriveAndWaitAsync({ timeout: 10_000 });
    peer.send("close");
    await expectBroken(wait);
    expect([await peer.line(), step.joined]).toEqual(["closed", 1]);
    step.leave();
  });

  test("tells who comes to a full one of which one is dead", async () => {
    using race = createRace();
    const { step } = race.value;
    await using victim = await startJoined(HOST, race.name, "idle");
    const members = [step.join(), step.join()];
    victim.kill();
    await victim.exit();
    const error = expectError(() => step.join(), ShmError, /a member has died/);
    expect([error.code, step.broken]).toEqual(["ERR_SHM_BROKEN_BARRIER", true]);
    step.reset();
    members.push(step.join());
    expect(await Promise.all(members.map((member) => member.arriveAndWaitAsync()))).toEqual([
      false,
      false,
      true,
    ]);
    for (const member of members) member.leave();
  });

  test("waits for a member that is stopped", async () => {
    using race = createRace();
    const { step } = race.value;
    await using stopped = await startJoined(HOST, race.name, "stay");
    await using other = await startJoined(OTHERS[0] as RuntimeCommand, race.name, "stay");
    await until(() => step.arrived === 2);
    stopped.kill("SIGSTOP");
    expect(step.arriveAndWait({ timeout: 5000 })).toBe(true);
    expect(await other.line()).toBe("passed");
    await expectErrorAsync(step.arriveAndWaitAsync({ timeout: 300 }), DOMException, /300 ms/);
    expect([step.arrived, step.broken]).toEqual([0, false]);
    stopped.kill("SIGCONT");
    expect(await stopped.line()).toBe("passed");
    step.leave();
  });
});
