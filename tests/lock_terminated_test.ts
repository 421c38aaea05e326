/**
 * Worker threads that are terminated, by the hundred: each has locked, every other one holds.
 *
 * With `SHMKIT_TERMINATED=1000` in the environment there are so many; otherwise three times as many as
 * the table has places.
 */

import { expect, test } from "bun:test";
import process from "node:process";
import { SharedObject } from "../mod.ts";
import { Guarded, UNGUARDED } from "./support/guarded.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { startPeer, succeed } from "./support/peers.ts";
import { HOST_WITH_FILES } from "./support/runtimes.ts";

cleanUpNames();

const COUNT = Number(process.env["SHMKIT_TERMINATED"] ?? 24);

test("terminated workers exhaust neither the table nor the descriptors", async () => {
  const name = uniqueName();
  const participants = Math.min(64, COUNT / 3);
  using _object = SharedObject.create(name, Guarded, UNGUARDED, { participants });
  const wrapper = ["sh", "-c", 'ulimit -n 1024; exec "$@"', "sh"];
  const options = { wrapper, timeoutMs: Math.max(100_000, COUNT * 3000) };
  const peer = startPeer(HOST_WITH_FILES, "terminate.ts", [name, COUNT], options);
  const { died, early, late, ms } = JSON.parse(await succeed(peer));
  if (process.env["SHMKIT_REPORT"] !== undefined) console.log({ COUNT, died, early, late, ms });
  expect(died).toBe(COUNT / 2);
  // Descriptors of those that are just ending come and go.
  expect(late - early).toBeLessThan(12);
}, Math.max(110_000, COUNT * 3000));
