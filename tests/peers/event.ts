// Usage: event.ts NAME ROLE [ARGUMENT...]
// Takes part in what happens with the events of an object of gates.

import process from "node:process";
import { SharedObject } from "../../mod.ts";
import { Gates } from "../support/gates.ts";

const [name, role, ...args] = process.argv.slice(2) as [string, string, ...string[]];
const object = SharedObject.open(name, Gates);
type Gate = typeof object.value.gates[number];
const [first, gate] = object.value.gates as unknown as [Gate, Gate];
const { open, next, done, passed } = gate;

const roles: Record<string, () => Promise<void> | void> = {
  /** Passes the manual event, by so many at once if it does not block. */
  async pass() {
    const [count, way] = args as [string, "plain" | "async"];
    console.log("waiting");
    if (way === "plain") open.wait();
    else await Promise.all(Array.from({ length: Number(count) }, () => open.waitAsync()));
    passed.add(way === "plain" ? 1 : Number(count));
  },

  /** Passes the one manual event, the other, and so on. */
  async turns() {
    const [rounds, way] = args as [string, "plain" | "async"];
    console.log("waiting");
    for (let round = 0; round < Number(rounds); round++) {
      const { open } = round % 2 === 0 ? gate : first;
      if (way === "plain") open.wait();
      else await open.waitAsync();
      passed.add(1);
    }
  },

  /** Takes what the automatic event gives, without ever sleeping, until the manual one is set. */
  grab() {
    console.log("grabbing");
    while (!open.isSet) if (next.tryWait()) passed.add(1);
  },

  /** Takes what the automatic event gives, until it is killed. */
  async take() {
    const [count, way] = args as [string, "plain" | "async"];
    const take = async () => {
      while (true) {
        if (way === "plain") next.wait();
        else await next.waitAsync();
        passed.add(1);
        done.set();
      }
    };
    console.log("waiting");
    await Promise.all(Array.from({ length: Number(count) }, take));
  },

  /** Sets the automatic event, so often; each time when somebody has taken it. */
  async give() {
    for (let round = 0; round < Number(args[0]); round++) {
      while (next.isSet) await new Promise((resolve) => setTimeout(resolve, 0));
      next.set();
      done.wait();
    }
  },

  /** Sets and resets the manual event for each line of the standard input, and tells it. */
  pulse() {
    console.log("ready");
    process.stdin.on("data", (data) => {
      for (const _ of String(data).trim().split("\n")) {
        open.set();
        open.reset();
        console.log(open.isSet);
      }
    });
    process.stdin.on("end", () => process.exit(0));
  },

  /** Sets an event, and dies. */
  setAndDie() {
    (args[0] === "manual" ? open : next).set();
    process.kill(process.pid, "SIGKILL");
  },
};

await roles[role]?.();
