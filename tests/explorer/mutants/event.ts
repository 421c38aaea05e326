/**
 * Mistakes in the event.
 *
 * @module
 */

import type { Mutation } from "../mutants.ts";
import { explorations, type Protocol } from "../scenarios/event.ts";

export const event: Mutation<Protocol> = {
  file: "event.ts",
  explorations,
  mutants: [
    {
      what: "set wakes nobody",
      find: "    return all ? wakeAll(place, index) : wakeOne(place, index);\n",
      replace: "    return;\n",
      foundBy: "manual, set once",
    },
    {
      what: "set wakes one of those who wait for a manual event",
      find: "    return all ? wakeAll(place, index) : wakeOne(place, index);\n",
      replace: "    return wakeOne(place, index);\n",
      foundBy: "manual, set once",
    },
    {
      what: "set does not count",
      find: "const set = ((state & COUNTER) + ONE) | SET;",
      replace: "const set = (state & COUNTER) | SET;",
      foundBy: "manual, set and reset",
    },
    {
      what: "set is a store",
      find: "    if (Atomics.compareExchange(words, index, state, set) !== state) continue;\n" +
        "    if ((state & WAIT) === 0) return;",
      replace: "    Atomics.store(words, index, set);\n    if ((state & WAIT) === 0) return;",
      foundBy: "manual, set once",
    },
    {
      what: "reset removes all",
      find: "Atomics.and(words, index, ~SET);",
      replace: "Atomics.store(words, index, 0);",
      foundBy: "manual, set and reset",
    },
    {
      what: "a manual event is over only while it is set",
      find: "return (state & SET) !== 0 || (state & COUNTER) !== this.#counter;",
      replace: "return (state & SET) !== 0;",
      foundBy: "manual, set and reset",
    },
    {
      what: "an automatic event is not reset by an exchange of what was seen",
      find: "if (Atomics.compareExchange(words, index, state, taken) === state) return true;",
      replace: "Atomics.store(words, index, taken);\n    return true;",
      foundBy: "automatic, set once",
    },
    {
      what: "an automatic event is not reset",
      find: "const taken = (state & ~SET) | (slept ? WAIT : 0);",
      replace: "const taken = state | (slept ? WAIT : 0);",
      foundBy: "automatic, set once",
    },
    {
      what: "who has slept does not set WAIT",
      find: "const taken = (state & ~SET) | (slept ? WAIT : 0);",
      replace: "const taken = state & ~SET;",
      foundBy: "automatic, set often for three that wait",
    },
    {
      what: "who waits does not set WAIT",
      find: "      if (Atomics.compareExchange(words, index, state, this.sleepValue) === state) " +
        "return false;\n",
      replace: "      this.sleepValue = state;\n      return false;\n",
      foundBy: "manual, set once",
    },
    {
      what: "who waits sets WAIT by a store",
      find: "      if (Atomics.compareExchange(words, index, state, this.sleepValue) === state) " +
        "return false;\n",
      replace: "      Atomics.store(words, index, this.sleepValue);\n      return false;\n",
      foundBy: "manual, set once",
    },
    {
      what: "mail that came when the wait was over is lost",
      find: "    this.giveUp(true);\n",
      replace: "",
      foundBy: "automatic, two that await",
    },
    {
      what: "giving up passes nothing on",
      find: "    if (!slept) return;\n",
      replace: "    return;\n",
      foundBy: "automatic, one that calls it off",
    },
    {
      what: "giving up wakes nobody",
      find: "if ((state & SET) !== 0) return wakeOne(this.place, index);",
      replace: "if ((state & SET) !== 0) return;",
      foundBy: "automatic, one that calls it off",
    },
    {
      what: "giving up does not set WAIT",
      find: "      if ((state & WAIT) !== 0) return;\n" +
        "      if (Atomics.compareExchange(words, index, state, state | WAIT) === state) return;\n",
      replace: "      return;\n",
      foundBy: "automatic, one that calls it off when it was taken",
    },
  ],
};
