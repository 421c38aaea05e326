// The library: posting and taking a permit, in nanoseconds a pair. The same as semaphore.c.

import process from "node:process";
import { NamedSemaphore } from "../../mod.ts";

const ROUNDS = 5_000_000;

using semaphore = NamedSemaphore.create(`shmkit-bench-${process.pid}`, { initialValue: 0 });
NamedSemaphore.unlink(semaphore.name);

function pairs(count: number): void {
  for (let round = 0; round < count; round++) {
    semaphore.post();
    if (!semaphore.tryWait()) throw new Error("lost a permit");
  }
}

pairs(ROUNDS / 10);
const start = performance.now();
pairs(ROUNDS);
console.log(JSON.stringify({ "post and tryWait": (performance.now() - start) / ROUNDS * 1e6 }));
