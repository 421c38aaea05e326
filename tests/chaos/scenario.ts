/**
 * What the workers of a chaos run do, and what must hold all the while.
 *
 * @module
 */

import type { Patch } from "../../layout/field.ts";
import type { Fields, InferLive, Struct } from "../../layout/mod.ts";
import { t } from "../../mod.ts";
import type { SharedObject } from "../../object/shared_object.ts";

/** The most workers of a run, with those who wait to take the place of another. */
export const MAX_WORKERS = 16;

/** What a worker says of itself, in shared memory: it cannot say it when it has been killed. */
export const Worker = t.struct("ChaosWorker", {
  /** Its thread: gettid(). */
  tid: t.atomic(t.u32),
  /** 1: it is ready to begin. */
  ready: t.atomic(t.u32),
  /** Which seat it gets, from 1, told by the controller; 0: not yet. */
  seat: t.atomic(t.u32),
  /** Rounds in which it got what it wanted. */
  rounds: t.atomic(t.u32),
  /** All rounds. */
  turns: t.atomic(t.u32),
  /** How many locks or permits it holds: not 0 only while it certainly does. */
  holding: t.atomic(t.u32),
  /** How often it was told that an owner had died. */
  died: t.atomic(t.u32),
  /** Deaths that it was told of though nothing was left half done: they hit the lock itself. */
  narrow: t.atomic(t.u32),
  /** For the scenario. */
  mark: t.atomic(t.u32),
});

/** What every object of a run begins with. */
export const common = {
  workers: t.array(t.cacheLine(Worker), MAX_WORKERS),
  /** Not 0: all are to end. */
  stop: t.atomic(t.u32),
  /** How late somebody was in all who only sleeps, in microseconds: how busy the machine is. */
  lateUs: t.atomic(t.u32),
} as const;

/** As much of the object as all scenarios have. */
export const Common = t.struct("ChaosCommon", common);

/** A worker in its process. */
export interface Context<L extends Struct<Fields>> {
  readonly object: SharedObject<L>;
  readonly value: InferLive<L>;
  /** What it says of itself. */
  readonly self: InferLive<typeof Worker>;
  /** Its seat, from 1; nobody else alive has it. */
  readonly seat: number;
  /** How many seats there are. */
  readonly count: number;
  /** An integer from 0 up to a bound, which is not reached. */
  random(below: number): number;
  /** Passes some time at work, which keeps the event loop busy: mostly none, at times up to 2 ms. */
  work(): void;
  /** Passes some time: mostly as `work` does, at times asleep. */
  pass(): Promise<void>;
  /** Reports what must not be. */
  violation(what: string): void;
}

/** What the controller has. */
export interface Control<L extends Struct<Fields>> {
  readonly object: SharedObject<L>;
  readonly value: InferLive<L>;
  /** Kills so far. */
  readonly kills: number;
  violation(what: string): void;
  /** Says that nobody has been able to go on until now, as it must be. */
  excuse(): void;
}

/** What is done to a primitive. */
export interface Scenario<L extends Struct<Fields>> {
  readonly layout: L;
  readonly initial?: Patch<L>;
  /** Workers may have to wait for others for ever, so that not all of them can end. */
  readonly endless?: boolean;
  /** One round. @returns Whether it got what it wanted. */
  round(context: Context<L>): Promise<boolean>;
  /** Done by the controller every few milliseconds. */
  tend?(control: Control<L>): void;
  /** Done by the controller when a worker has died, before another gets its seat. */
  bury?(control: Control<L>, worker: InferLive<typeof Worker>): void;
  /** What must hold when all have ended. */
  finish?(control: Control<L>): void;
}

/** The verbs of something that can be had. */
export interface Verbs<T> {
  now(): T | null;
  plainly(options?: { timeout?: number }): T;
  async(options?: { timeout?: number; signal?: AbortSignal }): Promise<T>;
}

/** Gets something in one of the ways there are, at random; null when it did not get it. */
export async function get<T>(
  { random, work }: Pick<Context<typeof Common>, "random" | "work">,
  verbs: Verbs<T>,
  way: number = random(12),
): Promise<T | null> {
  try {
    switch (way) {
      case 0:
        return verbs.now();
      case 1:
        return verbs.plainly({ timeout: random(20) });
      case 2:
        return await verbs.async();
      case 3:
        return await verbs.async({ timeout: random(20) });
      case 4:
        return await verbs.async({ signal: AbortSignal.timeout(random(20)) });
      case 5:
      case 6: {
        // A busy event loop, which may have been handed what it does not know of.
        const pending = verbs.async(way === 5 ? {} : { timeout: 1 + random(5) });
        work();
        return await pending;
      }
      case 7: {
        const controller = new AbortController();
        const pending = verbs.async({ signal: controller.signal });
        setTimeout(() => controller.abort(), random(4));
        return await pending;
      }
      default:
        return verbs.plainly();
    }
  } catch (error) {
    const { name } = error as Error;
    if (name === "TimeoutError" || name === "AbortError") return null;
    throw error;
  }
}

/** For waits that may last for ever when the controller has been killed: so that all end some time. */
export const ORPHANED = { timeout: 20_000 } as const;

/** The ways of `get` that do not block the thread: two of them at a time are no deadlock. */
export const ASYNC_WAYS: readonly number[] = [2, 3, 4, 5, 6, 7];

/** Waits so long. */
export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
