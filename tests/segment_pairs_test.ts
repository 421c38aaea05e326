/**
 * Every writer and every reader: the three runtimes and C. This runtime is one of the pair; the
 * test is run in each.
 */

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { SharedSegment, SystemVSegment } from "../mod.ts";
import { C_COMPILER, testWith } from "./support/capabilities.ts";
import { compileC, temporaryDirectory } from "./support/c.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { countMismatches, writePattern } from "./support/pattern.ts";
import { Peer, runPeer, succeed } from "./support/peers.ts";
import { OTHERS } from "./support/runtimes.ts";
import { cleanUpSegments, uniqueKey } from "./support/systemv.ts";

/** Runs the same program elsewhere. @returns What it printed. */
type Elsewhere = (args: string[]) => Promise<string>;

type Opened = SharedSegment | SystemVSegment;

/** What is shared, by the name that the other program knows it by. */
interface Kind {
  readonly title: string;
  readonly sizes: readonly number[];
  name(): string;
  create(name: string, size: number): Opened;
  open(name: string): Opened;
}

const KINDS: readonly Kind[] = [
  {
    title: "SharedSegment",
    sizes: [64, 4095, 4096, 4097, 2 ** 30],
    name: uniqueName,
    create: (name, size) => SharedSegment.create(name, { size }),
    open: (name) => SharedSegment.open(name),
  },
  {
    title: "SystemVSegment",
    sizes: [1, 4096, 65537],
    name: () => `0x${uniqueKey().toString(16)}`,
    create: (key, size) => SystemVSegment.create({ key: Number(key), size }),
    open: (key) => SystemVSegment.open({ key: Number(key) }),
  },
  {
    title: "SharedSegment.openFile()",
    sizes: [1, 4096, 65537],
    name: () => join(directory, uniqueName()),
    create: (path, size) => SharedSegment.openFile(path, { create: true, size }),
    open: (path) => SharedSegment.openFile(path),
  },
];

const directory = temporaryDirectory();

cleanUpNames();
cleanUpSegments();

async function expectReadElsewhere(kind: Kind, elsewhere: Elsewhere): Promise<void> {
  const seed = 17;
  const segments = kind.sizes.map((size) => ({ name: kind.name(), size }));
  for (const { name, size } of segments) {
    using segment = kind.create(name, size);
    expect(segment.bytes.subarray(-4096).every((byte) => byte === 0)).toBe(true);
    writePattern(segment.bytes, seed);
  }
  const output = await elsewhere(["verify", `${seed}`, ...describeAll(segments)]);
  expect(output).toBe(segments.map(({ name, size }) => `${name} ${size} 0\n`).join(""));
}

async function expectWrittenElsewhere(kind: Kind, elsewhere: Elsewhere): Promise<void> {
  const seed = 91;
  const segments = kind.sizes.map((size) => ({ name: kind.name(), size }));
  await elsewhere(["create", `${seed}`, ...describeAll(segments)]);
  for (const { name, size } of segments) {
    using segment = kind.open(name);
    expect(segment.size).toBe(size);
    expect(segment.bytes.length).toBe(size);
    expect(countMismatches(segment.bytes, seed)).toBe(0);
    // The comparison can fail: with another seed, every byte differs.
    expect(countMismatches(segment.bytes, seed + 1)).toBeGreaterThan(1);
  }
}

/** Anonymous memory has no name: the other gets the path of the descriptor. */
async function expectAnonymousShared(elsewhere: Elsewhere): Promise<void> {
  using segment = SharedSegment.anonymous({ size: 5000 });
  await elsewhere(["fill", "23", `${segment.path}:5000`]);
  expect(countMismatches(segment.bytes, 23)).toBe(0);
  writePattern(segment.bytes, 24);
  using frozen = segment.freeze();
  expect(await elsewhere(["verify", "24", `${frozen.path}:5000`])).toBe(`${frozen.path} 5000 0\n`);
}

function describeAll(segments: readonly { name: string; size: number }[]): string[] {
  return segments.map(({ name, size }) => `${name}:${size}`);
}

for (const kind of KINDS) {
  for (const runtime of OTHERS) {
    const elsewhere: Elsewhere = (args) => runPeer(runtime, "segment.ts", args);
    describe(`${kind.title} between this runtime and ${runtime.name}`, () => {
      test("writes what the other reads", () => expectReadElsewhere(kind, elsewhere));
      test("reads what the other writes", () => expectWrittenElsewhere(kind, elsewhere));
    });
  }

  describe(`${kind.title} between this runtime and C`, () => {
    testWith([C_COMPILER], "writes what C reads", () => expectReadElsewhere(kind, inC));
    testWith([C_COMPILER], "reads what C writes", () => expectWrittenElsewhere(kind, inC));
  });
}

describe("SharedSegment.anonymous() is shared by the path of its descriptor", () => {
  for (const runtime of OTHERS) {
    const elsewhere: Elsewhere = (args) => runPeer(runtime, "segment.ts", args);
    test(`with ${runtime.name}`, () => expectAnonymousShared(elsewhere));
  }
  testWith([C_COMPILER], "with C", () => expectAnonymousShared(inC));
});

function inC(args: string[]): Promise<string> {
  return succeed(new Peer([compileC("segment.c"), ...args]));
}
