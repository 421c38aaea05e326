/**
 * Mistakes in the lock word. Not among them, since nothing is lost by them: that who has not slept, or
 * tries, takes a free lock without the WAIT that it had. It is only there for a demand, after which all are
 * woken; whoever sleeps then is polite, which lasts 10 ms at most.
 *
 * @module
 */

import type { Mutation } from "../mutants.ts";
import { explorations, type Protocol } from "../scenarios/mutex.ts";

export const mutex: Mutation<Protocol> = {
  file: "lock_word.ts",
  explorations,
  mutants: [
    {
      what: "unlock wakes nobody",
      find:
        "    else if (next !== 0) wakeNext(place, index, next);\n    else wakeOne(place, index);",
      replace: "",
      foundBy: "three that wait",
    },
    {
      what: "unlock mails nobody",
      find: "if (place.wake(index, 1) === 0) place.mailSome(index, 1);",
      replace: "place.wake(index, 1);",
      foundBy: "three that await",
    },
    {
      what: "unlock mails instead of waking",
      find: "if (place.wake(index, 1) === 0) place.mailSome(index, 1);",
      replace: "if (place.mailSome(index, 1) === 0) return;",
      foundBy: "three that wait",
    },
    {
      what: "unlock wakes one although somebody demands it",
      find: "    else if (next !== 0) wakeNext(place, index, next);\n",
      replace: "",
      foundBy: "three that come when it is their turn",
    },
    {
      what: "unlock does not mail who demands it",
      find: "  place.mail(next, index);\n",
      replace: "",
      foundBy: "three that have waited for long",
    },
    {
      what: "unlock does not read the demand again",
      find: "    const next = Atomics.load(words, index + 1);\n    if (all)",
      replace:
        "    const next = (free & WAIT) === 0 ? 0 : Atomics.load(words, index + 1);\n    if (all)",
      foundBy: "three that come at once when it is their turn",
    },
    {
      what: "unlock leaves no WAIT for a demand",
      find: "(Atomics.load(words, index + 1) === 0 ? 0 : WAIT)",
      replace: "0",
      foundBy: "one that is always back at once",
    },
    {
      what: "unlock removes DIED",
      find: "const free = (word & DIED) |",
      replace: "const free =",
      foundBy: "a death that is not repaired",
    },
    {
      what: "unlock does not ask whose it is",
      find: "    if ((word & OWNER) !== id) return false;\n    // With",
      replace: "    // With",
      foundBy: "one that unlocks what it does not hold",
    },
    {
      what: "unlock stores what it should exchange",
      find: "    if (Atomics.compareExchange(words, index, word, free) !== word) continue;\n" +
        "    if ((word & WAIT) === 0) return true;",
      replace: "    Atomics.store(words, index, free);\n    if ((word & WAIT) === 0) return true;",
      foundBy: "a death that is not repaired",
    },
    {
      what: "the fast path of unlock ignores WAIT",
      find: "  if (Atomics.compareExchange(words, index, id, 0) === id) return true;\n",
      replace: "  if ((Atomics.load(words, index) & OWNER) === id) {\n" +
        "    Atomics.store(words, index, 0);\n    return true;\n  }\n",
      foundBy: "three that wait",
    },
    {
      what: "who has slept takes it without WAIT",
      find: "(slept ? WAIT : word & WAIT)",
      replace: "(word & WAIT)",
      foundBy: "three that wait",
    },
    {
      what: "taking it removes DIED",
      find: "const mine = id | (word & DIED) | (slept",
      replace: "const mine = id | (slept",
      foundBy: "a death that is not repaired",
    },
    {
      what: "taking it does not say that an owner has died before",
      find: "        this.ownerDied = (word & DIED) !== 0;\n",
      replace: "",
      foundBy: "a death that is not repaired",
    },
    {
      what: "taking a free lock is a store",
      find: "        if (Atomics.compareExchange(words, index, word, mine) !== word) continue;\n" +
        "        if (next === id)",
      replace: "        Atomics.store(words, index, mine);\n        if (next === id)",
      foundBy: "three that wait",
    },
    {
      what: "taking a free lock does not meet one's demand",
      find: "        if (next === id) Atomics.compareExchange(words, nextIndex, id, 0);\n",
      replace: "",
      foundBy: "three that have waited for long",
    },
    {
      what: "a take-over is a store",
      find: "        if (Atomics.compareExchange(words, index, word, mine) !== word) continue;\n" +
        "        meetDemand",
      replace: "        Atomics.store(words, index, mine);\n        meetDemand",
      foundBy: "three, one of which dies",
    },
    {
      what: "a take-over does not set DIED",
      find: "const mine = id | WAIT | (died ? DIED : 0);",
      replace: "const mine = id | WAIT | (word & DIED);",
      foundBy: "three, only one of which repairs",
    },
    {
      what: "a take-over does not set WAIT",
      find: "const mine = id | WAIT | (died ? DIED : 0);",
      replace: "const mine = id | (died ? DIED : 0);",
      foundBy: "an owner that has died before, without slices",
    },
    {
      what: "a take-over does not say that the owner has died",
      find: "        this.ownerDied = died;\n",
      replace: "",
      foundBy: "three, one of which dies",
    },
    {
      what: "a take-over does not meet one's demand",
      find: "        meetDemand(this.#place, nextIndex);\n",
      replace: "",
      foundBy: "one that demands it from the dead",
    },
    {
      what: "a take-over from the living",
      find: "(quiet && this.isDead(owner))",
      replace: "quiet",
      foundBy: "three, one of which dies",
    },
    {
      what: "the dead are never asked for",
      find: "(quiet && this.isDead(owner))",
      replace: "false",
      foundBy: "three, one of which dies",
    },
    {
      what: "WAIT is announced by a store",
      find: "waiting !== word && Atomics.compareExchange(words, index, word, waiting) !== word",
      replace: "waiting !== word && Atomics.exchange(words, index, waiting) < -Infinity",
      foundBy: "three that wait",
    },
    {
      what: "WAIT is announced once, and slept even if that failed",
      find: "waiting !== word && Atomics.compareExchange(words, index, word, waiting) !== word",
      replace:
        "waiting !== word && Atomics.compareExchange(words, index, word, waiting) < -Infinity",
      foundBy: "three, one of which awaits",
    },
    {
      what: "WAIT is not announced",
      find: "waiting !== word && Atomics.compareExchange(words, index, word, waiting) !== word",
      replace: "waiting < -Infinity",
      foundBy: "three, one of which awaits",
    },
    {
      what: "who waits sleeps while the word is without WAIT",
      find: "this.sleepValue = waiting;",
      replace: "this.sleepValue = word & ~WAIT;",
      foundBy: "three that wait",
    },
    {
      what: "a demand is ignored",
      find: "if (next !== 0 && next !== id && !this.#passes(word, next, waitedMs)) return false;",
      replace: "",
      foundBy: "one that is always back at once",
    },
    {
      what: "politeness has no end",
      find: "    if (nowMs - this.#sinceMs < POLITE_MS) return false;\n",
      replace: "    if (nowMs >= 0) return false;\n",
      foundBy: "an owner that has died before",
    },
    {
      what: "who is polite for long leaves the demand",
      find: "    Atomics.compareExchange(words, nextIndex, next, 0);\n",
      replace: "",
      foundBy: "an owner that has died before",
    },
    {
      what: "a demand is a store",
      find: "Atomics.compareExchange(words, nextIndex, 0, id) === 0",
      replace: "Atomics.exchange(words, nextIndex, id) !== id",
      foundBy: "three, one of which stops",
    },
    {
      what: "nobody demands it",
      find: "return waitedMs >= DEMAND_MS &&",
      replace: "return waitedMs >= 1e9 &&",
      foundBy: "one that is always back at once",
    },
    {
      what: "giving up leaves the demand",
      find: "    meetDemand(this.#place, index + 1);\n    if (!slept) return;\n",
      replace: "    if (!slept) return;\n",
      foundBy: "one that gives up a demand",
    },
    {
      what: "giving up passes nothing on",
      find: "    if (!slept) return;\n",
      replace: "    return;\n",
      foundBy: "one that calls it off",
    },
    {
      what: "giving up sets no WAIT",
      find: "      if ((word & WAIT) !== 0) return;\n",
      replace: "      return;\n",
      foundBy: "one that calls it off",
    },
    {
      what: "giving up wakes nobody",
      find: "if ((word & OWNER) === 0) return wakeOne(this.#place, index);",
      replace: "if ((word & OWNER) === 0) return;",
      foundBy: "one that calls it off",
    },
    {
      what: "markConsistent does nothing",
      find: "word & ~DIED) === word) return true;",
      replace: "word) === word) return true;",
      foundBy: "three, one of which dies",
    },
    {
      what: "markConsistent does not ask whose it is",
      find: "    if ((word & OWNER) !== id) return false;\n    if (Atomics",
      replace: "    if (Atomics",
      foundBy: "one that unlocks what it does not hold",
    },
    {
      what: "try takes it from the living",
      find: 'if (owner !== id && isAlive(owner)) return "busy";',
      replace: "",
      foundBy: "one that tries",
    },
    {
      what: "try does not ask for the dead",
      find: 'if (owner !== id && isAlive(owner)) return "busy";',
      replace: 'if (owner !== id) return "busy";',
      foundBy: "an owner that has died before",
    },
    {
      what: "try does not say that an owner has died",
      find: 'return died ? "ownerDied" : "locked";',
      replace: 'return "locked";',
      foundBy: "one that tries",
    },
    {
      what: "try is a store",
      find: "    if (Atomics.compareExchange(words, index, word, mine) !== word) continue;\n" +
        "    meetDemand(place, index + 1);",
      replace: "    Atomics.store(words, index, mine);\n    meetDemand(place, index + 1);",
      foundBy: "one that tries",
    },
  ],
};
