/**
 * The example with a worker pool, run as its README says: workers are killed, and the result is right.
 */

import { describe, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NAME, Pool, rowsOf, step, WORKERS } from "../examples/11_worker_pool/pool.ts";
import { SharedObject } from "../mod.ts";
import { Example, interrupt, PINNED } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { Peer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

const example = new Example("11_worker_pool");

cleanUpNames();

/** Starts it with its workers, which come from the path. */
function start(...args: readonly (string | number)[]): Peer {
  return new Peer([...example.command(HOST.name, "main.ts"), ...args.map(String)], { env: PINNED });
}

test("a step is a step of the Game of Life, and every row is somebody's", () => {
  const [width, height] = [64, 48];
  const [from, to] = [new Uint8Array(width * height), new Uint8Array(width * height)];
  const blinker = [[0, 5], [63, 5], [62, 5]] as const; // across the edge
  for (const [x, y] of blinker) from[y * width + x] = 1;
  for (let worker = 0; worker < WORKERS; worker++) {
    const { first, end } = rowsOf(worker);
    step(from, to, first, end);
  }
  const living = [...to.keys()].filter((cell) => to[cell] === 1);
  expect(living).toEqual([4, 5, 6].map((y) => y * width + 63));
  expect(NAME).toBe("shmkit-pool");
});

describe("the example with a worker pool", () => {
  for (const at of [0, 7, 29]) {
    test(`computes the same when a worker is killed in step ${at}`, async () => {
      const main = start("--steps", 30, "--kill-at", at, "--name", uniqueName());
      const { code, stdout, stderr } = await main.exit();
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/^worker 1 in deno +ended with SIGKILL$/m);
      const told = [...stdout.matchAll(/^worker (\d) .* told in step (\d+): (\w+)$/gm)]
        .map(([, worker, step, error]) => `${worker} ${step} ${error}`).sort();
      expect(told).toEqual([0, 2].map((each) => `${each} ${at} ERR_SHM_BROKEN_BARRIER`));
      expect(stdout).toContain(`repaired, in step ${at}\n`);
      expect(stdout).toMatch(/^30 steps, \d+ cells live, 0 differences$/m);
      expect(ownFiles()).toEqual([]);
    });
  }

  test("computes the same when two are killed from outside, at any time", async () => {
    const name = uniqueName();
    await using main = start("--steps", 3000, "--kill-at", 100, "--name", name);
    using object = await SharedObject.openAsync(name, Pool, { timeout: 10_000 });
    while (object.value.steps.load() < 500) await sleep(1);
    const { stdout: list } = await new Peer(["pgrep", "-P", String(main.pid)]).exit();
    const pids = list.trim().split("\n").map(Number);
    expect(pids.length).toBe(WORKERS);
    for (const pid of pids.slice(1)) process.kill(pid, "SIGKILL");
    const { code, stdout } = await main.exit();
    expect(stdout).toMatch(/^3000 steps, \d+ cells live, 0 differences$/m);
    expect([code, stdout.match(/ended with SIGKILL/g)?.length]).toEqual([0, 3]);
  });

  test("leaves nothing after Ctrl-C", async () => {
    const main = start("--steps", 1_000_000, "--name", uniqueName());
    while (!(await main.line()).startsWith("repaired"));
    interrupt(main);
    expect((await main.exit()).code).toBe(130);
    expect(ownFiles()).toEqual([]);
  });
});
