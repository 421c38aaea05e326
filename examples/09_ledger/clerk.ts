// Makes transfers between accounts, one each millisecond or so.
//
//   clerk.ts [--name NAME] [--die-at N]
//
// It ends at Ctrl-C; or by `kill -9`, by its own hand, in the middle of its Nth transfer.

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { SharedObject } from "../../mod.ts";
import { ACCOUNTS, BALANCE, Ledger, NAME, repair, total, transfer } from "./ledger.ts";

const { values } = parseArgs({
  options: {
    name: { type: "string", default: NAME },
    "die-at": { type: "string", default: "Infinity" },
  },
});
const dieAt = Number(values["die-at"]);

let exitCode: number | undefined;
process.on("SIGINT", () => exitCode = 130);
process.on("SIGTERM", () => exitCode = 143);

const accounts = new Array(ACCOUNTS).fill(BALANCE);
using object = SharedObject.openOrCreate(values.name, Ledger, { accounts }, {
  lifetime: "lastDetach",
});
const ledger = object.value;
console.log(`clerk ${process.pid} of "${object.name}"`);

for (let number = 1; exitCode === undefined; number++) {
  const from = Math.floor(Math.random() * ACCOUNTS);
  const to = (from + 1 + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS;
  const amount = 1 + Math.floor(Math.random() * 100);
  {
    using guard = await ledger.lock.lockAsync();
    if (guard.ownerDied) {
      const before = total(ledger);
      const wasHalf = repair(ledger, guard);
      console.log(
        `a clerk died, ${wasHalf ? "in the middle of a transfer" : "between two transfers"}: ` +
          `${before} in all were there, ${total(ledger)} are now`,
      );
    }
    transfer(ledger, from, to, amount, () => {
      if (number !== dieAt) return;
      console.log(`dying: ${amount} have left account ${from}, and have not come to ${to}`);
      process.kill(process.pid, "SIGKILL");
    });
  }
  await sleep(1);
}
{
  using _ = ledger.lock.lock();
  console.log(`${ledger.transfers} transfers, ${total(ledger)} in all`);
}
process.exitCode = exitCode as number;
