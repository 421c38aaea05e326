/**
 * What is published to JSR, run in each runtime, and the single executable of Deno.
 */

import { describe, expect, test } from "bun:test";
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cleanUpNames } from "./support/names.ts";
import {
  DOCUMENTS,
  expectCommandWorks,
  expectProgramWorks,
  once,
  ownedBy,
  runtimeCommand,
  Scratch,
} from "./support/packaging.ts";
import { Peer } from "./support/peers.ts";

const PROGRAM = "packaged_program.ts";
/** Where a user's project has the package. */
const PACKAGE = "shmkit";

/** The command of JSR for Node's users downloads a Deno of its own unless it is told of one. */
const [deno] = runtimeCommand("deno", PROGRAM) as [string];
const PUBLISHERS = [
  { title: "deno publish", command: ["deno", "publish", "--dry-run"], env: {} },
  {
    title: "npx jsr publish",
    command: ["npx", "--no", "jsr", "publish", "--dry-run"],
    env: { DENO_BIN_PATH: deno },
  },
];

/** What `deno info --json` prints, as far as it is used. */
interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    /** Those with `code` are loaded when the program runs; the others only have types to give. */
    readonly dependencies?: readonly { readonly code?: { readonly specifier: string } }[];
  }[];
}

/** What `shm layout` imports is a file of the user, which nobody knows before. */
const KNOWN_WARNINGS = [[
  "warning[unanalyzable-dynamic-import]: unable to analyze dynamic import",
  "cli/import_layouts.ts",
]];

/** What Deno says when nothing but its own runtime for executables is missing. */
const NO_BASE_BINARY = new RegExp([
  "^(Check .*\n)?Compile .*",
  "Download .*/denort-.*\\.zip",
  "error: Writing deno compile executable .*",
  "",
  "Caused by:",
  " +0: Setting up base binary\\.",
  " +1: .*denort-",
].join("\n"));

ownedBy("deno", () => {
  cleanUpNames();
  const scratch = new Scratch();
  const checkout = once(() => scratch.checkout());

  /** What a publisher would upload, as paths relative to the package. */
  async function publish(
    directory: string,
    { command, env }: typeof PUBLISHERS[number],
    knownWarnings: string[][] = KNOWN_WARNINGS,
  ): Promise<string[]> {
    const { stderr } = await scratch.make(directory, command, env);
    expect(stderr).toMatch(/^Checking for slow types in the public API\.\.\.$/m);
    const warnings = [...stderr.matchAll(/^(warning.*)\n(?: *--> (.*?):\d+)?/gm)]
      .map(([, what, path]) => [what, path?.replace(`${directory}/`, "")]);
    expect(warnings).toEqual(knownWarnings);
    expect(stderr).toMatch(/^Success Dry run complete$/m);
    return [...stderr.matchAll(/^ +file:\/\/(.*) \(.*\)$/gm)]
      .map(([, path]) => (path as string).replace(`${directory}/`, ""))
      .sort();
  }

  /** A user's project with what is published in it, and the program. */
  const install = once(async () => {
    const project = scratch.directory();
    for (const path of await publish(checkout(), PUBLISHERS[0] as typeof PUBLISHERS[number])) {
      const target = join(project, PACKAGE, path);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(checkout(), path), target);
    }
    scratch.addFixture(project, PROGRAM, `./${PACKAGE}/mod.ts`);
    return project;
  });

  /** The modules of what is published, from its entry points down, as Deno resolves them. */
  async function modules(): Promise<{ all: string[]; loaded: string[] }> {
    const directory = join(await install(), PACKAGE);
    const { exports } = JSON.parse(readFileSync(join(directory, "deno.json"), "utf8"));
    const entries: string[] = typeof exports === "string" ? [exports] : Object.values(exports);
    const all = new Set<string>();
    const loaded = new Set<string>(["mod.ts"]);
    const relative = (specifier: string) => specifier.replace(`file://${directory}/`, "");
    for (const entry of entries) {
      const { stdout } = await scratch.make(directory, ["deno", "info", "--json", entry]);
      for (const { specifier, error, dependencies = [] } of (JSON.parse(stdout) as Graph).modules) {
        expect(error).toBe(undefined);
        // The command may ask for what every runtime has built in; the library may not.
        if (entry.includes("/cli/") && specifier.startsWith("node:")) continue;
        all.add(relative(specifier));
        if (entry !== "./mod.ts") continue;
        for (const { code } of dependencies) {
          if (code !== undefined) loaded.add(relative(code.specifier));
        }
      }
    }
    return { all: [...all], loaded: [...loaded] };
  }

  describe("the JSR package", () => {
    for (const publisher of PUBLISHERS) {
      test(`contains the modules that it needs, the header for C, and no others, with ${publisher.title}`, async () => {
        const { all } = await modules();
        // Were one in another package, or a builtin module of some runtime, it would be in excess.
        const others = [...DOCUMENTS, "LICENSE", "deno.json", "interop/c/shmkit.h"];
        const expected = [...all, ...others].sort();
        expect(await publish(checkout(), publisher)).toEqual(expected);
      });

      test(`is refused with a slow type, with ${publisher.title}`, async () => {
        const directory = scratch.checkout();
        appendFileSync(join(directory, "mod.ts"), "export const planted = () => Math.random();\n");
        const { code, stderr } = await scratch.run(directory, publisher.command, publisher.env);
        expect(stderr).toMatch(/isolatedDeclarations|error\[missing-explicit-/);
        expect(code).toBe(1);
      });
    }

    for (const runtime of ["deno", "bun", "node"] as const) {
      test(`is imported by ${runtime}`, async () => {
        const program = join(await install(), PROGRAM);
        await expectProgramWorks(runtime, runtimeCommand(runtime, program));
      });
    }
  });

  describe("a library that exports a schema", () => {
    /** With the library beside it, in the place of one that comes from JSR. */
    async function library(edit: (source: string) => string = (source) => source): Promise<string> {
      const project = scratch.directory();
      cpSync(await install(), project, { recursive: true });
      for (const path of [PROGRAM, join(PACKAGE, "deno.json"), join(PACKAGE, "cli")]) {
        rmSync(join(project, path), { recursive: true });
      }
      const path = scratch.addFixture(project, "schema_library.ts", `./${PACKAGE}/mod.ts`);
      const source = readFileSync(path, "utf8")
        .replace("../../layout/mod.ts", `./${PACKAGE}/layout/mod.ts`);
      writeFileSync(path, edit(source));
      const config = {
        name: "@test/library",
        version: "1.0.0",
        license: "MIT",
        exports: "./schema_library.ts",
        compilerOptions: { isolatedDeclarations: true },
      };
      writeFileSync(join(project, "deno.json"), JSON.stringify(config));
      return project;
    }

    test("is published without slow types when it is annotated", async () => {
      const publisher = PUBLISHERS[0] as typeof PUBLISHERS[number];
      const files = await publish(await library(), publisher, []);
      expect(files).toContain("schema_library.ts");
    });

    test("is refused when it is not annotated", async () => {
      const directory = await library((source) =>
        source.replace(/Point: Struct<[^=]*>(?= = t)/, "Point")
      );
      const { command, env } = PUBLISHERS[0] as typeof PUBLISHERS[number];
      const { code, stderr } = await scratch.run(directory, command, env);
      expect(stderr).toMatch(/isolatedDeclarations|error\[missing-explicit-/);
      expect(code).toBe(1);
    });
  });

  describe("the command of the JSR package", () => {
    for (const runtime of ["deno", "bun", "node"] as const) {
      test(`is run by ${runtime}`, async () => {
        const script = join(await install(), PACKAGE, "cli", "mod.ts");
        await expectCommandWorks(runtime, runtimeCommand(runtime, script));
      });
    }
  });

  describe("the single executable of Deno", () => {
    const compile = ["compile", "--allow-ffi", "--output=program", PROGRAM];

    test("contains the program and every module of the library", async () => {
      const project = await install();
      // Deno appends to whatever executable it is told to: this one is packed, but cannot run.
      const env = { DENORT_BIN: "/bin/sh" };
      await scratch.withExecutable(
        project,
        (directory) => scratch.make(directory, ["deno", ...compile], env),
        async (executable) => {
          const packed = readFileSync(executable);
          const { loaded } = await modules();
          expect(loaded).toContain("ffi/runtimes/deno.ts");
          const names = loaded.map((module) => join(PACKAGE, module));
          const missing = [...names, PROGRAM].filter((name) =>
            !packed.includes(readFileSync(join(project, name)))
          );
          expect(missing).toEqual([]);
          expect(packed.includes(readFileSync(join(project, PACKAGE, "LICENSE")))).toBe(false);
        },
      );
    });

    // Deno needs a runtime of its own for it: the one that DENORT_BIN names, the one that it has
    // downloaded before, or the one that it downloads now. So this has the environment of the tests
    // and their way to the network, if there is one. Where there is none of them, that must be all
    // that is missing. To be sure that the result is run, set DENORT_BIN.
    test("works where Deno's runtime for it can be had, and lacks nothing else", async () => {
      const project = scratch.directory();
      cpSync(await install(), project, { recursive: true });
      const { code, stdout, stderr } = await new Peer([deno, ...compile], {
        wrapper: ["env", "-C", project],
        env: { NO_COLOR: "1" },
        timeoutMs: 100_000,
      }).exit();
      if (code === 0) {
        await expectProgramWorks("deno", [join(project, "program")]);
      } else {
        expect(process.env["DENORT_BIN"]).toBe(undefined);
        expect(stdout + stderr).toMatch(NO_BASE_BINARY);
      }
    });
  });
});
