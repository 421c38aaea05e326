/**
 * What a machine may lack. A test that needs it is skipped by its name there, and fails on CI.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "bun:test";
import { canConfigureHugePages } from "./huge_pages.ts";
import { canMakeMemoryGroup } from "./memory_group.ts";

/** Something that a machine may lack. */
export interface Capability {
  /** What it is, as the title of a skipped test says it. */
  readonly name: string;
  readonly present: boolean;
}

function works(...command: [string, ...string[]]): boolean {
  const [program, ...args] = command;
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** Whether a program says that it is of some version, or of a later one. */
function isAtLeast(major: number, minor: number, program: string, ...args: string[]): boolean {
  const { stdout } = spawnSync(program, args, { encoding: "utf8" });
  const [, x, y] = /(\d+)\.(\d+)/.exec(stdout ?? "") ?? [];
  return Number(x) > major || Number(x) === major && Number(y) >= minor;
}

const isRoot = process.getuid?.() === 0;

/** `cc`, for peers written in C. */
export const C_COMPILER: Capability = {
  name: "a C compiler (cc)",
  present: works("cc", "--version"),
};

/** For verifying the models of the protocols. */
export const SPIN: Capability = {
  name: "a model checker (spin)",
  present: works("spin", "-V"),
};

/** For checking the figures of 64-bit ARM. */
export const ARM64_COMPILER: Capability = {
  name: "a C compiler for 64-bit ARM (aarch64-linux-gnu-gcc)",
  present: works("aarch64-linux-gnu-gcc", "--version"),
};

/** `g++`, for generated headers. */
export const CPP_COMPILER: Capability = {
  name: "a C++ compiler (g++)",
  present: works("g++", "--version"),
};

/** For peers in C++ that take their memory from Boost. */
export const BOOST: Capability = {
  name: "Boost.Interprocess (libboost-dev)",
  present: ["/usr", "/usr/local"].some((prefix) =>
    existsSync(`${prefix}/include/boost/interprocess/shared_memory_object.hpp`)
  ),
};

/** `rustc`, for generated modules. */
export const RUST_COMPILER: Capability = {
  name: "Rust 1.77 or later (rustc)",
  present: isAtLeast(1, 77, "rustc", "--version"),
};

/** For a `/dev/shm` of a size that a test chooses. */
export const MOUNT_NAMESPACE: Capability = {
  name: "the right to make a mount namespace (root, unshare)",
  present: isRoot && works("unshare", "-m", "true"),
};

/** For being somebody else. */
export const OTHER_USERS: Capability = {
  name: "the right to act as another user (root)",
  present: isRoot,
};

/** `python3`, for peers written in Python. */
export const PYTHON: Capability = {
  name: "Python 3.8 or later (python3)",
  present: works("python3", "-c", "import multiprocessing.shared_memory"),
};

/** `sysv_ipc`, for peers in Python that use System V. Debian's is for the system's own Python. */
export const SYSV_IPC: Capability & { readonly program: string } = {
  name: "the module sysv_ipc (python3-sysv-ipc)",
  program: "/usr/bin/python3",
  present: works("/usr/bin/python3", "-c", "import sysv_ipc"),
};

/** NumPy, for arrays in shared memory. Debian's is for the system's own Python. */
export const NUMPY: Capability & { readonly program: string } = findNumpy();

function findNumpy(): Capability & { readonly program: string } {
  const programs = ["python3", "/usr/bin/python3"];
  const program = programs.find((each) => works(each, "-c", "import numpy"));
  const name = "the module numpy (python3-numpy)";
  return { name, present: program !== undefined, program: program ?? "python3" };
}

/** For the listings of util-linux, as what the library lists is compared with. */
export const IPC_TOOLS: Capability = {
  name: "ipcs, lsipc, ipcrm and ipcmk (util-linux)",
  present: ["ipcs", "lsipc", "ipcrm", "ipcmk"].every((tool) => works(tool, "--version")),
};

/** Groups of processes with a limit of memory. */
export const MEMORY_GROUP: Capability = {
  name: "the right to make a control group (root)",
  present: isRoot && canMakeMemoryGroup(),
};

/** Pages of 2 MiB from the machine's pool. */
export const HUGE_PAGES: Capability = {
  name: "the right to configure huge pages (root), and memory for them",
  present: isRoot && canConfigureHugePages(),
};

/** A Node that has no `node:ffi`, on the path or at one of the usual places. */
export const OLD_NODE: Capability & { readonly path: string | undefined } = findOldNode();

function findOldNode(): Capability & { readonly path: string | undefined } {
  const directories = [...(process.env["PATH"] ?? "").split(":"), "/usr/bin", "/usr/local/bin"];
  const path = directories.map((directory) => `${directory}/node`).find((program) => {
    const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
    const [, major] = /^v(\d+)\./.exec(stdout ?? "") ?? [];
    return Number(major) < 26;
  });
  return { name: "a Node before 26 (node)", present: path !== undefined, path };
}

/** Declares a test that needs something a machine may lack. */
export function testWith(
  capabilities: readonly Capability[],
  title: string,
  body: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  const missing = capabilities.filter(({ present }) => !present).map(({ name }) => name);
  if (missing.length === 0) {
    test(title, body, timeoutMs);
  } else if (process.env["CI"] !== undefined) {
    test(title, () => {
      throw new Error(`This test must run on CI, which lacks ${missing.join(" and ")}`);
    });
  } else {
    test.skip(`${title} (skipped: needs ${missing.join(" and ")})`, () => {});
  }
}
