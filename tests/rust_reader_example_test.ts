/**
 * The example with an engine, run as its README says: Rust reads it from every runtime.
 */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Engine } from "../examples/07_rust_reader/engine.ts";
import { SharedObject, SharedSegment } from "../mod.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { RUST_COMPILER, testWith } from "./support/capabilities.ts";
import { Example, interrupt } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

const example = new Example("07_rust_reader");
const executable = join(temporaryDirectory(), "reader");

cleanUpNames();

/** Starts the reader. */
function read(name: string, throttle: number): Peer {
  if (!existsSync(executable)) {
    const options = ["--edition", "2021", "-O", "-D", "warnings", "-o", executable];
    compile("rustc", [...options, example.path("reader.rs")]);
  }
  return new Peer([executable, String(throttle), name]);
}

/** What a reader has read, line by line. */
function readings(stdout: string): { tick: number; rpm: number; celsius: number; state: string }[] {
  return [...stdout.matchAll(/^tick (\d+): (\d+) rpm, ([\d.]+) °C, (cold|warm|hot)$/gm)].map(
    ([, tick, rpm, celsius, state]) => ({
      tick: Number(tick),
      rpm: Number(rpm),
      celsius: Number(celsius),
      state: state as string,
    }),
  );
}

describe("the example with an engine", () => {
  test("has the module that its layout gives", () => {
    expect(readFileSync(example.path("engine.rs"), "utf8")).toBe(Engine.toRust());
  });

  testWith([RUST_COMPILER], "is read by Rust while it runs", async () => {
    const name = uniqueName();
    await using reader = read(name, 100);
    await using writer = example.start(HOST.name, "writer.ts", name);
    expect(await writer.line()).toBe(`Boxer 4 runs as "${name}"`);
    const said = await succeed(reader);
    expect(await writer.line()).toBe("throttle 100 %");
    expect(said).toMatch(/^Boxer 4, throttle 100 %\n/);
    const seen = readings(said);
    expect(seen.length).toBe(5);
    for (const [index, { tick, rpm, celsius, state }] of seen.entries()) {
      const before = seen[index - 1] ?? { tick: 0, rpm: 800, celsius: 20 };
      expect(tick).toBeGreaterThan(before.tick);
      expect(rpm).toBeGreaterThan(before.rpm);
      expect(celsius).toBeGreaterThan(before.celsius);
      if (Math.abs(celsius - 40) > 1) expect(state).toBe(celsius < 40 ? "cold" : "warm");
    }
    interrupt(writer);
    expect((await writer.exit()).code).toBe(130);
    expect(ownFiles()).toEqual([]);
  });

  testWith([RUST_COMPILER], "is read field by field, and left as it is", async () => {
    const name = uniqueName();
    const initial = { model: "Motor ß", rpm: 1234, celsius: 98.75, state: "hot" } as const;
    using object = SharedObject.create(name, Engine, { ...initial, ticks: 2n ** 40n });
    const { size } = object.stat();
    let ended = false;
    const end = succeed(read(name, 55)).finally(() => ended = true);
    while (!ended) {
      object.value.ticks.add(2n ** 40n); // more than 32 bits
      await sleep(1);
    }
    const said = await end;
    expect(said).toMatch(/^Motor ß, throttle 55 %\n/);
    const seen = readings(said);
    expect(seen.length).toBe(5);
    for (const reading of seen) {
      expect(reading).toMatchObject({ rpm: 1234, celsius: 98.8, state: "hot" });
      expect(reading.tick % 2 ** 40).toBe(0);
    }
    expect(object.snapshot()).toMatchObject({ ...initial, throttle: 55 });
    // Nothing was cut off, and nothing written over.
    expect(object.stat().size).toBe(size);
    expect(SharedObject.layoutOf(name).fingerprint).toBe(Engine.fingerprint);
  });

  testWith([RUST_COMPILER], "is refused when it does not run, and when it is none", async () => {
    const name = uniqueName();
    using object = SharedObject.create(name, Engine, { model: "scrap" });
    const still = await read(name, 1).exit();
    expect([still.code, object.value.throttle.load()]).toEqual([1, 1]);
    expect(still.stderr).toContain("the engine does not run");

    const short = uniqueName();
    using segment = SharedSegment.create(short, { size: Engine.size - 1 });
    expect((await read(short, 1).exit()).stderr).toContain("it is too short");
    expect(segment.size).toBe(Engine.size - 1);
  });

  testWith([RUST_COMPILER], "runs by one command", async () => {
    expect(readings(await succeed(example.demo(HOST.name, uniqueName()))).length).toBe(5);
    expect(ownFiles()).toEqual([]);
  });
});
