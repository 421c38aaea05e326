/**
 * The example with a writer, a reader and two semaphores, run as its README says.
 */

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { SharedSegment } from "../mod.ts";
import { Ring } from "../examples/10_pair/pair.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { C_COMPILER, testWith } from "./support/capabilities.ts";
import { Example, interrupt } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

const example = new Example("10_pair");
const directory = temporaryDirectory();

cleanUpNames();

const messages = (count: number) =>
  Array.from({ length: count }, (_, index) => `message ${index + 1} of ${count}\n`).join("");

async function startWriter(runtime: string, name: string, count = 10): Promise<Peer> {
  const writer = example.start(runtime, "writer.ts", "--name", name, "--count", count);
  expect(await writer.line()).toBe(`writing to "${name}"`);
  return writer;
}

function readerInC(): string {
  const executable = join(directory, "reader");
  const options = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", executable];
  compile("cc", [...options, example.path("reader.c"), "-pthread", "-lrt"]);
  return executable;
}

describe("the example with a pair", () => {
  for (const { name: other } of RUNTIMES) {
    test(`passes messages from ${HOST.name} to ${other}`, async () => {
      const name = uniqueName();
      await using writer = await startWriter(HOST.name, name);
      expect(await succeed(example.start(other, "reader.ts", "--name", name))).toBe(messages(10));
      expect(await succeed(writer)).toContain("10 messages were read\n");
      expect(ownFiles()).toEqual([]);
    });
  }

  test("lets the reader come first", async () => {
    const name = uniqueName();
    await using reader = example.start(HOST.name, "reader.ts", "--name", name);
    await using _writer = await startWriter(HOST.name, name, 2);
    expect(await succeed(reader)).toBe(messages(2));
  });

  testWith([C_COMPILER], "passes messages to C", async () => {
    const name = uniqueName();
    await using writer = await startWriter(HOST.name, name);
    expect(await succeed(new Peer([readerInC(), name]))).toBe(messages(10));
    await succeed(writer);
    const stdout = await succeed(example.demo(HOST.name, uniqueName()));
    expect(stdout).toContain(messages(10));
    expect(ownFiles()).toEqual([]);
  });

  testWith([C_COMPILER], "has one ring in C and in TypeScript", () => {
    const assertions = [
      `sizeof(struct ring) == ${Ring.size}`,
      ...(["written", "taken", "messages"] as const).map((field) =>
        `offsetof(struct ring, ${field}) == ${Ring.offsetOf(field)}`
      ),
    ].map((each) => `_Static_assert(${each}, "");`).join("\n");
    const source = `#include <stddef.h>\n#include "${example.path("pair.h")}"\n${assertions}\n`;
    compile("cc", ["-x", "c", "-fsyntax-only", "-"], source);
  });

  test("says how many permits are lost with a reader", async () => {
    const name = uniqueName();
    await using writer = await startWriter(HOST.name, name);
    const dying = example.start(HOST.name, "reader.ts", "--name", name, "--die-at", 3);
    const { signal, stdout } = await dying.exit();
    expect([signal, stdout]).toEqual(["SIGKILL", messages(10).split("\n", 2).join("\n") + "\n"]);
    const next = await example.start(HOST.name, "reader.ts", "--name", name).exit();
    expect([next.code, next.stdout.trim().split("\n").at(-1)]).toEqual([1, "nobody writes"]);
    const end = await writer.exit();
    expect([end.code, end.stdout.trim().split("\n").at(-1)]).toEqual([
      1,
      "nobody reads: 1 unread, and 1 of 4 permits are lost",
    ]);
    expect(ownFiles()).toEqual([]);
  });

  test("replaces what a killed writer has left, and leaves nothing after Ctrl-C", async () => {
    const name = uniqueName();
    const killed = await startWriter(HOST.name, name);
    killed.kill();
    await killed.exit();
    expect(SharedSegment.exists(name)).toBe(true);
    await using writer = await startWriter(HOST.name, name);
    interrupt(writer);
    expect((await writer.exit()).code).toBe(130);
    expect(ownFiles()).toEqual([]);
  });

  test("shows which permits come back", async () => {
    const permits = example.start(HOST.name, "permits.ts", "--name", uniqueName());
    expect(await succeed(permits)).toBe(
      "at first: 2 of 2 counted, 2 of 2 owned\n" +
        "after SIGKILL: 1 of 2 counted, 2 of 2 owned\n" +
        "both taken: 1 of 2 counted, 0 of 2 owned\n",
    );
    expect(ownFiles()).toEqual([]);
  });
});
