/**
 * Opening a set of System V semaphores, or creating it, by several processes at once.
 *
 * @module
 */

import { type Action, misuse, ShmError, type ShmErrorCode, stateError } from "../../errors.ts";
import { Attempts } from "../../memory/attempts.ts";
import { describeSystemVName } from "../../memory/systemv/systemv_options.ts";
import { sleep } from "../../memory/waiting.ts";
import {
  createSet,
  isInitialised,
  NOUN,
  openSet,
  removeSet,
  type SemaphoreSet,
} from "./semaphore_set.ts";
import {
  checkSetCreation,
  checkTrust,
  checkUninitialised,
  type SetCreation,
  type SystemVSemaphoreOpenOrCreateOptions,
} from "./set_options.ts";

/** How long somebody else may take to initialise what has been made. */
const INITIALISATION_MS = 1000;
/** The same for a set that was there before, of whose age only whole seconds are known. */
const OLD_MS = INITIALISATION_MS + 1000;
const LOOK_AGAIN_MS = 5;

/** What came of it. */
export interface OpenedOrCreated {
  readonly set: SemaphoreSet;
  /** Undefined when it was found. */
  readonly creation: SetCreation | undefined;
}

/**
 * Opens a set, or creates it when there is none. Of several processes that do this at once, one gives
 * it its values; the others block until it has them, for a second at most.
 */
export function openOrCreateSet(
  unnamed: Action,
  options: SystemVSemaphoreOpenOrCreateOptions,
): OpenedOrCreated {
  const creation = checkSetCreation(unnamed, options);
  const { key } = creation;
  if (key === undefined) throw new TypeError(misuse(unnamed, "key must be given", key));
  const trust = checkTrust(unnamed, options);
  const uninitialised = checkUninitialised(unnamed, options.uninitialised);
  const action = { ...unnamed, noun: describeSystemVName({ key }, NOUN) };

  let awaited = { id: -1, sinceMs: 0 };
  const attempts = new Attempts();
  while (true) {
    const found = openIfThere(unnamed, key, trust);
    if (found === undefined) {
      try {
        return { set: createSet(unnamed, creation), creation };
      } catch (error) {
        // EIDRM: somebody took it for what a killed creator had left, and replaces it.
        if (!hasCode(error, "EEXIST", "EIDRM") || !attempts.goOn()) throw error;
        continue;
      }
    }
    checkCount(action, found.count, creation.values.length);
    if (isInitialised(found)) return { set: found, creation: undefined };
    if (awaited.id !== found.id) awaited = { id: found.id, sinceMs: performance.now() };
    const isOver = performance.now() - awaited.sinceMs >= INITIALISATION_MS ||
      Date.now() - found.status.ctime * 1000 >= OLD_MS;
    if (!isOver) {
      sleep(LOOK_AGAIN_MS);
    } else if (uninitialised === "accept") {
      return { set: found, creation: undefined };
    } else if (uninitialised === "refuse" || !attempts.goOn()) {
      throw notInitialised(action, found.id);
    } else {
      // By its id: what somebody else has created by now is another one.
      removeSet(unnamed, { id: found.id });
    }
  }
}

type Found = ReturnType<typeof openSet>;

function openIfThere(
  action: Action,
  key: number,
  trust: Parameters<typeof openSet>[2],
): Found | undefined {
  try {
    return openSet(action, { key }, trust);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function checkCount(action: Action, count: number, expected: number): void {
  if (count === expected) return;
  throw stateError(
    action,
    "ERR_SHM_SIZE",
    `it exists with a count of ${count}, not ${expected}`,
    "Ask for the count that it has, open() it as it is, or remove() it first.",
  );
}

function notInitialised(action: Action, id: number): ShmError {
  return stateError(
    action,
    "ETIMEDOUT",
    `it exists with id ${id}, and nobody has given it its values within ${INITIALISATION_MS} ms: ` +
      "who made it was killed at that, or makes sets without values",
    'Use { uninitialised: "replace" } if only programs of this library make it, "accept" if it is ' +
      "right as it is, or remove() it.",
  );
}

function hasCode(error: unknown, ...codes: ShmErrorCode[]): boolean {
  return error instanceof ShmError && codes.includes(error.code);
}
