/**
 * The npm package: what is in it, its types, and a program that uses it, as a script of each runtime
 * and as a single executable of Node.
 */

import { describe, expect, test } from "bun:test";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cleanUpNames } from "./support/names.ts";
import {
  DOCUMENTS,
  expectCommandWorks,
  expectModuleIsImported,
  expectProgramWorks,
  filesIn,
  once,
  ownedBy,
  runtimeCommand,
  Scratch,
} from "./support/packaging.ts";

const STRICT = {
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  target: "es2024",
};

/** What users have: a module resolution, and someone who declares the globals. */
const USERS = [
  {
    title: "moduleResolution nodenext and the types of Node",
    options: {
      module: "nodenext",
      moduleResolution: "nodenext",
      lib: ["es2024", "esnext.disposable"],
      types: ["node"],
      // The declarations of Node are not ours to check.
      skipLibCheck: true,
    },
  },
  {
    title: "moduleResolution bundler and the types of browsers",
    options: {
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["es2024", "esnext.disposable", "dom"],
      types: [],
    },
  },
];

/** What Node says of itself, unless it is told not to. */
const EXPERIMENTAL = /^(\(node:\d+\) ExperimentalWarning: .*\n|\(Use `.* --trace-warnings .*\n)+$/;

/** The single executables: what the bundle is, and what Node is told. */
const EXECUTABLES = [
  {
    title: "from a CommonJS bundle",
    format: "cjs",
    config: { mainFormat: "commonjs" },
    warnings: EXPERIMENTAL,
  },
  {
    title: "from a CommonJS bundle with a code cache, without a warning",
    format: "cjs",
    config: {
      mainFormat: "commonjs",
      useCodeCache: true,
      execArgv: ["--disable-warning=ExperimentalWarning"],
    },
    warnings: /^$/,
  },
  {
    title: "from an ES module bundle",
    format: "esm",
    config: { mainFormat: "module" },
    warnings: EXPERIMENTAL,
  },
];

ownedBy("node", () => {
  cleanUpNames();
  const scratch = new Scratch();

  /** A user's project with the package installed, and the program in it. */
  const install = once(async () => {
    const tarball = await scratch.packForNpm();
    const project = scratch.directory();
    writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
    await scratch.make(project, [
      "npm",
      "install",
      tarball,
      "--offline",
      "--no-audit",
      "--no-fund",
    ]);
    scratch.addFixture(project, "packaged_program.ts", "shmkit");
    return project;
  });

  describe("the npm package", () => {
    test("contains the built library, the header for C, and nothing else", async () => {
      const files = filesIn(join(await install(), "node_modules", "shmkit"));
      const built = ["mod", "layout/mod", "sync/mod", "cli/mod"].flatMap((name) => [
        `dist/${name}.d.ts`,
        `dist/${name}.js`,
      ]);
      // What the entry points share, and what the command loads when it knows where it runs.
      const declarations = ["from_description", "shared_semaphore", "struct", "union"]
        .map((name) => `dist/${name}-*.d.ts`);
      const parts = ["dist/chunk-*.js", "dist/main-*.js", ...declarations];
      const interop = ["interop/c/shmkit.h"];
      const expected = [...DOCUMENTS, "LICENSE", ...built, ...parts, ...interop, "package.json"];
      const unhashed = files.map((path) => path.replace(/-[\w-]{8}(\.js|\.d\.ts)$/, "-*$1"));
      // Into how many chunks it is cut, is the bundler's business.
      expect([...new Set(unhashed)].sort()).toEqual(expected.sort());
    });

    test("brings no other package along, and imports none", async () => {
      const modules = join(await install(), "node_modules");
      const manifests = filesIn(modules).filter((path) => path.endsWith("/package.json"));
      expect(manifests).toEqual(["shmkit/package.json"]);

      const dist = join(modules, "shmkit", "dist");
      const imports =
        /\bfrom\s*["']([^"']*)["']|^\s*import\s*["']([^"']*)|\bimport\(([^)]*)\)|\brequire\(/gm;
      const importsOf = (path: string): string[] => {
        const source = readFileSync(join(dist, path), "utf8");
        const code = source.replace(/\/\*[^]*?\*\//g, "");
        return [...code.matchAll(imports)]
          .map(([all, ...found]) =>
            (found.find((each) => each !== undefined) ?? all).replaceAll('"', "")
          );
      };
      const isPart = (specifier: string) => /^\.\.?\/(chunk|main)-[A-Z0-9]{8}\.js$/.test(specifier);
      const files = filesIn(dist).filter((path) => path.endsWith(".js"));
      // The command may ask for what every runtime has built in; the library may not.
      const ofTheCommand = (path: string) => /^(cli\/|main-)/.test(path);
      for (const path of files) {
        const foreign = importsOf(path).filter((specifier) => !isPart(specifier));
        for (const specifier of foreign) {
          // A file of the user, by a variable: what shm layout is asked for.
          if (specifier !== "url" || !ofTheCommand(path)) expect(specifier).toMatch(/^node:\w+$/);
        }
        if (!ofTheCommand(path)) expect(foreign).toEqual([]);
      }
      const library = importsOf("mod.js").map((specifier) => specifier.replace("./", ""));
      expect(library.some(ofTheCommand)).toBe(false);
      expect(files.some((path) => importsOf(path).includes("node:process"))).toBe(true);
    });

    for (const { title, options } of USERS) {
      test(`has declarations that compile with ${title}`, async () => {
        const project = await install();
        const script = scratch.addFixture(project, "packaged_types.ts", "shmkit");
        const typeRoots = [fileURLToPath(new URL("../node_modules/@types", import.meta.url))];
        const config = { compilerOptions: { ...STRICT, ...options, typeRoots }, files: [script] };
        writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
        await scratch.make(project, ["tsc", "--project", "tsconfig.json"]);
      });
    }

    for (const runtime of ["node", "bun", "deno"] as const) {
      test(`is imported by ${runtime}`, async () => {
        const program = join(await install(), "packaged_program.ts");
        await expectProgramWorks(runtime, runtimeCommand(runtime, program));
      });
    }

    for (const runtime of ["node", "bun", "deno"] as const) {
      test(`has a command that ${runtime} runs`, async () => {
        for (const name of ["shmkit", "shm"]) {
          const script = join(await install(), "node_modules", ".bin", name);
          const command = runtimeCommand(runtime, realpathSync(script));
          await expectCommandWorks(runtime, command);
          const reading = command.flatMap((arg) =>
            arg === "--allow-ffi" ? [arg, "--allow-read"] : [arg]
          );
          await expectModuleIsImported(reading, await install());
        }
      });
    }

    test("has a command that npx runs, which says nothing of Node", async () => {
      const { stdout, stderr } = await scratch.make(await install(), [
        "npx",
        "--no",
        "shmkit",
        "ls",
        "--json",
      ]);
      expect(stderr.replace(/^npm warn .*\n/gm, "")).toBe("");
      expect(Array.isArray(JSON.parse(stdout))).toBe(true);
    });

    for (const runtime of ["node", "bun"] as const) {
      test(`is required by a CommonJS module in ${runtime}`, async () => {
        const script = join(await install(), "required.cjs");
        writeFileSync(
          script,
          'console.log(require("shmkit").SharedSegment.exists("no-such-name"));\n',
        );
        const { stdout } = await scratch.make(await install(), runtimeCommand(runtime, script));
        expect(stdout).toBe("false\n");
      });
    }
  });

  describe("a single executable of Node", () => {
    for (const { title, format, config, warnings } of EXECUTABLES) {
      test(`works ${title}`, async () => {
        const build = async (directory: string) => {
          await scratch.make(directory, [
            "esbuild",
            "packaged_program.ts",
            "--bundle",
            "--platform=node",
            `--format=${format}`,
            "--outfile=bundle.js",
          ]);
          const settings = { main: "bundle.js", output: "program", ...config };
          writeFileSync(join(directory, "sea.json"), JSON.stringify(settings));
          await scratch.make(directory, ["node", "--build-sea", "sea.json"]);
        };
        await scratch.withExecutable(
          await install(),
          build,
          (executable) => expectProgramWorks("node", [executable], warnings),
        );
      });

      test(`is the shm command ${title.replace(", without a warning", "")}`, async () => {
        const build = async (directory: string) => {
          writeFileSync(join(directory, "command.js"), 'import "shmkit/cli";\n');
          await scratch.make(directory, [
            "esbuild",
            "command.js",
            "--bundle",
            "--platform=node",
            `--format=${format}`,
            "--outfile=bundle.js",
          ]);
          const settings = { main: "bundle.js", output: "program", ...config };
          writeFileSync(join(directory, "sea.json"), JSON.stringify(settings));
          await scratch.make(directory, ["node", "--build-sea", "sea.json"]);
        };
        await scratch.withExecutable(
          await install(),
          build,
          (executable) => expectCommandWorks("node", [executable]),
        );
      });
    }
  });
});
