/** More memory than there is left, on the machine or in a container, is an error and no kill. */

import { describe, expect, test } from "bun:test";
import { MEMORY_GROUP, testWith } from "./support/capabilities.ts";
import { inMemoryGroup } from "./support/memory_group.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { runPeer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";
import { cleanUpSegments, ownSegments } from "./support/systemv.ts";

cleanUpNames();
cleanUpSegments();

const MIB = 2 ** 20;
const WAYS = ["create", "open", "anonymous", "resize", "systemv"];

async function take(size: number, wrapper: readonly string[] = []): Promise<string[]> {
  const output = await runPeer(HOST, "take_memory.ts", [uniqueName(), size], { wrapper });
  expect([ownFiles(), ownSegments()]).toEqual([[], []]);
  return output.trimEnd().split("\n");
}

describe("taking memory", () => {
  test("beyond the machine is refused", async () => {
    for (const [index, line] of (await take(2 ** 42)).entries()) {
      // /dev/shm has a limit of its own, System V segments the address space.
      expect(line).toMatch(new RegExp(`^${WAYS[index]} (ENOMEM|ENOSPC) Cannot .*43980465\\d+ `));
    }
  });

  testWith(
    [MEMORY_GROUP],
    "beyond the limit of a container is refused, within it done",
    async () => {
      await inMemoryGroup(400 * MIB, async (wrapper) => {
        for (const [index, line] of (await take(500 * MIB, wrapper)).entries()) {
          expect(line).toMatch(
            new RegExp(
              `^${
                WAYS[index]
              } ENOMEM .*It needs 524\\d{6} bytes and [1-4]\\d{8} are free on this ` +
                "machine or in this container",
            ),
          );
        }
        expect(await take(32 * MIB, wrapper)).toEqual(WAYS.map((way) => `${way} done`));
      });
    },
  );
});
