/**
 * The example with sealed memory, run as its README says: every runtime hands it to every other.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SharedSegment } from "../mod.ts";
import { Example, interrupt, PINNED } from "./support/examples.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST, OTHERS, RUNTIMES } from "./support/runtimes.ts";

const example = new Example("04_sealed_handover");
const root = fileURLToPath(new URL("../", import.meta.url));
const READ = "100000 square roots, all right\n";

/** Why an attempt may be refused: by this library, by the kernel, and by Deno. */
const REFUSALS = [
  /it is sealed against writing \(EPERM from fcntl\)/,
  /this handle is closed/,
  /^EPERM: operation not permitted/,
  /^Operation not permitted/,
  /^Requires (read|write|all) access/,
];

/** Expects that all attempts were refused. */
function expectRefusals(output: string, attempts: number): void {
  const lines = output.split("\n").filter((line) => /^ {2}\w/.test(line));
  expect(lines.length).toBe(attempts);
  for (const line of lines) {
    const reason = /^ {2}[^:]+: refused, (.*)$/.exec(line)?.[1] ?? line;
    expect([line, REFUSALS.some((each) => each.test(reason))]).toEqual([line, true]);
  }
}

const BY_READER = 5;
const BY_WRITER = BY_READER + 2;

/** The command by which a writer starts a reader as its child. */
function handDown(from: string, to: string): string[] {
  const child = example.command(to, "reader.ts");
  const writer = example.command(from, "writer.ts").map((option) =>
    option.startsWith("--allow-run=") ? `--allow-run=${child[0]}` : option
  );
  return [...writer, ...child];
}

const pairs = [
  ...RUNTIMES.map(({ name }) => [HOST.name, name] as const),
  ...OTHERS.map(({ name }) => [name, HOST.name] as const),
];

describe("the example with sealed memory", () => {
  for (const [from, to] of pairs) {
    test(`hands it down from ${from} to ${to}`, async () => {
      const output = await succeed(new Peer(handDown(from, to)));
      const [byWriter, byReader] = output.split(READ) as [string, string];
      expect(byWriter).toMatch(/^sealed against shrink, grow, write, seal; the writer tries to\n/);
      expectRefusals(byWriter, BY_WRITER);
      expectRefusals(byReader, BY_READER);
    });

    test(`lets ${to} open it by a path from ${from}`, async () => {
      // With no more permission than that.
      const [program, ...options] = example.command(from, "writer.ts");
      const least = options.filter((option) => !/^--allow-(env|run)/.test(option));
      await using writer = new Peer([program as string, ...least]);
      const path = await pathFrom(writer);
      const output = await succeed(example.start(to, "reader.ts", path));
      expect(output.startsWith(READ)).toBe(true);
      expectRefusals(output, BY_READER);

      // Nor does a program get further that knows nothing of this library.
      const { stderr } = spawnSync("truncate", ["-s", "0", path], { encoding: "utf8" });
      expect(stderr).toContain("Operation not permitted");
      expect(await succeed(example.start(to, "reader.ts", path))).toContain(READ);

      // A reader keeps it, whatever becomes of the writer.
      using kept = SharedSegment.openFile(path, { readonly: true });
      interrupt(writer);
      expect((await writer.exit()).code).not.toBe(0);
      expect(kept.getFloat64(8 * 99_999)).toBe(Math.sqrt(99_999));
    });
  }

  async function pathFrom(writer: Peer): Promise<string> {
    while (true) {
      const path = /^the memory is (\S+) until Ctrl-C$/.exec(await writer.line())?.[1];
      if (path !== undefined) return path;
    }
  }

  test("runs by the very commands of the README", async () => {
    const lines = example.lines("writer.ts").filter((line) => line.includes("reader.ts"));
    expect(lines.length).toBe(RUNTIMES.length);
    for (const line of lines) {
      const wrapper = ["sh", "-c", `cd "$0" && exec ${line}`];
      expect(await succeed(new Peer([root], { wrapper, env: PINNED }))).toContain(READ);
    }
  });

  test("refuses memory that somebody could change", async () => {
    using open = SharedSegment.anonymous({ size: 800_000, seal: ["shrink", "grow", "seal"] });
    const exit = await example.start(HOST.name, "reader.ts", open.path).exit();
    expect(exit.code).toBe(1);
    expect(exit.stderr).toContain("it is not sealed against write (its seals: shrink, grow, seal)");
  });
});
