/**
 * The programs of the README do what it says.
 */

import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NamedSemaphore, SharedSegment } from "../mod.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { C_COMPILER, testWith } from "./support/capabilities.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST, OTHERS, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";

const root = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");

/** The names that the README uses, made unlike those of any other test or user. */
const suffix = `-shmkit-test-${process.pid}`;
const names = ["numbers", "visits", "player", "account"].map((name) => name + suffix);

/** A code block, by a line that it contains. */
function block(language: string, line: string): string {
  const blocks = readme.match(new RegExp(`\`\`\`${language}\n[^]*?\`\`\``, "g")) ?? [];
  const found = blocks.filter((each) => each.includes(line));
  expect(found.length).toBe(1);
  return (found[0] as string).split("\n").slice(1, -1).join("\n");
}

const directory = temporaryDirectory();

function program(fileName: string, line: string): string {
  const source = block("ts", line)
    .replaceAll('"@shmkit/shmkit"', JSON.stringify(new URL("mod.ts", root).href))
    .replaceAll(/"(numbers|visits|player|account)"/g, `"$1${suffix}"`);
  const path = join(directory, fileName);
  writeFileSync(path, source);
  return path;
}

const start = (runtime: RuntimeCommand, path: string) => new Peer([...runtime.command, path]);
const run = (runtime: RuntimeCommand, path: string) => succeed(start(runtime, path));

function removeAll(): void {
  for (const name of names) {
    SharedSegment.unlink(name);
    NamedSemaphore.unlink(name);
  }
}

afterAll(removeAll);

describe("the writer and the reader of the README", () => {
  const writer = program("writer.ts", "// writer.ts");
  const reader = program("reader.ts", "// reader.ts");
  const numbers = "3.14 2.72 1.41\n";

  for (const other of OTHERS) {
    test(`work with ${other.name}, in either order and twice`, async () => {
      removeAll();
      for (let round = 0; round < 2; round++) {
        expect(await run(HOST, writer)).toBe("wrote three numbers\n");
        expect(await run(other, reader)).toBe(numbers);
        const reading = start(HOST, reader);
        expect(await run(other, writer)).toBe("wrote three numbers\n");
        expect(await succeed(reading)).toBe(numbers);
      }
      await run(HOST, writer);
      await run(HOST, writer);
      expect(await run(other, reader)).toBe(numbers);
      expect(await run(other, reader)).toBe(numbers);
    });
  }

  testWith([C_COMPILER], "work with the C program", async () => {
    removeAll();
    const source = ["fcntl", "semaphore", "stdio", "sys/mman"].map((each) =>
      `#include <${each}.h>`
    );
    const body = block("c", "sem_wait").replaceAll("/numbers", `/numbers${suffix}`);
    const executable = join(directory, "reader");
    const text = `${source.join("\n")}\nint main(void) {\n${body}\n}\n`;
    compile("cc", ["-x", "c", "-", "-o", executable, "-pthread"], text);
    await run(HOST, writer);
    expect(await succeed(new Peer([executable]))).toBe(numbers);
  });
});

describe("the counter of the README", () => {
  test("counts on", async () => {
    removeAll();
    const path = program("visits.ts", '"visits"');
    let visits = 0;
    for (const runtime of RUNTIMES) {
      expect(await run(runtime, path)).toBe(`${++visits} visits so far\n`);
    }
  });
});

describe("the player of the README", () => {
  test("is hit by every runtime", async () => {
    removeAll();
    const path = program("player.ts", '"player"');
    let hits = 0;
    for (const runtime of RUNTIMES) {
      expect(await run(runtime, path)).toBe(`${++hits} hits so far\n`);
    }
  });
});

describe("the account of the README", () => {
  test("is put right by whoever comes after one who was killed", async () => {
    removeAll();
    const path = program("account.ts", '"account"');
    const look = () => {
      using segment = SharedSegment.open(`account${suffix}`);
      return [...segment.view(Int32Array, 16, 2)];
    };
    for (const runtime of RUNTIMES) expect(await run(runtime, path)).toBe("");
    expect(look()).toEqual([3, -3]);
    const dying = join(directory, "dying.ts");
    const half = 'console.log("half done");\nawait new Promise((end) => setTimeout(end, 60_000));';
    writeFileSync(dying, readFileSync(path, "utf8").replace("value.right--;", half));
    await using peer = start(HOST, dying);
    expect(await peer.line()).toBe("half done");
    peer.kill();
    await peer.exit();
    expect(look()).toEqual([4, -3]);
    expect(await run(HOST, path)).toBe("");
    expect(look()).toEqual([5, -5]);
  });
});

describe("the table of runtimes in the README", () => {
  test("names the versions that the tests run on", () => {
    const { devDependencies } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
    for (const [title, name] of [["Bun", "bun"], ["Deno", "deno"], ["Node", "node"]] as const) {
      expect(readme).toContain(`| ${title} ${devDependencies[name]} `);
    }
    expect(readme).toContain(`npx -y bun@${devDependencies.bun} examples/01_word_count/main.ts`);
  });
});
