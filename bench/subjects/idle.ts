// The library: what a wait costs while nothing happens, in percent of a core.

import process from "node:process";
import { NamedSemaphore } from "../../mod.ts";

const semaphores = Array.from({ length: 10 }, (_, index) => {
  const name = `shmkit-bench-${process.pid}-${index}`;
  const semaphore = NamedSemaphore.create(name, { initialValue: 0 });
  NamedSemaphore.unlink(name);
  return semaphore;
});

async function costOf(count: number): Promise<number> {
  const wait = (timeout: number) =>
    Promise.all(semaphores.slice(0, count).map((each) => each.waitAsync({ timeout })));
  await wait(1500); // until everything is started and compiled
  const before = process.cpuUsage();
  const start = performance.now();
  await wait(5000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10 / (performance.now() - start);
}

const one = await costOf(1);
const ten = await costOf(10);
console.log(JSON.stringify({ "one semaphore awaited": one, "ten semaphores awaited": ten }));
