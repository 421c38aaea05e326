/**
 * The models of the protocols hold, and find the bugs that are planted in them: the quick part of
 * `npm run models`. One runtime is enough, since nothing of the library runs.
 */

import { describe, expect } from "bun:test";
import { fileURLToPath } from "node:url";
import { C_COMPILER, SPIN, testWith } from "./support/capabilities.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

const verify = fileURLToPath(new URL("../models/verify", import.meta.url));

if (HOST.name === "node") {
  describe("the models", () => {
    testWith([SPIN, C_COMPILER], "hold, and find planted bugs", async () => {
      const peer = new Peer([verify, "--quick"], { timeoutMs: 280_000 });
      expect(await succeed(peer)).toMatch(
        /, 0 otherwise than they should be\n$/,
      );
    }, 300_000);
  });
}
