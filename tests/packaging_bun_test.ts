/**
 * The npm package as Bun installs it, and single executables of Bun.
 */

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OLD_NODE, testWith } from "./support/capabilities.ts";
import { cleanUpNames } from "./support/names.ts";
import {
  expectCommandWorks,
  expectModuleIsImported,
  expectProgramWorks,
  filesIn,
  once,
  ownedBy,
  runtimeCommand,
  Scratch,
} from "./support/packaging.ts";

const BYTECODE = ["--bytecode", "--minify"];

ownedBy("bun", () => {
  cleanUpNames();
  const scratch = new Scratch();

  /** A user's project with the package installed by Bun, and the program in it. */
  const install = once(async () => {
    const tarball = await scratch.packForNpm();
    const project = scratch.directory();
    writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
    await scratch.make(project, ["bun", "add", tarball]);
    scratch.addFixture(project, "packaged_program.ts", "shmkit");
    return project;
  });

  /** A user's project that has the sources, as in a monorepo. */
  const sources = once(() => scratch.checkout());

  describe("the npm package in Bun", () => {
    test("is installed and imported", async () => {
      const project = await install();
      const manifests = filesIn(project).filter((path) => path.endsWith("/package.json"));
      expect(manifests).toEqual(["node_modules/shmkit/package.json"]);
      const program = join(project, "packaged_program.ts");
      await expectProgramWorks("bun", runtimeCommand("bun", program));
    });
  });

  describe("the command of the npm package in Bun", () => {
    test("is run by bunx, in the node that is first on the path", async () => {
      const { stdout, stderr } = await scratch.make(await install(), [
        "bun",
        "x",
        "shmkit",
        "--version",
      ]);
      expect(stdout).toMatch(/^shm \S+ \(Node /);
      expect(stderr).toBe("");
    });

    testWith([OLD_NODE], "is run by bunx in Bun, where that node is too old", async () => {
      const env = { PATH: `${dirname(OLD_NODE.path as string)}:/usr/bin:/bin` };
      const [bun] = runtimeCommand("bun", "") as [string];
      const { stdout, stderr } = await scratch.make(await install(), [
        bun,
        "x",
        "shmkit",
        "--version",
      ], env);
      expect(stdout).toMatch(/^shm \S+ \(Bun /);
      expect(stderr).toBe("");
    });

    test("is run by bunx --bun", async () => {
      const command = ["bun", "x", "--bun", "shmkit", "--version"];
      const { stdout } = await scratch.make(await install(), command);
      expect(stdout).toMatch(/^shm \S+ \(Bun /);
    });

    test("works as a single executable", async () => {
      await scratch.withExecutable(
        await install(),
        async (directory) => {
          writeFileSync(join(directory, "command.js"), 'import "shmkit/cli";\n');
          await scratch.make(directory, [
            "bun",
            "build",
            "--compile",
            ...BYTECODE,
            "--compile-autoload-package-json", // for packages that modules of the user import
            "command.js",
            "--outfile=program",
          ]);
        },
        async (executable) => {
          await expectCommandWorks("bun", [executable]);
          await expectModuleIsImported([executable], await install());
        },
      );
    });
  });

  describe("a single executable of Bun", () => {
    const packaged = "packaged_program.ts";
    const variants = [
      { title: "from the npm package", from: install, main: packaged, flags: [] },
      {
        title: "from the npm package with --bytecode --minify",
        from: install,
        main: packaged,
        flags: BYTECODE,
      },
      {
        title: "from the npm package with --bytecode --minify --format=esm",
        from: install,
        main: packaged,
        flags: [...BYTECODE, "--format=esm"],
      },
      {
        title: "from the sources with --bytecode --minify",
        from: sources,
        main: `tests/fixtures/${packaged}`,
        flags: BYTECODE,
      },
    ];
    for (const { title, from, main, flags } of variants) {
      test(`works ${title}`, async () => {
        await scratch.withExecutable(
          await from(),
          (directory) =>
            scratch.make(directory, [
              "bun",
              "build",
              "--compile",
              ...flags,
              main,
              "--outfile=program",
            ]),
          (executable) => expectProgramWorks("bun", [executable]),
        );
      });
    }
  });
});
