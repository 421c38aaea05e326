/**
 * Runs every test in every runtime, and looks at what they leave behind.
 *
 * Usage: `node tests/run.ts [FILE...]`, where FILE is a test file; all of them by default.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => join(root, "node_modules/.bin", name);
const files = process.argv.slice(2);
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

/** For all temporary files, and for what Node compiles: many short-lived peers share the result. */
const temporary = mkdtempSync(join(tmpdir(), "shmkit-tests-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

let failed = 0;
for (const [name, [program, ...args]] of Object.entries(steps)) {
  const before = leftovers();
  const start = performance.now();
  console.log(`\n=== ${name}\n`);
  const { status } = spawnSync(program as string, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, TMPDIR: temporary, NODE_COMPILE_CACHE: join(temporary, "compiled") },
  });
  const left = leftovers().filter((each) => !before.includes(each));
  if (left.length > 0) console.error(`${name} left behind: ${left.join(", ")}`);
  const passed = status === 0 && left.length === 0;
  if (!passed) failed++;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`\n=== ${name}: ${passed ? "passed" : "failed"} in ${seconds} s`);
}

console.log(`\n${Object.keys(steps).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
