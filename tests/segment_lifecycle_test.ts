/**
 * Nothing is lost or left over many rounds and many deaths.
 */

import { describe, expect, test } from "bun:test";
import { SharedSegment, ShmError } from "../mod.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { runPeer, startPeer } from "./support/peers.ts";
import { HOST, HOST_WITH_FILES } from "./support/runtimes.ts";

cleanUpNames();

describe("a segment", () => {
  test("leaves nothing behind after 100,000 rounds of create, attach and close", async () => {
    const output = await runPeer(HOST_WITH_FILES, "rounds.ts", [uniqueName(), 100_000], {
      timeoutMs: 110_000,
    });
    const { descriptors, mappings, files } = JSON.parse(output);
    expect(descriptors).toBe(0);
    expect(files).toBe(0);
    // Of 300,000: the ranges that are kept for a while, and pages of the runtime's own heap.
    expect(mappings).toBeLessThanOrEqual(1024);
  });

  test("that is lost without close() is warned of, and its views live on", async () => {
    await using peer = startPeer(HOST, "lose.ts", [uniqueName()]);
    const { code, stdout, stderr } = await peer.exit();
    expect([code, stdout]).toEqual([0, "7\n"]);
    expect(stderr).toMatch(/segment "shmkit-test-.*" was garbage-collected without close\(\)/);
  });

  test("does not complain of handles that were closed", async () => {
    await using peer = startPeer(HOST, "close_all.ts");
    const { code, stdout, stderr } = await peer.exit();
    expect([code, stdout]).toEqual([0, "closed\n"]);
    expect(stderr).not.toContain("garbage-collected");
  });

  test("is opened by each of several threads on its own", async () => {
    const name = uniqueName();
    expect(await runPeer(HOST_WITH_FILES, "threads.ts", [name, 4])).toBe("400000 8\n");
  });

  test("is never seen half-made when its creator is killed, 500 times", async () => {
    const kills = 500;
    const size = 2 ** 20 + 1;
    const name = uniqueName();
    let opened = 0;

    /** Looks at what there is under the name: nothing, or a whole segment. */
    const look = (): void => {
      try {
        using segment = SharedSegment.open(name);
        opened++;
        const { mode, residentBytes } = segment.stat();
        expect([segment.size, mode, residentBytes]).toEqual([size, 0o640, 2 ** 20 + 4096]);
        expect(segment.bytes[size - 1]).toBe(0);
      } catch (error) {
        if (!(error instanceof ShmError && error.code === "ENOENT")) throw error;
      }
    };

    const killOne = async (): Promise<void> => {
      await using peer = startPeer(HOST, "create_forever.ts", [name, size]);
      await peer.line();
      const deadline = performance.now() + Math.random() * 4;
      do look(); while (performance.now() < deadline);
      peer.kill();
      const { signal } = await peer.exit();
      expect(signal).toBe("SIGKILL");
      look();
      SharedSegment.unlink(name);
      expect(ownFiles()).toEqual([]);
    };

    for (let kill = 0; kill < kills; kill++) await killOne();
    expect(opened).toBeGreaterThan(0); // the window was really looked into
  }, 300_000);
});
