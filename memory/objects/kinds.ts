/**
 * What an object can be: a number in its trailer, and the words for it.
 *
 * @module
 */

import { type Action, stateError } from "../../errors.ts";
import type { Trailer } from "./trailer.ts";

/** The kinds by their numbers, which stand in files and never change. */
const NAMES = [
  undefined,
  "object",
  "mutex",
  "rwlock",
  "semaphore",
  "condition",
  "event",
  "autoResetEvent",
  "barrier",
  "once",
] as const;

/** What is in an object: a value with a layout, or one thing that synchronises. */
export type ObjectKind = NonNullable<typeof NAMES[number]>;

/** What people call it, and what opens it. */
interface KindWords {
  readonly noun: string;
  readonly article: "a" | "an";
  readonly opener: string;
}

const WORDS: Readonly<Record<ObjectKind, KindWords>> = {
  object: { noun: "object", article: "an", opener: "SharedObject.open()" },
  mutex: { noun: "mutex", article: "a", opener: "SharedMutex.open()" },
  rwlock: { noun: "read-write lock", article: "a", opener: "SharedRwLock.open()" },
  semaphore: { noun: "semaphore", article: "a", opener: "SharedSemaphore.open()" },
  condition: { noun: "condition", article: "a", opener: "SharedCondition.open()" },
  event: { noun: "event", article: "an", opener: "SharedEvent.open()" },
  autoResetEvent: { noun: "auto-reset event", article: "an", opener: "SharedEvent.open()" },
  barrier: { noun: "barrier", article: "a", opener: "SharedBarrier.open()" },
  once: { noun: "once-flag", article: "a", opener: "SharedOnce.open()" },
};

/** The kind with a number; undefined for one that is not known here. */
export function kindOf({ kind }: Pick<Trailer, "kind">): ObjectKind | undefined {
  return NAMES[kind];
}

/** The number of a kind. */
export function numberOfKind(kind: ObjectKind): number {
  return NAMES.indexOf(kind);
}

/** What people call it: `mutex`, `read-write lock`. */
export function nounOf(kind: ObjectKind): string {
  return WORDS[kind].noun;
}

/** One of them: `a mutex`, `an event`. */
export function phraseOf(kind: ObjectKind): string {
  const { article, noun } = WORDS[kind];
  return `${article} ${noun}`;
}

/** What it is not, where the class that opens it opens both: the two sorts of events. */
function butNot(found: ObjectKind, kinds: readonly ObjectKind[]): string {
  const others = kinds.filter((kind) => WORDS[kind].opener === WORDS[found].opener);
  return others.map((kind) => `, not ${phraseOf(kind)}`).join("");
}

/** Throws unless what was found is of a kind that is expected. */
export function checkKind(
  action: Action,
  trailer: Pick<Trailer, "kind">,
  kinds: readonly ObjectKind[],
): void {
  const found = kindOf(trailer);
  if (found !== undefined && kinds.includes(found)) return;
  const [reason, opening] = found === undefined
    ? [`it is something else that this library has made (kind ${trailer.kind})`, "as what it is"]
    : [`it is ${phraseOf(found)}${butNot(found, kinds)}`, `with ${WORDS[found].opener}`];
  throw stateError(action, "ERR_SHM_KIND", reason, `Open it ${opening}, or choose another name.`);
}
