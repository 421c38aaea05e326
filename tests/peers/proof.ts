// Usage: proof.ts VERB WHERE [ARGUMENT]
// WHERE is the name of a Guarded object, a path, or the number of a descriptor.
//   hog WHERE         locks in a tight loop, for 2 ms each time
//   hold WHERE        locks, says "held", and stays
//   keep WHERE        the same, for a minute, whoever ends
//   count WHERE N     locks N times, and counts each time
//   child WHERE       locks the first of the others, starts itself with the descriptor of the object, to
//                     hold the inner lock, and passes on what that says: its number first
//   natural WHERE     awaits the lock, releases it, and ends by itself
//   pending WHERE     awaits the lock, and says "got it" when it has it

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SharedObject } from "../../mod.ts";
import { Guarded, UNGUARDED } from "../support/guarded.ts";

const [verb, where, argument] = process.argv.slice(2) as [string, string, string?];

function attach(): SharedObject<typeof Guarded> {
  if (where === "new") return SharedObject.anonymous(Guarded, UNGUARDED);
  if (/^\d+$/.test(where)) return SharedObject.fromDescriptor(Number(where), Guarded);
  if (where.startsWith("/")) return SharedObject.openFile(where, Guarded);
  return SharedObject.open(where, Guarded);
}

const object = attach();
const { value } = object;
const { lock } = value.inner;

/** Stays until the standard input ends. */
function stay(): void {
  process.stdin.resume().on("end", () => process.exit(object.closed ? 1 : 0));
}

switch (verb) {
  case "hog":
    console.log("hogging");
    while (value.holder.load() === 0) {
      using _guard = lock.lock();
      const untilMs = performance.now() + 2;
      while (performance.now() < untilMs);
    }
    break;
  case "hold":
  case "keep": {
    const guard = lock.lock();
    console.log(guard.held ? "held" : "lost");
    if (verb === "keep") setTimeout(() => process.exit(object.closed ? 1 : 0), 60_000);
    else stay();
    break;
  }
  case "count":
    for (let round = 0; round < Number(argument); round++) {
      using _guard = lock.lock();
      value.count++;
    }
    break;
  case "child": {
    const guard = value.others[0]?.lock.lock();
    const own = process.execArgv.length > 0 || !("Deno" in globalThis)
      ? process.execArgv
      : ["run", "--allow-ffi"];
    const child = spawn(
      process.execPath,
      [...own, fileURLToPath(import.meta.url), "keep", "3"],
      { stdio: ["ignore", "pipe", "inherit", object.fd] },
    );
    console.log(JSON.stringify({ child: child.pid, path: object.path, held: guard?.held }));
    child.stdout?.on("data", (data) => process.stdout.write(data));
    stay();
    break;
  }
  case "natural":
    (await lock.lockAsync()).release();
    console.log("done");
    break;
  case "pending":
    void lock.lockAsync().then((guard) => {
      console.log("got it");
      guard.release();
    });
    console.log("waiting");
    break;
}
