/**
 * The programs of `examples/`, started as their READMEs say.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Peer } from "./peers.ts";
import { RUNTIMES } from "./runtimes.ts";

const root = new URL("../../", import.meta.url);
const bin = fileURLToPath(new URL("node_modules/.bin", root));

/** The environment in which READMEs have their commands typed: with the pinned runtimes. */
export const PINNED: Readonly<Record<string, string>> = {
  PATH: `${bin}${delimiter}${process.env["PATH"]}`,
};

/** What follows the script in the commands of a README is an example: the test gives its own. */
function words(line: string, script: string): string[] {
  const all = line.trim().split(/\s+/);
  return all.slice(0, all.indexOf(script) + 1);
}

/** One example: a folder with a README that has a command for each runtime and script. */
export class Example {
  readonly folder: string;
  readonly #lines: readonly string[];

  /** @param name The folder in `examples/`. */
  constructor(name: string) {
    this.folder = `examples/${name}`;
    const readme = readFileSync(new URL(`${this.folder}/README.md`, root), "utf8");
    const blocks = readme.match(/^```sh\n[^]*?^```$/gm) ?? [];
    this.#lines = blocks.flatMap((block) => block.split("\n").slice(1, -1));
  }

  /** The path of a file of the folder. */
  path(file: string): string {
    return fileURLToPath(new URL(`${this.folder}/${file}`, root));
  }

  /** The commands of the README that start a script, as they stand there. */
  lines(script: string): string[] {
    // What follows the first script are its arguments.
    return this.#lines.filter((line) =>
      / (\S+\.ts)\b/.exec(line)?.[1] === `${this.folder}/${script}`
    );
  }

  /**
   * The command of the README that starts a script, with the pinned runtime; the last one if there
   * are several.
   */
  command(program: string, script: string): string[] {
    const path = `${this.folder}/${script}`;
    const line = this.lines(script).findLast((each) => each.startsWith(`${program} `));
    if (line === undefined) throw new Error(`The README has no command "${program} ... ${path}"`);
    const runtime = RUNTIMES.find(({ name }) => name === program);
    if (runtime === undefined) throw new Error(`${program} is no runtime`);
    // Permissions name folders: that of the example, and that of temporary files.
    const options = words(line, path).slice(1, -1).map((option) =>
      option.replace("=examples/", `=${fileURLToPath(new URL("examples/", root))}`)
        .replace(/=\/tmp$/, `=${tmpdir()}`)
    );
    // A test has nobody who could answer a question, and no use for the warning.
    if (program === "deno") options.push("--no-prompt", "--quiet");
    if (program === "node") options.unshift("--disable-warning=ExperimentalWarning");
    return [runtime.command[0], ...options, this.path(script)];
  }

  /** Starts a script in a runtime. */
  start(program: string, script: string, ...args: readonly (string | number)[]): Peer {
    return new Peer([...this.command(program, script), ...args.map(String)]);
  }

  /** Starts all of it by its one command. */
  demo(runtime: string, name: string): Peer {
    return new Peer(["sh", this.path("demo.sh"), runtime, name], { env: PINNED });
  }
}

/** Presses Ctrl-C. Not `kill()` of the child: Deno then takes it for ended by the signal. */
export function interrupt({ pid }: Peer, signal: NodeJS.Signals = "SIGINT"): void {
  if (pid > 1) process.kill(pid, signal);
}
