/**
 * Mistakes in the read-write lock.
 *
 * @module
 */

import type { Mutation } from "../mutants.ts";
import { explorations, type Protocol } from "../scenarios/rwlock.ts";

export const rwlock: Mutation<Protocol> = {
  file: "rwlock.ts",
  explorations,
  mutants: [
    {
      what: "a reader looks before it announces itself, and not after",
      find: "    this.#announce();\n    if (Atomics.load(words, index) === 0) {",
      replace: "    this.#announce();\n    if (words !== undefined) {",
      foundBy: "a writer and two readers",
    },
    {
      what: "a reader shares whoever owns the word",
      find: "    if ((word & OWNER) === 0) {\n      this.readers++;",
      replace: "    if (this.place !== undefined) {\n      this.readers++;",
      foundBy: "two writers and a reader",
    },
    {
      what: "a reader is not known to writers",
      find: "      Atomics.or(words, sharing + (slot >> 5), 1 << slot);\n",
      replace:
        "      if (words === undefined) Atomics.or(words, sharing + (slot >> 5), 1 << slot);\n",
      foundBy: "a writer and two readers",
    },
    {
      what: "a reader is known to writers after it has announced itself",
      find: "    Atomics.store(this.place.words, this.#entry, this.#counting(this.readers + 1));\n",
      replace: "    Atomics.load(this.place.words, this.#entry);\n",
      foundBy: "a writer and two readers",
    },
    {
      what: "a reader that leaves does not add to drain",
      find: "    Atomics.add(words, index + DRAIN, 1);\n",
      replace: "",
      foundBy: "a writer and two readers",
    },
    {
      what: "a reader that leaves wakes nobody",
      find: "if (owner !== id && place.wake(index + DRAIN, 1) === 0) place.mail(owner, index);",
      replace: "if (owner === -1) place.mail(owner, index);",
      foundBy: "a writer and two readers",
    },
    {
      what: "a reader that leaves mails nobody",
      find: "if (owner !== id && place.wake(index + DRAIN, 1) === 0) place.mail(owner, index);",
      replace: "if (owner !== id) place.wake(index + DRAIN, 1);",
      foundBy: "a writer that awaits, and readers",
    },
    {
      what: "a writer does not wait for readers",
      find: "    if (part.hasReaders(ask)) return false;\n    part.beginWriting();",
      replace: "    part.beginWriting();",
      foundBy: "a writer and two readers",
    },
    {
      what: "a writer loads drain after it has looked at the entries",
      find: "    this.sleepValue = Atomics.load(part.place.words, this.sleepIndex);\n",
      replace: "    if (part.hasReaders(false)) {\n" +
        "      this.sleepValue = Atomics.load(part.place.words, this.sleepIndex);\n" +
        "      return false;\n    }\n",
      foundBy: "a writer and two readers",
    },
    {
      what: "a writer never asks for dead readers",
      find: "const ask = quiet || waitedMs - this.#askedMs >= SLICE_MS;",
      replace: "const ask = waitedMs < 0 && quiet;",
      foundBy: "a writer and two readers, one of which dies",
    },
    {
      what: "a writer takes living readers for dead",
      find: "if (!ask || holder === id || place.isAlive(holder)) return true;",
      replace: "if (!ask || holder === id) return true;",
      foundBy: "those who try",
    },
    {
      what: "a writer wakes one of those who wait",
      find: "return unlockWord(place, index, true) && isOurs;",
      replace: "return unlockWord(place, index) && isOurs;",
      foundBy: "a reader that has waited for long",
    },
    {
      what: "a writer does not mark that it writes",
      find: "    Atomics.store(this.place.words, this.index + WRITING, this.place.id);\n",
      replace: "    Atomics.store(this.place.words, this.index + WRITING, 0);\n",
      foundBy: "two writers and a reader, one of which dies",
    },
    {
      what: "the mark of a writer stays",
      find: "Atomics.compareExchange(words, index + WRITING, id, 0) === id",
      replace: "Atomics.load(words, index + WRITING) === id",
      foundBy: "a writer and two readers",
    },
    {
      what: "every dead owner is said to have left traces",
      find: "    Atomics.load(this.place.words, this.index + WRITING) === owner;\n",
      replace: "    owner !== 0;\n",
      foundBy: "two writers and a reader, one of which dies",
    },
    {
      what: "readers free the word of the living",
      find: "if (owner === id || (quiet && !place.isAlive(owner))) {",
      replace: "if (owner === id || quiet) {",
      foundBy: "a writer and two readers, one of which dies",
    },
    {
      what: "readers wait for the dead",
      find: "if (owner === id || (quiet && !place.isAlive(owner))) {",
      replace: "if (owner === id) {",
      foundBy: "a writer and two readers, one of which dies",
    },
    {
      what: "the word of the dead is freed without DIED",
      find: "const free = WAIT | (word & DIED) | traces;",
      replace: "const free = WAIT | (word & DIED);",
      foundBy: "a writer and two readers, one of which dies",
    },
    {
      what: "the word of the dead is freed by a store",
      find:
        "if (Atomics.compareExchange(place.words, index, word, free) === word) wakeAll(place, index);",
      replace: "Atomics.store(place.words, index, free);\n    wakeAll(place, index);",
      foundBy: "those who try, one of which dies",
    },
    {
      what: "a writer that gives up keeps the word",
      find: "    part.writer = undefined;\n    unlockWord(part.place, part.index, true);\n",
      replace: "    part.writer = undefined;\n",
      foundBy: "a writer that gives up",
    },
    {
      what: "a reader that has met its demand leaves it",
      find: "        if (next === id) {\n          meetDemand(place, index + 1);",
      replace: "        if (next === id) {",
      foundBy: "a reader that has waited for long",
    },
  ],
};
