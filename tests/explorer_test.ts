/**
 * The protocols of all primitives, in every order of steps that a few preemptions and crashes allow; and
 * mutants of them, each of which has to be found. `npm run explore -- --preemptions 4` goes deeper.
 */

import { afterAll, describe, expect, test } from "bun:test";
import { explore } from "./explorer/explorer.ts";
import { hunt, type Mutation, Nursery } from "./explorer/mutants.ts";
import { barrier } from "./explorer/mutants/barrier.ts";
import { condition } from "./explorer/mutants/condition.ts";
import { event } from "./explorer/mutants/event.ts";
import { mutex } from "./explorer/mutants/mutex.ts";
import { once } from "./explorer/mutants/once.ts";
import { rwlock } from "./explorer/mutants/rwlock.ts";
import { semaphore } from "./explorer/mutants/semaphore.ts";
import { PRIMITIVES } from "./explorer/primitives.ts";

const nursery = new Nursery();
afterAll(() => nursery[Symbol.dispose]());

for (const [name, explorations] of Object.entries(PRIMITIVES)) {
  describe(`the protocol of the ${name}`, () => {
    for (const [title, exploration] of Object.entries(explorations())) {
      test(`holds for ${title}`, () => {
        const { failure } = explore(exploration);
        if (failure !== undefined) throw new Error(failure);
      });
    }
  });
}

describe("the explorer", () => {
  const real = { atomics: globalThis.Atomics, now: performance.now };

  function testMutants<P>(mutation: Mutation<P>): void {
    for (const mutant of mutation.mutants) {
      test(`finds that ${mutant.what} (${mutation.file})`, async () => {
        const failure = await hunt(nursery, mutation, mutant);
        expect(failure).toBeDefined();
        expect(globalThis.Atomics).toBe(real.atomics);
        expect(performance.now).toBe(real.now);
      });
    }
  }
  testMutants(mutex);
  testMutants(rwlock);
  testMutants(once);
  testMutants(semaphore);
  testMutants(condition);
  testMutants(event);
  testMutants(barrier);
});
