// The library: what awaited locks cost while nothing happens, in percent of a core. They are held by
// another process, so that those who await ask whether it is dead; `awaited.ts hold NAME` is that one.
// `awaited.ts timer` does nothing every 100 ms instead, as often as a lock is looked at.

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SharedObject, t } from "../../mod.ts";

const COUNT = 500;
const Locks = t.struct("Locks", {
  held: t.event,
  over: t.event,
  locks: t.array(t.struct("Lock", { lock: t.mutex }), COUNT),
});

const [mode, name = `shmkit-bench-${process.pid}`] = process.argv.slice(2);
if (mode === "hold") hold();
else if (mode === "timer") await measureTimer();
else await measure();

function hold(): void {
  using object = SharedObject.open(name, Locks);
  const guards = object.value.locks.map(({ lock }) => lock.lock());
  object.value.held.set();
  object.value.over.wait({ timeout: 60_000 });
  for (const guard of guards) guard.release();
}

async function measure(): Promise<void> {
  using object = SharedObject.create(name, Locks, {}, { lifetime: "creator" });
  const { held, over, locks } = object.value;
  const script = fileURLToPath(import.meta.url);
  const options = "Deno" in globalThis
    ? ["run", "--allow-all", script]
    : [...process.execArgv, script];
  const child = spawn(process.execPath, [...options, "hold", name], { stdio: "inherit" });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  held.wait({ timeout: 30_000 });

  const costOf = (count: number) =>
    share((timeout) =>
      Promise.allSettled(locks.slice(0, count).map(({ lock }) => lock.lockAsync({ timeout })))
    );
  const figures = {
    "one lock awaited": await costOf(1),
    [`${COUNT} locks awaited`]: await costOf(COUNT),
  };
  over.set();
  await ended;
  console.log(JSON.stringify(figures));
}

async function measureTimer(): Promise<void> {
  const cost = await share((timeoutMs) => {
    const timer = setInterval(() => {}, 100);
    return new Promise<void>((resolve) =>
      setTimeout(() => {
        clearInterval(timer);
        resolve();
      }, timeoutMs)
    );
  });
  console.log(JSON.stringify({ "one lock awaited": cost }));
}

/** What a wait costs, in percent of a core. */
async function share(wait: (timeoutMs: number) => Promise<unknown>): Promise<number> {
  await wait(1500); // until everything is started and compiled
  const before = process.cpuUsage();
  const start = performance.now();
  await wait(5000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10 / (performance.now() - start);
}
