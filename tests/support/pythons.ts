/**
 * The Pythons of this machine: what they do with shared memory differs from version to version.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { PYTHON } from "./capabilities.ts";

/** A Python with `multiprocessing.shared_memory`, which came with 3.8. */
export interface Python {
  readonly program: string;
  readonly version: string;
}

const SCRIPT = "import multiprocessing.shared_memory, sys; " +
  "print(sys.executable, '.'.join(map(str, sys.version_info[:3])))";

/** The one that `python3` starts, the system's, and those of pyenv; one of each version. */
export const PYTHONS: readonly Python[] = findPythons();

function findPythons(): Python[] {
  if (!PYTHON.present) return [];
  const versions = join(homedir(), ".pyenv/versions");
  const programs = ["python3", "/usr/bin/python3"];
  try {
    programs.push(
      ...readdirSync(versions).sort().map((each) => join(versions, each, "bin/python3")),
    );
  } catch {
    // There is no pyenv.
  }
  const found = programs.flatMap((each) => {
    const { status, stdout } = spawnSync(each, ["-c", SCRIPT], { encoding: "utf8" });
    if (status !== 0) return [];
    const [program, version] = stdout.trim().split(" ") as [string, string];
    return [{ program, version }];
  });
  return found.filter(({ version }, index) =>
    found.findIndex((other) => other.version === version) === index
  );
}
