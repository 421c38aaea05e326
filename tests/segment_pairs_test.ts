/**
 * Every writer and every reader: the three runtimes and C. This runtime is one of the pair; the
 * test is run in each.
 */

import { describe, expect, test } from "bun:test";
import { SharedSegment } from "../mod.ts";
import { C_COMPILER, testWith } from "./support/capabilities.ts";
import { compileC } from "./support/c.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { countMismatches, writePattern } from "./support/pattern.ts";
import { Peer, runPeer, succeed } from "./support/peers.ts";
import { OTHERS } from "./support/runtimes.ts";

const SIZES = [64, 4095, 4096, 4097, 2 ** 30];

cleanUpNames();

/** Runs the same program elsewhere. @returns What it printed. */
type Elsewhere = (args: string[]) => Promise<string>;

async function expectReadElsewhere(elsewhere: Elsewhere): Promise<void> {
  const seed = 17;
  const segments = SIZES.map((size) => ({ name: uniqueName(), size }));
  for (const { name, size } of segments) {
    using segment = SharedSegment.create(name, { size });
    expect(segment.bytes.subarray(-4096).every((byte) => byte === 0)).toBe(true);
    writePattern(segment.bytes, seed);
  }
  const output = await elsewhere(["verify", `${seed}`, ...describeAll(segments)]);
  expect(output).toBe(segments.map(({ name, size }) => `${name} ${size} 0\n`).join(""));
}

async function expectWrittenElsewhere(elsewhere: Elsewhere): Promise<void> {
  const seed = 91;
  const segments = SIZES.map((size) => ({ name: uniqueName(), size }));
  await elsewhere(["create", `${seed}`, ...describeAll(segments)]);
  for (const { name, size } of segments) {
    using segment = SharedSegment.open(name);
    expect(segment.size).toBe(size);
    expect(segment.bytes.length).toBe(size);
    expect(countMismatches(segment.bytes, seed)).toBe(0);
    // The comparison can fail: with another seed, every byte differs.
    expect(countMismatches(segment.bytes.subarray(0, 64), seed + 1)).toBe(65);
  }
}

function describeAll(segments: readonly { name: string; size: number }[]): string[] {
  return segments.map(({ name, size }) => `${name}:${size}`);
}

for (const runtime of OTHERS) {
  const elsewhere: Elsewhere = (args) => runPeer(runtime, "segment.ts", args);
  describe(`SharedSegment between this runtime and ${runtime.name}`, () => {
    test("writes what the other reads", () => expectReadElsewhere(elsewhere));
    test("reads what the other writes", () => expectWrittenElsewhere(elsewhere));
  });
}

describe("SharedSegment between this runtime and C", () => {
  const elsewhere: Elsewhere = (args) => succeed(new Peer([compileC("segment.c"), ...args]));
  testWith([C_COMPILER], "writes what C reads", () => expectReadElsewhere(elsewhere));
  testWith([C_COMPILER], "reads what C writes", () => expectWrittenElsewhere(elsewhere));
});
