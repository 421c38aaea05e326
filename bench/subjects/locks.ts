// The library: locking and releasing what nobody else wants, in nanoseconds a pair, the median
// of short passes. The same as locks.c, which `locks.ts c EXECUTABLE` runs with an object made here.

import { execFileSync } from "node:child_process";
import process from "node:process";
import { SharedObject, t } from "../../mod.ts";

const ROUNDS = 5_000;
const PASSES = 501;
const WARM_UP = 200;

const Locks = t.struct("Locks", {
  lock: t.mutex,
  event: t.event,
  automatic: t.autoResetEvent,
  rwlock: t.rwlock,
  semaphore: t.semaphore(4),
});

using object = SharedObject.create(`shmkit-bench-${process.pid}`, Locks, {}, {
  lifetime: "creator",
});
const { lock, event, automatic, rwlock, semaphore } = object.value;

const nothing = (): void => {};
const empty = { [Symbol.dispose]: nothing };
/** What the passes have counted, so that nothing is left out. */
let counted = 0;

const loops: Record<string, (rounds: number) => void> = {
  "mutex: lock, release": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      const guard = lock.lock();
      counted++;
      guard.release();
    }
  },
  "mutex: using": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      using _guard = lock.lock();
      counted++;
    }
  },
  "mutex: withLock": (rounds) => {
    const count = (): void => {
      counted++;
    };
    for (let round = 0; round < rounds; round++) lock.withLock(count);
  },
  "mutex: tryLock, release": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      const guard = lock.tryLock();
      counted++;
      guard?.release();
    }
  },
  "rwlock: shared": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      const guard = rwlock.lockShared();
      counted++;
      guard.release();
    }
  },
  "rwlock: exclusive": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      const guard = rwlock.lockExclusive();
      counted++;
      guard.release();
    }
  },
  "semaphore: acquire, release": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      const permit = semaphore.acquire();
      counted++;
      permit.release();
    }
  },
  "event: set, reset": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      event.set();
      counted++;
      event.reset();
    }
  },
  "automatic: set, tryWait": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      automatic.set();
      if (automatic.tryWait()) counted++;
    }
  },
  "an empty using": (rounds) => {
    for (let round = 0; round < rounds; round++) {
      using _empty = empty;
      counted++;
    }
  },
};

if (process.argv[2] === "c") {
  const [executable] = process.argv.slice(3) as [string];
  console.log(execFileSync(executable, [object.name as string], { encoding: "utf8" }).trimEnd());
} else {
  const figures: Record<string, number> = {};
  for (const [name, loop] of Object.entries(loops)) {
    for (let pass = 0; pass < WARM_UP; pass++) loop(ROUNDS);
    counted = 0;
    const passes = Array.from({ length: PASSES }, () => {
      const start = performance.now();
      loop(ROUNDS);
      return (performance.now() - start) / ROUNDS * 1e6;
    });
    if (counted !== ROUNDS * PASSES) throw new Error(`${name}: counted ${counted}`);
    figures[name] = passes.sort((a, b) => a - b)[PASSES >> 1] as number;
  }
  console.log(JSON.stringify(figures));
}
