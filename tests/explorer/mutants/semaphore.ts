/**
 * Mistakes in the semaphore.
 *
 * @module
 */

import type { Mutation } from "../mutants.ts";
import { explorations, type Protocol } from "../scenarios/semaphore.ts";

export const semaphore: Mutation<Protocol> = {
  file: "semaphore.ts",
  explorations,
  mutants: [
    {
      what: "release wakes nobody",
      find: "    this.#wake();\n    return true;",
      replace: "    return true;",
      foundBy: "one permit for three",
    },
    {
      what: "nobody is mailed",
      find: "    if (woken === 0) place.mailSome(index, 1);\n",
      replace: "",
      foundBy: "one permit for three that await",
    },
    {
      what: "release does not change the counter",
      find: "const changed = (signal + 2) & ~WAIT;",
      replace: "const changed = signal;",
      foundBy: "one permit for three",
    },
    {
      what: "release frees the permit after it has woken one",
      find:
        "    if (Atomics.compareExchange(words, index + FIRST_PERMIT + permit, id, 0) !== id) " +
        "return false;\n    while (true) {\n      const signal = Atomics.load(words, index);\n" +
        "      if ((signal & WAIT) === 0) return true;",
      replace: "    while (true) {\n      const signal = Atomics.load(words, index);\n" +
        "      if ((signal & WAIT) === 0) {\n" +
        "        Atomics.store(words, index + FIRST_PERMIT + permit, 0);\n        return true;\n      }",
      foundBy: "one permit for three",
    },
    {
      what: "release does not ask whose it is",
      find:
        "    if (Atomics.compareExchange(words, index + FIRST_PERMIT + permit, id, 0) !== id) " +
        "return false;\n    while",
      replace:
        "    if (Atomics.exchange(words, index + FIRST_PERMIT + permit, 0) === 0) return false;\n" +
        "    Atomics.store(words, index + FIRST_PERMIT + permit, 0);\n    while",
      foundBy: "one permit for three",
    },
    {
      what: "a free permit is taken by a store",
      find:
        "const holder = Atomics.compareExchange(words, this.index + FIRST_PERMIT + permit, 0, id);",
      replace:
        "const holder = 0;\n    Atomics.store(words, this.index + FIRST_PERMIT + permit, id);",
      foundBy: "one permit for three",
    },
    {
      what: "the permit of the dead is taken by a store",
      find: "else if (Atomics.compareExchange(words, first + permit, holder, id) === holder) {",
      replace: "else if (Atomics.exchange(words, first + permit, id) !== -1) {",
      foundBy: "a holder that has died before",
    },
    {
      what: "permits of the living are taken",
      find: "if (this.place.isAlive(holder)) alive.add(holder);",
      replace: "if (holder === -1) alive.add(holder);",
      foundBy: "one that tries",
    },
    {
      what: "permits of the dead do not come back",
      find: "        const left = permits.takeFromDead();\n",
      replace: "        const left = -1;\n",
      foundBy: "three, one of which dies",
    },
    {
      what: "try spares the dead",
      find: "if (free < 0) return permits.takeFromDead();",
      replace: "if (free < 0) return -1;",
      foundBy: "a holder that has died before",
    },
    {
      what: "who waits does not look again after it has set WAIT",
      find:
        "      Atomics.compareExchange(words, index, signal, signal | WAIT); // and then all of them again\n",
      replace:
        "      if (Atomics.compareExchange(words, index, signal, signal | WAIT) === signal) {\n" +
        "        this.#sleepOn(signal | WAIT, SLICE_MS);\n        return false;\n      }\n",
      foundBy: "one permit for three",
    },
    {
      what: "who has slept does not set WAIT again",
      find: "    Atomics.or(this.place.words, this.index, WAIT);\n",
      replace: "",
      foundBy: "one permit for three",
    },
    {
      what: "who has slept does not look for another permit",
      find: "    if (this.findFree() >= 0) this.#wake();\n",
      replace: "",
      foundBy: "one that calls it off",
    },
    {
      what: "who has slept passes nothing on",
      find:
        "    meetDemand(permits.place, permits.index + NEXT);\n    if (slept) permits.passOn();\n" +
        "    return true;",
      replace: "    meetDemand(permits.place, permits.index + NEXT);\n    return true;",
      foundBy: "one permit for three",
    },
    {
      what: "who takes a permit does not meet its demand",
      find:
        "    meetDemand(permits.place, permits.index + NEXT);\n    if (slept) permits.passOn();\n" +
        "    return true;",
      replace: "    if (slept) permits.passOn();\n    return true;",
      foundBy: "three that have waited for long",
    },
    {
      what: "giving up leaves the demand",
      find:
        "    meetDemand(permits.place, permits.index + NEXT);\n    if (slept) permits.passOn();\n" +
        "  }\n",
      replace: "    if (slept) permits.passOn();\n  }\n",
      foundBy: "one that gives up a demand",
    },
    {
      what: "giving up passes nothing on",
      find:
        "    meetDemand(permits.place, permits.index + NEXT);\n    if (slept) permits.passOn();\n" +
        "  }\n",
      replace: "    meetDemand(permits.place, permits.index + NEXT);\n  }\n",
      foundBy: "one that calls it off",
    },
    {
      what: "mail that came when the wait was over is lost",
      find: "    this.#permits.passOn();\n",
      replace: "",
      foundBy: "one that has all, for two that await",
    },
    {
      what: "one is woken although another one demands it",
      find: "const woken = place.wake(index, next === 0 ? 1 : ALL);",
      replace: "const woken = place.wake(index, 1);",
      foundBy: "those who come when it is their turn",
    },
  ],
};
