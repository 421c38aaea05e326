/**
 * The `shm` command started by a runtime that cannot call native functions, as a package's binary is
 * by whatever `node` is first on the path.
 *
 * It is played by our own Node with FFI turned off, and by an old Node where the machine has one.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./support/c.ts";
import { OLD_NODE, PYTHON, testWith } from "./support/capabilities.ts";
import { onTerminal, type Run, shm, type Step } from "./support/cli.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const root = fileURLToPath(new URL("../", import.meta.url));
const directory = temporaryDirectory();
const node = (RUNTIMES.find(({ name }) => name === "node") as typeof RUNTIMES[number]).command[0];
const source = join(root, "cli", "mod.ts");

/** A directory of programs, as a path has them. */
function pathWith(...programs: readonly (readonly [name: string, target: string])[]): string {
  const path = join(directory, String(paths++));
  mkdirSync(path);
  for (const [name, target] of programs) symlinkSync(target, join(path, name));
  return path;
}
let paths = 0;

/** Where the system's own programs are, but no runtime. */
const system = pathWith(["env", "/usr/bin/env"], ["sh", "/bin/sh"]);
const real = (name: string) => join(root, "node_modules", ".bin", name);

/** What a package manager would have set, and what may be set here, is not. */
const BARE = {
  npm_config_user_agent: "",
  npm_execpath: "",
  SHMKIT_RELAUNCHED: undefined as unknown as string,
};

/** A Node without FFI. */
const WITHOUT_FFI = [
  node,
  "--no-experimental-ffi",
  "--disable-warning=ExperimentalWarning",
  source,
];

const run = (args: readonly string[], env: Readonly<Record<string, string>>): Run =>
  shm(args, { command: WITHOUT_FFI, env: { ...BARE, ...env } });

// What is tested is child processes of certain runtimes: one host is enough.
if (HOST.name === "node") {
  describe("without native calls, shm", () => {
    for (const name of ["bun", "deno"] as const) {
      test(`runs in the ${name} that is on the path`, () => {
        const segment = uniqueName();
        const env = { PATH: [pathWith([name, real(name)]), system].join(delimiter) };
        expect(run(["create", segment, "-s", "10"], env)).toMatchObject({
          code: 0,
          stderr: "",
          stdout: `${segment}\n`,
        });
        expect(run(["--version"], env).stdout.toLowerCase()).toContain(`(${name} `);

        // Streams, exit codes and arguments go through.
        const input = Uint8Array.from([0, 255, 10, 13, 128]);
        const written = shm(["write", segment], {
          command: WITHOUT_FFI,
          env: { ...BARE, ...env },
          input,
        });
        expect(written).toMatchObject({ code: 0, stderr: "" });
        expect([...run(["cat", segment, "-n", "5"], env).bytes]).toEqual([...input]);
        expect(run(["ls", "--nope"], env).code).toBe(2);
        expect(run(["dump", "a b\\x1b"], env)).toMatchObject({ code: 1 });
      });
    }

    test("prefers what has started it", () => {
      const starter = join(pathWith(["starter", real("bun")]), "starter");
      const env = { PATH: [pathWith(["deno", real("deno")]), system].join(delimiter) };
      const agent = {
        npm_config_user_agent: "bun/1.4.5 npm/? node/v26.3.0",
        npm_execpath: starter,
      };
      expect(run(["--version"], env).stdout).toContain("(Deno ");
      expect(run(["--version"], { ...env, ...agent }).stdout).toContain("(Bun ");
    });

    test("passes over what is too old, broken or itself", () => {
      const fakes = pathWith();
      const script = (name: string, text: string) =>
        writeFileSync(join(fakes, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      script("bun", "echo 1.3.99");
      script("deno", "exit 1");
      symlinkSync(node, join(fakes, "node"));
      const later = pathWith(["deno", real("deno")]);
      const env = { PATH: [fakes, later, system].join(delimiter) };
      expect(run(["--version"], env).stdout).toContain("(Deno ");
    });

    test("says what is missing, in one line and with exit code 3", () => {
      const { code, stdout, stderr } = run(["ls"], { PATH: system });
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toMatch(
        /^shm: Cannot call native functions: Node .* has no node:ffi\. Use Node 26\.9 or later .*, Bun or Deno\.\n$/,
      );
      const { error } = JSON.parse(run(["ls", "--json"], { PATH: system }).stderr);
      expect(error.code).toBe("ERR_SHM_UNSUPPORTED");
      // Whatever it was that it has started: it does not go on for ever.
      expect(run(["ls"], { SHMKIT_RELAUNCHED: "1" }).code).toBe(3);
    });

    for (
      const [title, steps, code] of [
        ["keys", [["send", "q"]], 0],
        ["Ctrl-C", [["send", "\x03"]], 130],
        ["SIGTERM", [["signal", "SIGTERM"]], 143],
      ] as readonly (readonly [string, readonly Step[], number])[]
    ) {
      testWith([PYTHON], `passes ${title} on, and the exit code back`, () => {
        const env = {
          ...BARE,
          SHMKIT_RELAUNCHED: null,
          PATH: [pathWith(["bun", real("bun")]), system].join(delimiter),
        };
        const session = onTerminal(["top"], [["expect", "resident"], ...steps], {
          command: WITHOUT_FFI,
          env,
        });
        expect(session).toMatchObject({ missing: null, code, restored: true });
        expect(session.output.endsWith("\x1b[?25h\x1b[?1049l")).toBe(true);
      });
    }
  });

  describe("what an old Node has to understand", () => {
    testWith([OLD_NODE], "is the build for npm, of which it runs as much as it needs", () => {
      const out = join(directory, "dist");
      const built = spawnSync(real("tsup"), ["--out-dir", out, "--no-dts"], {
        cwd: root,
        encoding: "utf8",
      });
      expect({ status: built.status, stderr: built.stderr }).toMatchObject({ status: 0 });
      const script = join(out, "cli", "mod.js");
      expect(readFileSync(script, "utf8").startsWith("#!/usr/bin/env node\n")).toBe(true);
      writeFileSync(join(out, "package.json"), '{ "type": "module" }\n');

      const command = [OLD_NODE.path as string, script];
      const none = shm(["ls"], { command, env: { ...BARE, PATH: system } });
      expect(none).toMatchObject({ code: 3, stdout: "" });
      expect(none.stderr).toMatch(/^shm: Cannot call native functions: Node \d+\.[^\n]+\n$/);
      for (const name of ["bun", "deno", "node"] as const) {
        const env = { ...BARE, PATH: [pathWith([name, real(name)]), system].join(delimiter) };
        const { code, stdout, stderr } = shm(["--version"], { command, env });
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout.toLowerCase()).toContain(`(${name} `);
      }
    });
  });
}
