/**
 * Looking again for a moment before one waits.
 */

import { describe, expect, test } from "bun:test";
import type { Attempt } from "../sync/protocols/place.ts";
import { Lull } from "../sync/waiting/lull.ts";
import { Spinner } from "../sync/waiting/spinner.ts";

/** An attempt of which only the glances are looked at. */
class Glances implements Attempt {
  readonly sleepIndex = 0;
  readonly sleepValue = 0;
  readonly sleepMs = 1;
  count = 0;
  /** From which one on it may work. */
  readonly #from: number;

  constructor(from: number) {
    this.#from = from;
  }

  glance(): boolean {
    return ++this.count >= this.#from;
  }

  advance(): boolean {
    throw new Error("it must not try");
  }

  giveUp(): void {}
}

/** How often a spinner looks in vain. */
function looksOf(spinner: Spinner): number {
  const attempt = new Glances(Infinity);
  spinner.spin(attempt);
  return attempt.count;
}

/** Whether a spinner sees, at that look, that it is time: 1 or 0. */
function sees(spinner: Spinner, look: number): number {
  const attempt = new Glances(look);
  spinner.spin(attempt);
  return attempt.count === look ? 1 : 0;
}

/** The best of several, since others may have the processor for a while. */
const best = (run: () => number): number => Math.max(...Array.from({ length: 5 }, run));

describe("a thread that looks before it waits", () => {
  test("stops when it sees something", () => {
    expect(best(() => sees(new Spinner(), 7))).toBe(1);
  });

  test("stops soon when it sees nothing, and sooner each time", () => {
    const best = { first: Infinity, last: Infinity };
    for (let round = 0; round < 200; round++) { // until compiled
      const spinner = new Spinner();
      best.first = looksOf(spinner);
      for (let failure = 0; failure < 10; failure++) best.last = looksOf(spinner);
    }
    expect(best.last).toBeLessThan(best.first);
    expect(best.last).toBeLessThan(1000);
  });

  test("goes on with it under contention, where it is in vain at times", () => {
    expect(best(() => {
      const spinner = new Spinner();
      let successes = 0;
      for (let round = 0; round < 1000; round++) {
        if (round % 20 === 0) looksOf(spinner);
        successes += sees(spinner, 8);
      }
      return successes;
    })).toBeGreaterThan(900);
  });

  test("stops when the clock stands still, too", () => {
    const { now } = performance;
    performance.now = () => 0;
    try {
      expect(looksOf(new Spinner())).toBeLessThan(10_000);
    } finally {
      performance.now = now;
    }
  });

  test("finds out when to look for longer has become of use", () => {
    expect(best(() => {
      const spinner = new Spinner();
      for (let failure = 0; failure < 10; failure++) looksOf(spinner);
      let successes = 0;
      for (let round = 0; round < 1000; round++) successes += sees(spinner, 100);
      return successes;
    })).toBeGreaterThan(500);
  });
});

describe("a lull", () => {
  /** What a lull does, given for how many microtasks something is busy again. */
  async function rests(busy: () => boolean): Promise<number> {
    let rests = 0;
    const lull = new Lull(busy, () => rests++);
    lull.expect();
    lull.expect();
    await new Promise((resolve) => setTimeout(resolve, 0));
    return rests;
  }

  test("is once when nothing follows", async () => {
    expect(await rests(() => false)).toBe(1);
  });

  test("is none when something follows at once", async () => {
    let isBusy = false;
    const following = (async () => {
      for (let turn = 0; turn < 5; turn++) await undefined;
      isBusy = true;
    })();
    expect(await rests(() => isBusy)).toBe(0);
    await following;
  });

  test("is over before the event loop does anything else", async () => {
    const order: string[] = [];
    const lull = new Lull(() => false, () => order.push("rest"));
    const next = new Promise<void>((resolve) =>
      setTimeout(() => {
        order.push("timer");
        resolve();
      }, 0)
    );
    lull.expect();
    await next;
    expect(order).toEqual(["rest", "timer"]);
  });
});
