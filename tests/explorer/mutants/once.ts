/**
 * Mistakes in once.
 *
 * @module
 */

import type { Mutation } from "../mutants.ts";
import { explorations, type Protocol } from "../scenarios/once.ts";

export const once: Mutation<Protocol> = {
  file: "once.ts",
  explorations,
  mutants: [
    {
      what: "who has done it wakes nobody",
      find: "    if ((word & WAIT) !== 0) wakeAll(place, index);\n",
      replace: "    if (word === 0) wakeAll(place, index);\n",
      foundBy: "three",
    },
    {
      what: "who has done it wakes one",
      find: "    if ((word & WAIT) !== 0) wakeAll(place, index);\n",
      replace: "    if ((word & WAIT) !== 0) place.wake(index, 1);\n",
      foundBy: "three, two of which await",
    },
    {
      what: "done is stored",
      find: "    if (Atomics.compareExchange(words, index, word, DONE) !== word) continue;\n",
      replace: "    Atomics.store(words, index, DONE);\n",
      foundBy: "three",
    },
    {
      what: "who has done it frees it",
      find: "Atomics.compareExchange(words, index, word, DONE)",
      replace: "Atomics.compareExchange(words, index, word, DONE & 0)",
      foundBy: "three",
    },
    {
      what: "who has failed says that it is done",
      find: "  return unlockWord(place, index);\n",
      replace: "  return finishOnce(place, index);\n",
      foundBy: "three, one of which fails",
    },
    {
      what: "who has failed keeps the right",
      find: "  return unlockWord(place, index);\n",
      replace: "  return unlockWord === undefined || place.id > 0 || index > 0;\n",
      foundBy: "three, one of which fails",
    },
    {
      what: "who waits does not see that it is done",
      find: "    if (!isDone(this.#place.words, this.#index)) return false;\n",
      replace: "    if (this.#place.id > 0) return false;\n",
      foundBy: "three",
    },
    {
      what: "who has waited leaves its demand",
      find: "    meetDemand(this.#place, this.#index + 1);\n",
      replace: "",
      foundBy: "three that have waited for long",
    },
    {
      what: "whoever has the lock is said to be done",
      find: "=== DONE;\n}",
      replace: "!== 0;\n}",
      foundBy: "three",
    },
    {
      what: "try takes a failure for a success",
      find: 'return result === "busy" && isDone(place.words, index) ? "done" : result;',
      replace: 'return result === "busy" ? "done" : result;',
      foundBy: "one that tries",
    },
  ],
};
