/**
 * Mistakes in the barrier. Not among them: announcing oneself by a store, when WAIT is missing. Who
 * arrives has set it, and it stays until the phase has ended; so that is never done.
 *
 * @module
 */

import type { Mutation } from "../mutants.ts";
import { explorations, type Protocol } from "../scenarios/barrier.ts";

export const barrier: Mutation<Protocol> = {
  file: "barrier.ts",
  explorations,
  mutants: [
    {
      what: "the last one wakes nobody",
      find: "        wakeAll(barrier.place, index);\n",
      replace: "",
      foundBy: "three that meet",
    },
    {
      what: "the one before the last is taken for the last",
      find: "const last = arrived >= parties;",
      replace: "const last = arrived >= parties - 1;",
      foundBy: "three that meet",
    },
    {
      what: "an arrival is a store",
      find:
        "      if (Atomics.compareExchange(words, index, state, changed) !== state) continue;\n",
      replace: "      Atomics.store(words, index, changed);\n",
      foundBy: "three that meet",
    },
    {
      what: "the last one does not begin a new phase",
      find: "const changed = last ? beginning(phase + 1) : (state + 1) | WAIT;",
      replace: "const changed = last ? beginning(phase) : (state + 1) | WAIT;",
      foundBy: "three that meet",
    },
    {
      what: "who waits sleeps while nobody else has come",
      find: "      this.sleepValue = waiting;\n",
      replace: "      this.sleepValue = waiting & ~ARRIVED_MASK;\n",
      foundBy: "three that meet",
    },
    {
      what: "giving up does not withdraw the arrival",
      find: "if (Atomics.compareExchange(words, index, state, state - 1) === state) return;",
      replace: "return;",
      foundBy: "one that hesitates",
    },
    {
      what: "giving up withdraws an arrival of the next phase",
      find:
        "      if (this.#isOver(state)) return;\n      if (Atomics.compareExchange(words, index, state, state - 1)",
      replace: "      if (Atomics.compareExchange(words, index, state, state - 1)",
      foundBy: "one that calls it off",
    },
    {
      what: "giving up is a store",
      find: "if (Atomics.compareExchange(words, index, state, state - 1) === state) return;",
      replace: "Atomics.store(words, index, state - 1);\n      return;",
      foundBy: "one that calls it off",
    },
    {
      what: "a reset looks like an end of the phase",
      find: "beginning(phaseOf(state) + 2)",
      replace: "beginning(phaseOf(state) + 1)",
      foundBy: "one that resets it",
    },
    {
      what: "a reset wakes nobody",
      find: "    wakeAll(this.place, index);\n  }\n\n  /** @returns Whether there were",
      replace: "  }\n\n  /** @returns Whether there were",
      foundBy: "one that resets it",
    },
    {
      what: "a reset leaves the dead",
      find: "      Atomics.compareExchange(words, this.#at(member), holder, 0);\n",
      replace: "",
      foundBy: "a member that has died before",
    },
    {
      what: "a barrier that nobody is left at stays broken",
      find: "    this.#renew();\n",
      replace: "",
      foundBy: "three that join when all have gone",
    },
    {
      what: "who joins begins anew although others have to be told",
      find: "        if (!this.#isDead(holder)) return;\n",
      replace: "",
      foundBy: "one that joins when the other is told of a death",
    },
    {
      what: "who joins begins anew by a store",
      find: "if (Atomics.compareExchange(words, index, state, restart(state)) !== state) continue;",
      replace: "Atomics.store(words, index, restart(state));",
      foundBy: "three that join when all have died",
    },
    {
      what: "who joins begins anew with a state from after its look",
      find:
        "      if (Atomics.compareExchange(words, index, state, restart(state)) !== state) continue;",
      replace:
        "      const after = Atomics.load(words, index);\n      if (Atomics.compareExchange(words, index, after, restart(after)) !== after) continue;",
      foundBy: "three that join when all have died",
    },
    {
      what: "who joins removes those who have died since its look",
      find: "for (const [at, holder] of dead) Atomics.compareExchange(words, at, holder, 0);",
      replace: "this.#removeDead();",
      foundBy: "three that join when all have died, one of which dies",
    },
    {
      what: "nobody looks for dead members",
      find: "if (quiet && this.#barrier.hasDeadMember()) this.#barrier.break(this.#phase);",
      replace: "",
      foundBy: "three, one of which dies",
    },
    {
      what: "the living are taken for dead",
      find: "return holder !== 0 && holder !== this.place.id && !this.place.isAlive(holder);",
      replace: "return holder !== 0 && holder !== this.place.id;",
      foundBy: "three, one of which dies",
    },
    {
      what: "who waits does not see that it is broken",
      find: 'return (state & BROKEN) !== 0 && this.#end("broken");',
      replace: "return false;",
      foundBy: "three, one of which dies",
    },
    {
      what: "who comes does not see that it is broken",
      find: '      if ((state & BROKEN) !== 0) return this.#end("broken");\n',
      replace: "",
      foundBy: "one that comes when it is broken",
    },
    {
      what: "two join as the same member",
      find: "if (holder === 0) holder = Atomics.compareExchange(words, at, 0, id);",
      replace: "if (holder === 0) Atomics.store(words, at, id);",
      foundBy: "three that join",
    },
  ],
};
