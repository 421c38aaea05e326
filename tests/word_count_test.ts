/**
 * The word-count example, run as a user runs it, in this runtime.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./support/c.ts";
import { type Exit, Peer } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

const MAIN = fileURLToPath(new URL("../examples/01_word_count/main.ts", import.meta.url));
const directory = temporaryDirectory();

/** What precedes the path of a program that may do everything. */
const command = HOST.name === "deno" ? [HOST.command[0], "run", "-A"] : HOST.command;

/** A run of the example. What it says on standard error can be read while it runs. */
class Run extends Peer {
  readonly #log: string;

  constructor(...args: string[]) {
    const log = join(directory, `log-${performance.now()}`);
    super([...command, MAIN, ...args], { wrapper: ["sh", "-c", 'exec "$@" 2> "$0"', log] });
    this.#log = log;
  }

  get log(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
  }

  /**
   * Waits until a count has begun, and stops one of its three workers, so that it does not end
   * before the test has done what it wants to do in the middle. The others go on.
   */
  async holdUp(way: string): Promise<{ workers: ProcessEntry[]; held: ProcessEntry }> {
    const [begun, advanced] = [`^${way}, `, `^${way}, .*: \\d+ %`].map((each) =>
      new RegExp(each, "m")
    );
    const sees = (what: RegExp | undefined) => what?.test(this.log) === true;
    await until(`${way}: begun`, () => sees(begun) && this.workers.length === 3);
    const { workers } = this;
    const held = workers[1] as ProcessEntry;
    signal(held, "SIGSTOP");
    await until(`${way}: advanced`, () => sees(advanced));
    return { workers, held };
  }

  /** Its files in the shared-memory directory. */
  get files(): string[] {
    const prefix = `shmkit-word-count-${this.pid}-`;
    return readdirSync("/dev/shm").filter((name) => name.includes(prefix));
  }

  /** Its worker processes. */
  get workers(): ProcessEntry[] {
    return processes().filter(({ parent, command }) =>
      parent === this.pid && command.includes("worker.ts")
    );
  }
}

/** Counts words plainly, by the rule that the example documents. */
function count(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [match] of text.matchAll(/[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*/gu)) {
    const word = match.toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** The counts that the example has printed. */
function printedCounts({ stdout }: Exit): Map<string, number> {
  const lines = [...stdout.matchAll(/^ {2}(\S+) +([\d,]+)$/gm)];
  return new Map(lines.map(([, word, count]) => [
    word as string,
    Number((count as string).replaceAll(",", "")),
  ]));
}

/** A text with everything that could be counted wrongly, and random words in between. */
function trickyText(): Uint8Array {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`trickyText: seed ${seed}`);
  let state = seed;
  const random = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
  const words = [
    "The",
    "don't",
    "'tis'",
    "l’été",
    "“quoted”",
    "ÉTÉ",
    "straße",
    "ОДИН",
    "e\u0301t",
    "中文。日本語",
    "--",
    "x2y",
    "😀",
    "İ",
    "''",
    "a\u00a0b",
  ];
  const gaps = [" ", "\n", "\r\n", ", ", ". ", "\t", "-", "\0"];
  const pieces: Uint8Array[] = [];
  for (let position = 0; position < 150_000; position++) {
    const word = random(4) === 0 ? `w${random(5000).toString(36)}` : words[random(words.length)];
    pieces.push(new TextEncoder().encode(`${word}${gaps[random(gaps.length)]}`));
    if (random(500) === 0) pieces.push(Uint8Array.of(0xe2, 0x80)); // cut off in a character
    if (random(500) === 0) pieces.push(Uint8Array.of(0xff));
  }
  pieces.push(new TextEncoder().encode("\nlast"));
  return new Uint8Array(Buffer.concat(pieces));
}

const PARAGRAPH = "It was the best of times, it was the worst of times.\n".repeat(400);
const REPETITIONS = 4000;
const longFile = join(directory, "long.txt");

/** A text that takes long enough to be interrupted: 85 MB, or half a second. */
beforeAll(() => writeFileSync(longFile, PARAGRAPH.repeat(REPETITIONS)));

function longCounts(): Map<string, number> {
  const counts = count(PARAGRAPH);
  return new Map(Array.from(counts, ([word, times]) => [word, times * REPETITIONS]));
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The processes of the machine, as `ps` shows them. */
function processes(): ProcessEntry[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      const status = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(status.slice(status.lastIndexOf(")")).split(" ")[2]);
      return [{ pid: Number(name), parent, command }];
    } catch {
      return []; // it has ended
    }
  });
}

/** Those that still are what they were. */
function survivorsOf(workers: readonly ProcessEntry[]): ProcessEntry[] {
  const now = processes();
  return workers.filter((worker) =>
    now.some(({ pid, command }) => pid === worker.pid && command === worker.command)
  );
}

/** Asks until the answer is yes. */
async function until(what: string, ask: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!ask()) {
    if (performance.now() > deadline) throw new Error(`Waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Not `kill()` of the child: Deno then takes it for ended by the signal, whatever its exit code. */
function signal({ pid }: { readonly pid: number }, name: NodeJS.Signals): void {
  if (pid > 1) process.kill(pid, name);
}

describe("word count", () => {
  test("counts as a plain program does", async () => {
    const path = join(directory, "tricky.txt");
    const text = trickyText();
    writeFileSync(path, text);
    const run = new Run("--workers", "3", "--rounds", "1", "--top", "1000000", path);
    const exit = await run.exit();
    expect(exit.code).toBe(0);
    expect(printedCounts(exit)).toEqual(count(new TextDecoder().decode(text)));
    expect(run.files).toEqual([]);
  });

  test("makes a text of 5 MB, shows progress and both times", async () => {
    const run = new Run();
    const { code, stdout } = await run.exit();
    expect(code).toBe(0);
    const size = /^Counting \d+ text files of this machine.*, (\d+\.\d) MB$/m.exec(stdout)?.[1];
    expect(Number(size)).toBeGreaterThanOrEqual(5);
    expect(stdout).toMatch(/^shared memory +\d+ ms +\d+\.\d ms +\d+ MB\/s {2}\w+ \d+ %/m);
    expect(stdout).toMatch(/^pipes +\d+ ms +\d+\.\d ms +\d+ MB\/s {2}\w+ \d+ %/m);
    expect(run.log).toMatch(/^shared memory, round 3 of 3:( \d+ %)* 100 %, [\d,]+ words$/m);
    expect(run.log).toMatch(/^pipes, +round 3 of 3:( \d+ %)* 100 %, \d+\.\d MB sent$/m);
    expect(run.files).toEqual([]);
  });

  test("lets all runtimes take part", async () => {
    const run = new Run("--workers", "3", "--rounds", "1", longFile);
    const { workers, held } = await run.holdUp("shared memory");
    const programs = workers.map(({ command }) =>
      basename(command.split(" ")[0] as string, ".exe")
    );
    expect(programs.sort()).toEqual(RUNTIMES.map(({ name }) => name));
    signal(held, "SIGCONT");
    const exit = await run.exit();
    expect(exit.code).toBe(0);
    expect(run.log).not.toContain("Warning: its share"); // none has failed
    expect(printedCounts(exit)).toEqual(longCounts());
  });

  const empty = join(directory, "empty");
  const folder = join(directory, "folder");
  writeFileSync(empty, "");
  mkdirSync(folder);
  for (
    const [what, path, reason] of [
      ["a missing file", join(directory, "missing"), "there is no such file"],
      ["an empty file", empty, "it is empty"],
      ["a directory", folder, "it is a directory"],
      ["a device", "/dev/null", "it is not a regular file"],
    ] as const
  ) {
    test(`refuses ${what}`, async () => {
      const run = new Run(path);
      const { code, stdout } = await run.exit();
      expect(run.log).toContain(`Cannot count ${JSON.stringify(path)}: ${reason}\n`);
      expect({ code, stdout, files: run.files }).toEqual({ code: 1, stdout: "", files: [] });
    });
  }

  for (const way of ["shared memory", "pipes"]) {
    test(`leaves nothing after Ctrl-C (${way})`, async () => {
      const run = new Run("--workers", "3", longFile);
      const { workers } = await run.holdUp(way);
      expect(run.files.length).toBeGreaterThan(0);
      signal(run, "SIGINT");
      signal(run, "SIGINT"); // as when npx passes it on
      const { code } = await run.exit();
      expect({ code, survivors: survivorsOf(workers), files: run.files })
        .toEqual({ code: 130, survivors: [], files: [] });
      expect(run.log).toMatch(/\nInterrupted by SIGINT\n$/);
      expect(run.log).not.toContain("    at "); // no stack
    });

    test(`counts the share of a killed worker again (${way})`, async () => {
      const run = new Run("--workers", "3", "--rounds", "1", longFile);
      const { workers, held } = await run.holdUp(way);
      signal(held, "SIGKILL");
      const exit = await run.exit();
      expect(exit.code).toBe(0);
      expect(run.log).toMatch(/^Warning: its share .* because worker . \(.*SIGKILL$/m);
      expect(printedCounts(exit)).toEqual(longCounts());
      expect({ survivors: survivorsOf(workers), files: run.files })
        .toEqual({ survivors: [], files: [] });
    });
  }

  test("leaves no worker and no object when it is killed itself (shared memory)", async () => {
    const run = new Run("--workers", "3", longFile);
    const { workers, held } = await run.holdUp("shared memory");
    signal(run, "SIGKILL");
    signal(held, "SIGCONT");
    await until("the workers have ended", () => survivorsOf(workers).length === 0);
    expect(run.files).toEqual([]);
  });
});
