/**
 * Runs every test in every runtime, and looks at what they leave behind.
 *
 * Usage: `node tests/run.ts [--side-by-side] [--step NAME] [FILE...]`, where FILE is a test file; all of them
 * by default. Side by side, each runtime has shared memory of its own: that takes two thirds of the time
 * on two cores, and the right to make namespaces.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => join(root, "node_modules/.bin", name);
const { values: { step: only, "side-by-side": sideBySide }, positionals: files } = parseArgs({
  options: { "side-by-side": { type: "boolean", default: false }, step: { type: "string" } },
  allowPositionals: true,
});
if (files.length === 0) {
  const names = readdirSync(join(root, "tests")).filter((name) => name.endsWith("_test.ts"));
  files.push(...names.sort().map((name) => `tests/${name}`));
}

const examples = ["mod.ts", "errors.ts", "memory", "layout", "sync", "object"];

/** What is run, by name. */
const steps: Record<string, readonly string[]> = {
  "Bun": [bin("bun"), "test", "--timeout", "120000", ...files.map((file) => `./${file}`)],
  "Deno": [bin("deno"), "test", "-A", "--no-check", "--v8-flags=--expose-gc", ...files],
  "Node": [
    bin("node"),
    "--expose-gc",
    "--disable-warning=ExperimentalWarning",
    "--import",
    "./tests/support/register.ts",
    "--test",
    "--test-concurrency=1",
    ...files,
  ],
  "the examples in doc comments": [
    bin("deno"),
    "test",
    "--doc",
    "--allow-ffi",
    "--no-prompt",
    ...examples,
  ],
};

/** What the tests, the examples and the doc comments call their objects. */
const OURS = /^(sem\.)?(shmkit-|doc-|numbers-shmkit|visits-shmkit)/;

/** The key of the System V example, as ftok(3) makes it: this may run in a Node without FFI. */
function exampleKey(): number {
  const { dev, ino } = statSync(join(root, "examples/02_system_v/message.h"));
  return ("M".charCodeAt(0) << 24) | ((dev & 0xff) << 16) | (ino & 0xffff);
}

/**
 * What outlives a process: files of shared memory, and System V objects. On CI everything counts;
 * elsewhere others may be at work on the machine.
 */
function leftovers(): string[] {
  const onCi = process.env["CI"] !== undefined;
  const files = readdirSync("/dev/shm").filter((name) => onCi || OURS.test(name));
  const systemV = ["shm", "sem"].flatMap((family) =>
    readFileSync(`/proc/sysvipc/${family}`, "utf8").split("\n").slice(1, -1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([key]) => onCi || Number(key) === exampleKey())
      .map(([, id]) => `System V ${family} ${id}`)
  );
  return [...files, ...systemV];
}

/** Runs a step here. @returns Whether it passed. */
function run(name: string): boolean {
  // For all temporary files, and for what Node compiles: many short-lived peers share the result.
  const temporary = mkdtempSync(join(tmpdir(), "shmkit-tests-"));
  process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));
  const [program = "", ...args] = steps[name] ?? [];
  const before = leftovers();
  const start = performance.now();
  console.log(`\n=== ${name}\n`);
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, TMPDIR: temporary, NODE_COMPILE_CACHE: join(temporary, "compiled") },
  });
  const left = leftovers().filter((each) => !before.includes(each));
  if (left.length > 0) console.error(`${name} left behind: ${left.join(", ")}`);
  const passed = status === 0 && left.length === 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`\n=== ${name}: ${passed ? "passed" : "failed"} in ${seconds} s`);
  return passed;
}

/** Precedes a command that is to have a shared-memory directory and System V objects of its own. */
const ISOLATED = ["unshare", "--mount", "--ipc", "--kill-child", "--fork", "sh", "-c"].concat(
  'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@" 2>&1',
  "sh",
);

/** Runs steps side by side. Prints the output of the first that has not ended, and then of the next. */
async function runSideBySide(names: readonly string[]): Promise<boolean[]> {
  const outputs = names.map((): Buffer[] => []);
  const isOver = names.map(() => false);
  let shown = 0;
  const show = (): void => {
    for (;; shown++) {
      for (const chunk of outputs[shown]?.splice(0) ?? []) process.stdout.write(chunk);
      if (isOver[shown] !== true) return;
    }
  };
  const children = names.map((name) => {
    const script = [process.execPath, fileURLToPath(import.meta.url), "--step", name, ...files];
    const [program = "", ...args] = [...ISOLATED, ...script];
    return spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const child of children) child.kill("SIGKILL"); // and what it has started with it
      isOver.fill(true);
      show();
      process.exit(1);
    });
  }
  return await Promise.all(children.map(async (child, index) => {
    child.stdout.on("data", (chunk: Buffer) => {
      outputs[index]?.push(chunk);
      show();
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    isOver[index] = true;
    show();
    return code === 0;
  }));
}

if (only !== undefined && steps[only] === undefined) {
  throw new RangeError(`--step is one of ${Object.keys(steps).join(", ")}: not ${only}`);
}
const names = only === undefined ? Object.keys(steps) : [only];
const passed = sideBySide ? await runSideBySide(names) : names.map(run);

if (only === undefined) {
  const count = passed.filter((each) => each).length;
  console.log(`\n${count} passed, ${passed.length - count} failed`);
}
process.exitCode = passed.every((each) => each) ? 0 : 1;
