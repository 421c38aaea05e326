/**
 * What is explored of the production source, by primitive.
 *
 * @module
 */

import * as barrierProtocol from "../../sync/protocols/barrier.ts";
import * as conditionProtocol from "../../sync/protocols/condition.ts";
import * as eventProtocol from "../../sync/protocols/event.ts";
import * as mutexProtocol from "../../sync/protocols/lock_word.ts";
import * as onceProtocol from "../../sync/protocols/once.ts";
import * as rwlockProtocol from "../../sync/protocols/rwlock.ts";
import * as semaphoreProtocol from "../../sync/protocols/semaphore.ts";
import type { Exploration } from "./explorer.ts";
import * as barrier from "./scenarios/barrier.ts";
import * as condition from "./scenarios/condition.ts";
import * as event from "./scenarios/event.ts";
import * as mutex from "./scenarios/mutex.ts";
import * as once from "./scenarios/once.ts";
import * as rwlock from "./scenarios/rwlock.ts";
import * as semaphore from "./scenarios/semaphore.ts";

/** Makes explorations, which have a name. */
export type Explorations = () => Readonly<Record<string, Exploration>>;

export const PRIMITIVES: Readonly<Record<string, Explorations>> = {
  mutex: () => mutex.explorations(mutexProtocol),
  rwlock: () => rwlock.explorations(rwlockProtocol),
  once: () => once.explorations(onceProtocol),
  semaphore: () => semaphore.explorations(semaphoreProtocol),
  condition: () => condition.explorations(conditionProtocol),
  event: () => event.explorations(eventProtocol),
  barrier: () => barrier.explorations(barrierProtocol),
};
