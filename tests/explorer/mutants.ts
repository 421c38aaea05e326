/**
 * Mutants of the production source, each with a planted mistake: the explorer has to find it.
 *
 * @module
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Exploration, explore } from "./explorer.ts";

/** A mistake in one file of `sync/`. */
export interface Mutant {
  /** What is wrong with it. */
  readonly what: string;
  /** The text that is replaced: it occurs once. */
  readonly find: string;
  readonly replace: string;
  /** The exploration that finds it. */
  readonly foundBy: string;
}

/** The mutants of a file. */
export interface Mutation<P> {
  /** In `sync/protocols/`. */
  readonly file: string;
  readonly explorations: (protocol: P) => Readonly<Record<string, Exploration>>;
  readonly mutants: readonly Mutant[];
}

const protocols = new URL("../../sync/protocols/", import.meta.url);

/** Imports mutants, from copies in a temporary folder that is gone with `Symbol.dispose`. */
export class Nursery implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "shmkit-mutants-"));
  #count = 0;

  /** @throws {Error} When the text to be replaced does not occur exactly once. */
  async breed(file: string, { what, find, replace }: Mutant): Promise<unknown> {
    const url = new URL(file, protocols);
    const source = readFileSync(url, "utf8");
    if (source.split(find).length !== 2) {
      throw new Error(`${file} has no single place for the mutant "${what}"`);
    }
    const mutated = source.replace(find, () => replace)
      .replace(/(from ")(\.[^"]+)"/g, (_, from, path) => `${from}${new URL(path, url).href}"`);
    const folder = join(this.#folder, String(this.#count++));
    mkdirSync(folder);
    // No package.json there says that it is a module.
    const path = join(folder, basename(file).replace(/\.ts$/, ".mts"));
    writeFileSync(path, mutated);
    return await import(pathToFileURL(path).href);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Explores a mutant. @returns What was found, or undefined. */
export async function hunt<P>(
  nursery: Nursery,
  { file, explorations }: Mutation<P>,
  mutant: Mutant,
): Promise<string | undefined> {
  const all = explorations(await nursery.breed(file, mutant) as P);
  const exploration = all[mutant.foundBy];
  if (exploration === undefined) throw new Error(`no exploration "${mutant.foundBy}"`);
  return explore(exploration).failure;
}
