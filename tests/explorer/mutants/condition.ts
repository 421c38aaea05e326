/**
 * Mistakes in the condition. Not among them, since nothing is lost by them: that notify wakes nobody, or
 * mails nobody (it takes itself for alone then, and wakes all); and that notify all does not count (it
 * changes WAIT; and whoever sets that again has looked at the data since).
 *
 * @module
 */

import type { Mutation } from "../mutants.ts";
import { explorations, type Protocol } from "../scenarios/condition.ts";

export const condition: Mutation<Protocol> = {
  file: "condition.ts",
  explorations,
  mutants: [
    {
      what: "notify wakes one of several",
      find: "let left = count - place.wake(index, count);",
      replace: "let left = 1 - place.wake(index, 1);",
      foundBy: "two for two",
    },
    {
      what: "notify does not count",
      find: "const notified = (signal + ONE) | 0;",
      replace: "const notified = signal;",
      foundBy: "one each, for those who await",
    },
    {
      what: "notify removes WAIT",
      find: "const notified = (signal + ONE) | 0;",
      replace: "const notified = (signal + ONE) & ~WAIT;",
      foundBy: "one each",
    },
    {
      what: "notify leaves those unannounced who come meanwhile",
      find: "if (Atomics.compareExchange(words, index, notified, alone) === notified) " +
        "wakeAll(place, index);",
      replace: "Atomics.compareExchange(words, index, notified, alone);",
      foundBy: "one each, outside of the lock",
    },
    {
      what: "notify removes WAIT by a store",
      find: "if (Atomics.compareExchange(words, index, notified, alone) === notified) " +
        "wakeAll(place, index);",
      replace: "Atomics.store(words, index, alone);",
      foundBy: "one each, outside of the lock",
    },
    {
      what: "who waits does not set WAIT",
      find: "Atomics.or(place.words, index, WAIT) | WAIT;",
      replace: "Atomics.load(place.words, index);",
      foundBy: "one each",
    },
    {
      what: "who awaits ignores a notification that came before its interest",
      find: "return quiet || this.#isNotified();",
      replace: "return quiet;",
      foundBy: "one each, for those who await",
    },
    {
      what: "giving up passes nothing on",
      find: "    if (this.#countNotifications() > 0) this.#passOn();\n",
      replace: "",
      foundBy: "one that calls it off",
    },
    {
      what: "two notifications for one are lost to another",
      find: "    if (this.#countNotifications() > 1) this.#passOn();\n",
      replace: "",
      foundBy: "one each, for those who await",
    },
    {
      what: "notify all wakes nobody",
      find: "    return wakeAll(place, index);\n",
      replace: "    return;\n",
      foundBy: "all for two",
    },
  ],
};
