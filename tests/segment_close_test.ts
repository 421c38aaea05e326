/**
 * Nothing that a program does with the bytes ends it or reaches another segment. Each case runs in
 * a process of its own: the fault it looks for is a fatal signal.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { runPeer } from "./support/peers.ts";
import { HOST_WITH_FILES } from "./support/runtimes.ts";

cleanUpNames();

describe("after close()", () => {
  const cases = {
    views: "every access through views and methods is an error or undefined",
    transferred: "a buffer that was transferred away before is harmless",
    cloned: "a buffer that was moved by structuredClone before is harmless",
    byob: "a buffer that a BYOB reader had taken is harmless",
    zlib: "an asynchronous native that reads goes on harmlessly",
    randomFill: "an asynchronous native that writes goes on harmlessly",
    scrypt: "an asynchronous native that holds the memory alone goes on harmlessly",
    fsRead: "a pending fs.read writes into no later segment",
  };
  for (const [each, title] of Object.entries(cases)) {
    test(title, async () => {
      const fifo = uniqueName();
      spawnSync("mkfifo", [`/dev/shm/${fifo}`]);
      const args = [each, uniqueName(), `/dev/shm/${fifo}`];
      expect(await runPeer(HOST_WITH_FILES, "use_after_close.ts", args)).toBe("survived\n");
      expect(ownFiles()).toEqual([fifo]);
    });
  }
});
