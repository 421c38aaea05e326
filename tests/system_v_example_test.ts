/**
 * The System V example, run as its README says: every writer works with every reader.
 */

import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ftok, SystemVSegment } from "../mod.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { C_COMPILER, type Capability, testWith } from "./support/capabilities.ts";
import { Example, interrupt } from "./support/examples.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

const example = new Example("02_system_v");
const directory = temporaryDirectory();
const key = ftok(example.path("message.h"), "M".charCodeAt(0));
const written = new RegExp(
  `^written to segment \\d+, key 0x${key.toString(16).padStart(8, "0")}$`,
);
const text = "Grüße, 你好, 🙂";

afterEach(() => {
  SystemVSegment.remove({ key }); // of a test that has failed
});

function compiled(program: string): string {
  const executable = join(directory, program);
  const source = example.path(`${program}.c`);
  compile("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", executable, source]);
  return executable;
}

/** Starts the writer or the reader in a runtime or in C. */
function start(program: "writer" | "reader", language: string, ...args: string[]): Peer {
  return language === "c"
    ? new Peer([compiled(program), ...args])
    : example.start(language, `${program}.ts`, ...args);
}

const needs = (...languages: string[]): Capability[] => languages.includes("c") ? [C_COMPILER] : [];

const languages = [...RUNTIMES.map(({ name }) => name), "c"];
const pairs = [
  ...languages.map((language) => [HOST.name, language] as const),
  ...languages.filter((each) => each !== HOST.name).map((each) => [each, HOST.name] as const),
  ["c", "c"] as const,
];

describe("the System V example", () => {
  for (const [from, to] of pairs) {
    testWith(needs(from, to), `takes a message from ${from} to ${to}`, async () => {
      await using writer = start("writer", from, text);
      expect(await writer.line()).toMatch(written);
      expect(await succeed(start("reader", to))).toBe(`${text}\n`);
      expect(await writer.line()).toBe("it was read");
      expect((await writer.exit()).code).toBe(0);
      expect(SystemVSegment.exists({ key })).toBe(false);
    });

    testWith(needs(from, to), `lets a reader in ${to} wait for a writer in ${from}`, async () => {
      await using reader = start("reader", to);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await succeed(start("writer", from, text))).toMatch(/\nit was read\n$/);
      expect(await succeed(reader)).toBe(`${text}\n`);
      expect(SystemVSegment.exists({ key })).toBe(false);
    });
  }

  for (const language of languages) {
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      testWith(needs(language), `leaves nothing after ${signal} (${language})`, async () => {
        await using writer = start("writer", language, text);
        await writer.line();
        expect(SystemVSegment.exists({ key })).toBe(true);
        interrupt(writer, signal);
        expect((await writer.exit()).code).toBe(code);
        expect(SystemVSegment.exists({ key })).toBe(false);
      });
    }

    testWith(needs(language), `replaces what a killed writer has left (${language})`, async () => {
      const killed = start("writer", HOST.name, "old");
      await killed.line();
      killed.kill();
      await killed.exit();
      expect(SystemVSegment.exists({ key })).toBe(true);
      await using writer = start("writer", language, text);
      await writer.line();
      expect(await succeed(start("reader", HOST.name))).toBe(`${text}\n`);
      expect((await writer.exit()).code).toBe(0);
    });
  }

  test("is not open to other users", async () => {
    await using writer = start("writer", HOST.name);
    await writer.line();
    using segment = SystemVSegment.open({ key }, { readonly: true });
    expect(segment.stat().mode).toBe(0o600);
  });

  test("refuses a second writer, and a text that does not fit", async () => {
    await using writer = start("writer", HOST.name, text);
    await writer.line();
    const second = await start("writer", HOST.name).exit();
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("EEXIST");
    expect(await succeed(start("reader", HOST.name))).toBe(`${text}\n`);
    await writer.exit();

    const long = await start("writer", HOST.name, "x".repeat(1017)).exit();
    expect(long.code).toBe(1);
    expect(long.stderr).toContain("1017 bytes do not fit into 1016");
    expect(SystemVSegment.exists({ key })).toBe(false);
  });
});
