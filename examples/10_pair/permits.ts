// Shows what becomes of the permits of a process that is killed, with the two kinds of semaphores:
//
//   permits.ts [--name NAME]

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { NamedSemaphore, SharedObject, t } from "../../mod.ts";

const { values } = parseArgs({
  options: { name: { type: "string", default: "shmkit-permits" }, victim: { type: "boolean" } },
});
const Pool = t.struct("Pool", { permits: t.semaphore(2) });

if (values.victim) {
  const counted = NamedSemaphore.open(values.name);
  const pool = SharedObject.open(values.name, Pool); // kept, as what it has taken is
  const taken = [counted.tryWait(), pool.value.permits.tryAcquire() !== null];
  if (taken.includes(false)) throw new Error("there was no permit");
  process.kill(process.pid, "SIGKILL");
}

NamedSemaphore.unlink(values.name); // what a killed one has left
using counted = NamedSemaphore.create(values.name, { initialValue: 2 });
process.on("exit", () => NamedSemaphore.unlink(values.name));
SharedObject.unlink(values.name);
using pool = SharedObject.create(values.name, Pool, {}, { lifetime: "creator" });
const { permits } = pool.value;
const show = (when: string) =>
  console.log(`${when}: ${counted.value} of 2 counted, ${permits.available} of 2 owned`);

show("at first");
const options = process.execArgv.length > 0 || !("Deno" in globalThis)
  ? process.execArgv
  : ["run", "--allow-ffi"];
const script = fileURLToPath(import.meta.url);
const victim = spawn(
  process.execPath,
  [...options, script, "--victim", "--name", values.name],
  { stdio: "inherit" },
);
const [, signal] = await once(victim, "exit");
show(`after ${signal}`);
{
  using _one = permits.acquire({ timeout: 1000 });
  using _two = permits.acquire({ timeout: 1000 }); // takes that of the dead
  show("both taken");
}
