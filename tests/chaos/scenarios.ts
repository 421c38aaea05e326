/**
 * All scenarios, by name.
 *
 * @module
 */

import type { Fields, Struct } from "../../layout/mod.ts";
import type { Common, Scenario } from "./scenario.ts";
import { scenario as barrier } from "./scenarios/barrier.ts";
import { scenario as condition } from "./scenarios/condition.ts";
import { scenario as event } from "./scenarios/event.ts";
import { scenario as mutex } from "./scenarios/mutex.ts";
import { scenario as once } from "./scenarios/once.ts";
import { scenario as rwlock } from "./scenarios/rwlock.ts";
import { scenario as semaphore } from "./scenarios/semaphore.ts";

/** A scenario of which no more is known than what all have. */
export type AnyScenario = Scenario<typeof Common>;
export type ScenarioName =
  | "mutex"
  | "rwlock"
  | "semaphore"
  | "condition"
  | "event"
  | "barrier"
  | "once";

const any = <L extends Struct<Fields>>(scenario: Scenario<L>): AnyScenario =>
  scenario as unknown as AnyScenario;

export const scenarios: Readonly<Record<ScenarioName, AnyScenario>> = {
  mutex: any(mutex),
  rwlock: any(rwlock),
  semaphore: any(semaphore),
  condition: any(condition),
  event: any(event),
  barrier: any(barrier),
  once: any(once),
};
