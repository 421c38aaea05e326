/**
 * The fields of layouts that synchronise: they have no value, and their verbs need the object that
 * they are in.
 *
 * @module
 */

import type { Description } from "../layout/description.ts";
import type { AggregateField, Spelling } from "../layout/field.ts";
import type { Memory } from "../layout/memory.ts";
import { ObjectHandle } from "../memory/objects/object_handle.ts";
import { nounOf, type ObjectKind } from "../memory/objects/kinds.ts";
import { Condition } from "./primitives/condition.ts";
import { Once } from "./primitives/once.ts";
import { RwLock } from "./primitives/rwlock.ts";
import { ResetEvent } from "./primitives/reset_event.ts";
import { spellingOfWords } from "./spelling.ts";
import { checkInteger } from "../memory/options.ts";
import { Barrier } from "./primitives/barrier.ts";
import { Mutex } from "./primitives/mutex.ts";
import { barrierByteLength } from "./protocols/barrier.ts";
import { semaphoreByteLength } from "./protocols/semaphore.ts";
import { Semaphore } from "./primitives/semaphore.ts";
import type { Home } from "./primitives/synchroniser.ts";

/** A synchronising field in raw memory, where it has no verbs. */
export type Inert = object;

/** A field that synchronises: in a copy it is left out, and in raw memory it can do nothing. */
export type SyncField<Verbs extends object> = AggregateField<never, never, Inert, Verbs> & {
  readonly plain: false;
};

/** What tells a kind from the others. */
interface Kind<Verbs extends object> {
  readonly kind: ObjectKind;
  readonly size: number;
  readonly rowByteLength?: number;
  readonly description: Description;
  readonly spelling: Spelling;
  make(home: Home): Verbs;
}

function field<Verbs extends object>(
  { kind, size, rowByteLength, description, spelling, make }: Kind<Verbs>,
): SyncField<Verbs> {
  const refuse = (): never => {
    throw new TypeError(`A field of the kind ${kind} has no value`);
  };
  return {
    kind,
    size,
    alignment: 4,
    assignable: false,
    plain: false,
    ...(rowByteLength === undefined ? {} : { rowByteLength }),
    spelling,
    describe: () => description,
    attach: (memory, position, path) => make(homeOf(memory, position, nounOf(kind), path)),
    load: refuse,
    check: refuse,
    store: refuse,
  };
}

function homeOf({ owner, origin }: Memory, position: number, noun: string, part: string): Home {
  const handle = owner instanceof ObjectHandle ? owner : undefined;
  return { handle, position: origin + position, noun, part };
}

/**
 * A lock that one holds at a time: 16 bytes. In a shared object, the view has its verbs.
 */
export const mutex: SyncField<Mutex> = field({
  kind: "mutex",
  size: 16,
  description: "mutex",
  spelling: spellingOfWords("mutex", 4),
  make: (home) => new Mutex(home),
});

/**
 * A lock that many share, or one holds: 16 bytes, and 4 in the row of each participant. In a shared
 * object, the view has its verbs.
 */
export const rwlock: SyncField<RwLock> = field({
  kind: "rwlock",
  size: 16,
  rowByteLength: 4,
  description: "rwlock",
  spelling: spellingOfWords("rwlock", 4),
  make: (home) => new RwLock(home),
});

/**
 * Something that is to be done once: 16 bytes. In a shared object, the view has its verbs.
 */
export const once: SyncField<Once> = field({
  kind: "once",
  size: 16,
  description: "once",
  spelling: spellingOfWords("once", 4),
  make: (home) => new Once(home),
});

/**
 * Lets those who hold a mutex wait until the data is as they need it: 16 bytes. In a shared object, the
 * view has its verbs.
 */
export const condition: SyncField<Condition> = field({
  kind: "condition",
  size: 16,
  description: "condition",
  spelling: spellingOfWords("condition", 4),
  make: (home) => new Condition(home),
});

/**
 * Lets everyone pass from when it is set until it is reset: 16 bytes. In a shared object, the view has
 * its verbs.
 */
export const event: SyncField<ResetEvent> = field({
  kind: "event",
  size: 16,
  description: "event",
  spelling: spellingOfWords("event", 4),
  make: (home) => new ResetEvent(home, false),
});

/**
 * Lets one pass each time it is set: 16 bytes. In a shared object, the view has its verbs.
 */
export const autoResetEvent: SyncField<ResetEvent> = field({
  kind: "autoResetEvent",
  size: 16,
  description: "autoResetEvent",
  spelling: spellingOfWords("auto_reset_event", 4),
  make: (home) => new ResetEvent(home, true),
});
/**
 * So many permits, each of which one holds at a time: 16 bytes, and 4 for each permit. In a shared
 * object, the view has its verbs.
 *
 * @param permits How many: 1 to 4096.
 * @throws {TypeError | RangeError} When it is something else.
 */
export function semaphore(permits: number): SyncField<Semaphore> {
  checkInteger({ verb: "make", noun: "semaphore" }, "permits", permits, 1, 4096);
  const size = semaphoreByteLength(permits);
  return field({
    kind: "semaphore",
    size,
    description: { kind: "semaphore", permits },
    spelling: spellingOfWords(`semaphore_${permits}`, size / 4),
    make: (home) => new Semaphore(home, permits),
  });
}

/**
 * A point that so many parties reach together: 16 bytes, and 4 for each party. In a shared object, the
 * view has its verbs.
 *
 * @param parties How many: 1 to 1000.
 * @throws {TypeError | RangeError} When it is something else.
 */
export function barrier(parties: number): SyncField<Barrier> {
  checkInteger({ verb: "make", noun: "barrier" }, "parties", parties, 1, 1000);
  const size = barrierByteLength(parties);
  return field({
    kind: "barrier",
    size,
    description: { kind: "barrier", parties },
    spelling: spellingOfWords(`barrier_${parties}`, size / 4),
    make: (home) => new Barrier(home, parties),
  });
}
