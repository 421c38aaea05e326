/**
 * The example with a ledger, run as its README says: a clerk dies, and no money is lost.
 */

import { describe, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Ledger, repair, total, transfer } from "../examples/09_ledger/ledger.ts";
import { SharedObject } from "../mod.ts";
import { Example, interrupt } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { succeed } from "./support/peers.ts";
import { HOST, OTHERS } from "./support/runtimes.ts";

const example = new Example("09_ledger");

cleanUpNames();

const REPAIRED =
  /^a clerk died, in the middle of a transfer: (\d+) in all were there, 4000 are now$/m;

test("half a transfer is undone, wherever it was given up", () => {
  using object = SharedObject.create(uniqueName(), Ledger, { accounts: [1000, 1000, 1000, 1000] });
  const ledger = object.value;
  using guard = ledger.lock.lock();
  transfer(ledger, 0, 3, 100);
  expect([...ledger.accounts]).toEqual([900, 1000, 1000, 1100]);
  expect(repair(ledger, guard)).toBe(false);
  const half = () => {
    throw new Error("half");
  };
  expect(() => transfer(ledger, 1, 3, 500, half)).toThrow("half");
  expect(total(ledger)).toBe(3500);
  expect([repair(ledger, guard), repair(ledger, guard)]).toEqual([true, false]);
  expect([...ledger.accounts]).toEqual([900, 1000, 1000, 1100]);
});

describe("the example with a ledger", () => {
  for (const { name: other } of OTHERS) {
    test(`goes on in ${HOST.name} when a clerk in ${other} has died`, async () => {
      const name = uniqueName();
      await using clerk = example.start(HOST.name, "clerk.ts", "--name", name);
      expect(await clerk.line()).toMatch(/^clerk \d+ of "/);
      await using dying = example.start(other, "clerk.ts", "--name", name, "--die-at", 20);
      expect((await dying.exit()).signal).toBe("SIGKILL");
      const [, before] = REPAIRED.exec(await clerk.line()) ?? [];
      expect(Number(before)).toBeLessThan(4000);
      await sleep(50);
      interrupt(clerk);
      const { code, stdout } = await clerk.exit();
      expect([code, stdout.trim().split("\n").at(-1)]).toEqual([
        130,
        expect.stringMatching(/^\d+ transfers, 4000 in all$/),
      ]);
      expect(ownFiles()).toEqual([]);
    });
  }

  test("runs by one command", async () => {
    const stdout = await succeed(example.demo(HOST.name, uniqueName()));
    expect(stdout).toMatch(/^dying: \d+ have left account \d, and have not come to \d$/m);
    expect(stdout).toMatch(REPAIRED);
    expect(stdout).toMatch(/^\d+ transfers, 4000 in all$/m);
    expect(ownFiles()).toEqual([]);
  });
});
