/**
 * The example with an array for Python, run as its README says: from every runtime, in every Python.
 */

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Recording } from "../examples/06_array_reader/recording.ts";
import { SharedObject } from "../mod.ts";
import { NUMPY, PYTHON, testWith } from "./support/capabilities.ts";
import { Example, interrupt } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { Peer, succeed } from "./support/peers.ts";
import { PYTHONS } from "./support/pythons.ts";
import { HOST } from "./support/runtimes.ts";

const example = new Example("06_array_reader");

cleanUpNames();

/** Starts the reader, which leaves no compiled module behind. */
function read(name: string, python: string, ...options: string[]): Peer {
  return new Peer([python, "-B", ...options, example.path("reader.py"), name]);
}

/** Expects that a reader has seen all samples, the last time at least. */
function expectSeen(stdout: string, type: string): void {
  const [first, ...lines] = stdout.trim().split("\n");
  expect(first).toBe(`a ${type} of 1000 samples`);
  expect(lines.at(-1)).toBe("1000 samples, 2.00 s, loudness 0.707107"); // 1 / sqrt(2)
  const counts = lines.map((line) => Number(/^(\d+) samples, /.exec(line)?.[1]));
  expect(counts).toEqual(counts.toSorted((one, other) => one - other));
}

/** Records from one process, and reads in another that has the array before there is a sample. */
async function record(runtime: string, reader: (name: string) => Peer): Promise<string> {
  const name = uniqueName();
  await using python = reader(name);
  await using writer = example.start(runtime, "writer.ts", name);
  expect(await writer.line()).toBe(`recording 1000 samples as "${name}"`);
  const said = await succeed(python);
  expect(await writer.line()).toBe("complete; Ctrl-C removes it");
  expect(ownFiles()).toEqual([name]); // Python has not removed it
  interrupt(writer);
  expect((await writer.exit()).code).toBe(130);
  expect(ownFiles()).toEqual([]);
  return said;
}

describe("the example with an array", () => {
  test("has the module that its layout gives", () => {
    expect(readFileSync(example.path("recording.py"), "utf8")).toBe(Recording.toPython());
  });

  testWith([PYTHON], "is read by Python without NumPy", async () => {
    // -S leaves out what has been installed.
    const said = await record(HOST.name, (name) => read(name, "python3", "-S"));
    expectSeen(said, "memoryview");
  });

  testWith([NUMPY], "is read by NumPy", async () => {
    expectSeen(await record(HOST.name, (name) => read(name, NUMPY.program)), "ndarray");
  });

  for (const { program, version } of PYTHONS) {
    testWith([PYTHON], `is read by Python ${version} when it is complete`, async () => {
      const name = uniqueName();
      const samples = Array.from({ length: 1000 }, (_, n) => Math.sin(Math.PI * n / 50));
      using object = SharedObject.create(name, Recording, { rate: 500, count: 1000, samples });
      expectSeen(await succeed(read(name, program, "-S")), "memoryview");
      await sleep(300); // for its resource tracker, which must not be at work
      expect(object.stat().linked).toBe(true);
    });
  }

  testWith([PYTHON], "leaves nothing and complains of nothing after Ctrl-C", async () => {
    const name = uniqueName();
    using object = SharedObject.create(name, Recording, { rate: 500 });
    await using reader = read(name, "python3", "-S");
    await reader.line();
    interrupt(reader);
    const { signal, stderr } = await reader.exit();
    expect([signal, stderr]).toEqual(["SIGINT", ""]);
    await sleep(300);
    expect(object.stat().linked).toBe(true);
  });

  testWith([PYTHON], "runs by one command", async () => {
    const demo = example.demo(HOST.name, uniqueName());
    const said = await succeed(demo);
    expect(said).toMatch(/^1000 samples, 2\.00 s, loudness 0\.707107$/m);
    expect(ownFiles()).toEqual([]);
  });
});
