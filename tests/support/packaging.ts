/**
 * Making the forms that the library ships in, as a publisher and a user make them, and running what
 * comes out.
 *
 * @module
 */

import { afterAll, expect } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownFiles, uniqueName } from "./names.ts";
import { type Exit, Peer, succeed } from "./peers.ts";
import { HOST, type RuntimeCommand, RUNTIMES } from "./runtimes.ts";

type RuntimeName = RuntimeCommand["name"];

const root = fileURLToPath(new URL("../..", import.meta.url));
const fixtures = join(root, "tests", "fixtures");
const bin = join(root, "node_modules", ".bin");

/** Not part of the project: what others have made in it. */
const NOT_COPIED = new Set([".git", "node_modules", "dist"]);

/** A tool may take this long; then it is killed with all that it has started. */
const TOOL_TIMEOUT_S = 150;

/** Nobody listens at this port: whatever wants the network fails at once. */
const NOWHERE = "http://127.0.0.1:9";

/** Environment variables without which a tool has a way to the network. */
const OFFLINE = { HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, npm_config_registry: NOWHERE };

/** What ships besides the code and the manifests, when it is there. */
export const DOCUMENTS: readonly string[] = ["CHANGELOG.md", "README.md"].filter((name) =>
  existsSync(join(root, name))
);

/**
 * Declares tests in one host only.
 *
 * **The rule**: every form is made and run by child processes, so that nothing in its tests depends
 * on the runtime that hosts them, and making it takes seconds. So it is tested under the runtime
 * whose tools make it, and not declared under the others, which is not a skip:
 *
 * - Node: the npm package, its types, the single executable of Node;
 * - Bun: the npm package installed by Bun, the single executables of Bun;
 * - Deno: what is published to JSR, the single executable of Deno.
 */
export function ownedBy(host: RuntimeName, declare: () => void): void {
  if (HOST.name === host) declare();
}

/** Makes something at most once, when a test first needs it. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The files in a directory and below, as paths relative to it, in order. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(directory, path)).isFile())
    .sort();
}

/** The command that runs a script in a runtime. */
export function runtimeCommand(name: RuntimeName, script: string): string[] {
  const runtime = RUNTIMES.find((each) => each.name === name) as RuntimeCommand;
  return [...runtime.command, script];
}

/**
 * Runs `tests/fixtures/packaged_program.ts` in some form, in an environment that has nothing in it,
 * with a peer in another runtime. Expects all that it has to do, and nothing to be left behind.
 *
 * @param runtime The runtime that the form contains or is run by.
 * @param command The command that runs it.
 * @param warnings What it says on standard error: nothing by default.
 */
export async function expectProgramWorks(
  runtime: RuntimeName,
  command: readonly string[],
  warnings: RegExp = /^$/,
): Promise<void> {
  const name = uniqueName();
  await using program = new Peer([...command, name], { wrapper: ["env", "-i", "-C", "/"] });
  expect(await program.line()).toBe("waiting");

  const another = runtime === "node" ? "bun" : runtime === "bun" ? "deno" : "node";
  const answer = `answered by ${another}`;
  const peer = new Peer([
    ...runtimeCommand(another, join(fixtures, "packaging_peer.ts")),
    name,
    answer,
  ]);
  expect(await succeed(peer)).toBe("written by the program\n");

  const { stderr, ...exit } = await program.exit();
  expect(stderr).toMatch(warnings);
  expect(exit).toEqual({
    code: 0,
    signal: null,
    stdout: `waiting\n${runtime} got: ${answer}\n` +
      `ShmError ENOENT: Cannot open segment "${name}": it does not exist (ENOENT from shm_open). ` +
      "Create it first, or wait for it with openAsync().\n",
  });
  expect(ownFiles()).toEqual([]);
}

/**
 * Runs the `shm` command in some form, in an environment that has nothing in it. Expects it to make a
 * segment, to list it, to remove it, and to fail as it should.
 *
 * @param runtime The runtime that the form contains or is run by.
 * @param command The command that runs it.
 */
export async function expectCommandWorks(
  runtime: RuntimeName,
  command: readonly string[],
  warnings: RegExp = /^$/,
): Promise<void> {
  const name = uniqueName();
  const run = async (...args: string[]): Promise<{ code: number | null; stdout: string }> => {
    const peer = new Peer([...command, ...args], { wrapper: ["env", "-i", "-C", "/"] });
    const { code, stdout, stderr } = await peer.exit();
    if (code === 0) expect(stderr).toMatch(warnings);
    return { code, stdout };
  };
  const version = await run("--version");
  expect(version.stdout.toLowerCase()).toContain(` (${runtime} `);
  expect(await run("create", name, "--size", "5000")).toEqual({ code: 0, stdout: `${name}\n` });
  const { stdout } = await run("ls", "--json", name);
  expect(JSON.parse(stdout)).toMatchObject([{ target: name, kind: "posix", size: 5000 }]);
  expect(await run("rm", name)).toEqual({ code: 0, stdout: "" });
  expect((await run("rm", name)).code).toBe(1);
  expect(ownFiles()).toEqual([]);
}

/**
 * Has the `shm` command in some form import a module in TypeScript that imports the library by its
 * name, as users write it, and write its layout for C.
 *
 * @param command The command that runs it.
 * @param project The user's project, in which the library is installed.
 */
export async function expectModuleIsImported(
  command: readonly string[],
  project: string,
): Promise<void> {
  const source = 'import { t } from "shmkit";\n' +
    'const length: number = 2;\nexport const Pair = t.struct("Pair", { of: t.array(t.u32, length) });\n';
  writeFileSync(join(project, "schema.ts"), source);
  const wrapper = ["env", "-i", "-C", project];
  const peer = new Peer([...command, "layout", "schema.ts", "--lang", "c"], { wrapper });
  const { code, stdout } = await peer.exit();
  expect({ code, start: stdout.split(",")[0] }).toEqual({ code: 0, start: "/* Pair" });
  expect(stdout).toContain("SHMKIT_ASSERT(sizeof(Pair) == 8);");
}

/**
 * A directory in which forms are made, removed after the tests of the file: to be constructed at the
 * file's top level.
 *
 * Its tools are those of `node_modules`, and run in an environment that has no variable of this
 * process and no way to the network.
 */
export class Scratch {
  readonly #path = mkdtempSync(join(tmpdir(), "shmkit-packaging-"));
  #directories = 0;

  constructor() {
    afterAll(() => rmSync(this.#path, { recursive: true, force: true }));
  }

  /** An empty directory. */
  directory(): string {
    const path = join(this.#path, `${this.#directories++}`);
    mkdirSync(path);
    return path;
  }

  /** A copy of the project as a publisher has it, with the tools installed. */
  checkout(): string {
    const directory = this.directory();
    for (const name of readdirSync(root)) {
      if (!NOT_COPIED.has(name)) {
        cpSync(join(root, name), join(directory, name), { recursive: true });
      }
    }
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
    return directory;
  }

  /**
   * Runs a tool to its end.
   *
   * @param directory Where it runs.
   * @param command The tool and its arguments.
   * @param env Its environment variables, besides those that every tool gets.
   */
  async run(
    directory: string,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Exit> {
    const variables = Object.entries({
      ...OFFLINE,
      HOME: join(this.#path, "home"),
      NO_COLOR: "1",
      PATH: `${bin}:${process.env["PATH"]}`,
      ...env,
    });
    const assignments = variables.map(([name, value]) => `${name}=${value}`);
    const watchdog = ["timeout", "--verbose", "--signal=KILL", `${TOOL_TIMEOUT_S}`];
    const peer = new Peer(command, {
      wrapper: ["env", "-i", "-C", directory, ...assignments, ...watchdog],
      timeoutMs: (TOOL_TIMEOUT_S + 5) * 1000,
    });
    return await peer.exit();
  }

  /** As {@linkcode run}; fails with what the tool has said unless it exits with 0. */
  async make(
    directory: string,
    command: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<Exit> {
    const exit = await this.run(directory, command, env);
    if (exit.code === 0) return exit;
    const { code, signal, stdout, stderr } = exit;
    throw new Error(`${command.join(" ")} ended with ${signal ?? code}: ${stdout}${stderr}`);
  }

  /** Makes the npm package. @returns The path of the tarball. */
  async packForNpm(): Promise<string> {
    const destination = this.directory();
    await this.make(this.checkout(), ["npm", "pack", `--pack-destination=${destination}`]);
    const [tarball, ...others] = readdirSync(destination) as [string, ...string[]];
    expect(others).toEqual([]);
    return join(destination, tarball);
  }

  /**
   * Puts a fixture into a user's project.
   *
   * @param directory The project.
   * @param fixture The file in `tests/fixtures/`, which imports the library by its path.
   * @param specifier How a user imports it; the subpath `sync` follows from that.
   * @returns The path of the copy.
   */
  addFixture(directory: string, fixture: string, specifier: string): string {
    const source = readFileSync(join(fixtures, fixture), "utf8");
    const subpath = specifier.endsWith("mod.ts")
      ? specifier.replace(/mod\.ts$/, "sync/mod.ts")
      : `${specifier}/sync`;
    const imported = source.replaceAll('"../../mod.ts"', JSON.stringify(specifier))
      .replaceAll('"../../sync/mod.ts"', JSON.stringify(subpath));
    expect(imported).not.toBe(source);
    const path = join(directory, fixture);
    writeFileSync(path, imported);
    return path;
  }

  /**
   * Makes an executable in a copy of a project, removes that copy, and gives the executable to a
   * function: what it does not contain is not there any more.
   *
   * @param project The project.
   * @param build What makes the file `program` in the directory that it is given.
   * @param use What runs it. The executable is removed afterwards; it has a hundred megabytes.
   */
  async withExecutable(
    project: string,
    build: (directory: string) => Promise<unknown>,
    use: (executable: string) => Promise<void>,
  ): Promise<void> {
    const workplace = this.directory();
    const executable = join(this.directory(), "program");
    try {
      cpSync(project, workplace, { recursive: true });
      await build(workplace);
      renameSync(join(workplace, "program"), executable);
      rmSync(workplace, { recursive: true });
      await use(executable);
    } finally {
      for (const each of [workplace, executable]) rmSync(each, { recursive: true, force: true });
    }
  }
}
