/**
 * Who reads and writes objects besides this process: runtimes, and programs in other languages that
 * are made from the layouts.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile, temporaryDirectory } from "../c.ts";
import {
  BOOST,
  C_COMPILER,
  type Capability,
  CPP_COMPILER,
  PYTHON,
  RUST_COMPILER,
} from "../capabilities.ts";
import { once } from "../packaging.ts";
import { Peer } from "../peers.ts";
import { PYTHONS } from "../pythons.ts";
import { HOST, RUNTIMES } from "../runtimes.ts";
import { cSource } from "./c.ts";
import type { Case } from "./layouts.ts";
import { pythonSource } from "./python.ts";
import { rustSource } from "./rust.ts";
import { fromWords, type Texts, wordsOf } from "./texts.ts";

/** Somebody who can be asked to read and write. */
export interface Partner {
  readonly name: string;
  readonly needs: readonly Capability[];
  /** Whether what it creates says what its layout is. */
  readonly isRuntime: boolean;
  /** Starts it; compiles it before, when nobody has. */
  start(): Talk;
}

/** A process that does what `tests/peers/round_trip.ts` says. */
export class Talk implements AsyncDisposable {
  readonly #peer: Peer;

  constructor(command: readonly string[], firstLine?: string) {
    this.#peer = new Peer(command, { timeoutMs: 120_000 });
    if (firstLine !== undefined) this.#peer.send(firstLine);
  }

  /** @returns The size of the file. */
  async create(layout: number, name: string, texts: Texts): Promise<number> {
    return Number(await this.#ask("create", layout, name, ...wordsOf(texts)));
  }

  /** @returns The size of the file. */
  async open(layout: number, name: string): Promise<number> {
    return Number(await this.#ask("open", layout, name));
  }

  async set(layout: number, texts: Texts): Promise<void> {
    await this.#done("set", layout, ...wordsOf(texts));
  }

  async get(layout: number, slots: Iterable<number>): Promise<Texts> {
    const numbers = [...slots];
    const answers = (await this.#ask("get", layout, ...numbers)).split(" ");
    return fromWords(numbers.map((number, index) => `${number}=${answers[index]}`));
  }

  async close(layout: number): Promise<void> {
    await this.#done("close", layout);
  }

  /** Ends it; fails unless it has nothing to complain of. */
  async end(): Promise<void> {
    const { code, signal, stderr } = await this.#peer.exit();
    if (code !== 0 || stderr !== "") throw new Error(`ended with ${signal ?? code}: ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }

  async #done(...words: (string | number)[]): Promise<void> {
    const answer = await this.#ask(...words);
    if (answer !== "done") throw new Error(`expected done, received ${answer}`);
  }

  async #ask(...words: (string | number)[]): Promise<string> {
    this.#peer.send(words.join(" "));
    return await this.#peer.line();
  }
}

const program = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The other runtimes, and this one in another process. */
export function runtimePartners(cases: readonly Case[]): Partner[] {
  const layouts = once(() => JSON.stringify(cases.map(({ layout }) => layout.describe())));
  return RUNTIMES.map(({ name, command }) => ({
    name: name === HOST.name ? `another ${name}` : name,
    needs: [],
    isRuntime: true,
    start: () => new Talk([...command, program("peers/round_trip.ts")], layouts()),
  }));
}

/** C, C++, Rust, and every Python that there is. */
export function foreignPartners(cases: readonly Case[]): Partner[] {
  const directory = temporaryDirectory();
  const layouts = cases.map(({ layout }) => layout);

  const write = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const header = once(() => write("layouts.h", cSource(layouts)));
  const module = once(() => write("layouts.py", pythonSource(layouts)));

  const compiled = (compiler: string, output: string, args: () => readonly string[]) =>
    once(() => {
      const executable = join(directory, output);
      compile(compiler, [...args(), "-o", executable]);
      return executable;
    });
  const warnings = ["-Wall", "-Wextra", "-Werror", "-fmax-errors=5", "-O1"];
  const inC = (standard: string, path: string) => () => {
    header();
    return [`-std=${standard}`, ...warnings, "-I", directory, program(path), "-pthread", "-lrt"];
  };
  const c = compiled("cc", "in-c", inC("c11", "c/round_trip.c"));
  const cpp = compiled("g++", "in-cpp", inC("c++17", "c/round_trip.cpp"));
  const rust = compiled("rustc", "in-rust", () => [
    "--edition=2021",
    "--allow=warnings",
    write("main.rs", rustSource(layouts)),
  ]);

  const partner = (name: string, needs: readonly Capability[], command: () => string[]) => ({
    name,
    needs,
    isRuntime: false,
    start: () => new Talk(command()),
  });
  const inPython = (python: string) => {
    module();
    return [python, program("python/round_trip.py"), directory];
  };
  const pythons = PYTHONS.length > 0 ? PYTHONS : [{ program: "python3", version: "3" }];
  return [
    partner("C", [C_COMPILER], () => [c()]),
    partner("C++ with Boost.Interprocess", [CPP_COMPILER, BOOST], () => [cpp()]),
    partner("Rust", [RUST_COMPILER], () => [rust()]),
    ...pythons.map(({ program, version }) =>
      partner(`Python ${version}`, [PYTHON], () => inPython(program))
    ),
  ];
}
