/**
 * Finding the C library and the functions in it.
 *
 * @module
 */

import { ShmError } from "../../errors.ts";
import type { CLibrary } from "../platforms/platform.ts";
import type { BackgroundThread, Declarations, NativeFunctions } from "../runtimes/runtime.ts";
import { platform, runtime } from "../select.ts";

const errnoDeclarations = {
  // int *__errno_location(void);
  __errno_location: ["address"],
} as const satisfies Declarations;

/**
 * This thread's `errno`. Each thread has a copy of this module, as it has an `errno`.
 *
 * To be read in the expression right behind the native call: whatever else the runtime does in
 * between may overwrite it, and the entry of a function is enough for that (seen in Node: a compiler
 * or the collector takes its turn there). Plain access is right: it is this thread's own, and native
 * calls are opaque to the compilers.
 */
export let errno: Int32Array = new Int32Array(1);

let loaded: CLibrary | undefined;

/** The C library that is in use. */
export function cLibrary(): CLibrary {
  if (loaded === undefined) {
    const { library, functions } = locate(errnoDeclarations);
    // The memory outlives the view: both live as long as this thread.
    errno = new Int32Array(runtime().viewMemory(functions.__errno_location(), 4));
    loaded = platform().libraries.find(({ name }) => name === library) as CLibrary;
  }
  return loaded;
}

/**
 * Turns a C result into what this library uses everywhere, as the kernel does: a value of zero and
 * above, or a negative error number.
 *
 * @param result The native call itself.
 * @param code `errno[0]`, which is read before anything else happens because it is the next argument.
 */
export function settle(result: number, code: number | undefined): number {
  return result === -1 ? -(code as number) : result;
}

/**
 * Declares C functions, to be bound when they are first used: importing the library calls nothing.
 *
 * @param declarations The prototypes, by name.
 * @returns A function that gives the bound functions.
 */
export function bind<const D extends Declarations>(declarations: D): () => NativeFunctions<D> {
  let bound: NativeFunctions<D> | undefined;
  return () => {
    if (bound !== undefined) return bound;
    cLibrary();
    return bound = resolve(declarations);
  };
}

/**
 * As {@linkcode bind}, for a function that some C libraries lack.
 *
 * @returns A function that gives the bound functions, or undefined where one is missing.
 */
export function bindOptional<const D extends Declarations>(
  declarations: D,
): () => NativeFunctions<D> | undefined {
  const required = bind(declarations);
  let missing = false;
  return () => {
    if (missing) return undefined;
    try {
      return required();
    } catch (error) {
      if (!(error instanceof ShmError && error.code === "ERR_SHM_UNSUPPORTED")) throw error;
      missing = true;
      return undefined;
    }
  };
}

/**
 * Makes another thread that calls C functions which return 0 when they have done what they are for.
 *
 * @param undo The function that undoes a call, called with its first argument.
 */
export function bindBackground(declarations: Declarations, undo: string): BackgroundThread {
  const { library } = locate(declarations);
  return runtime().backgroundThread(library, declarations, undo);
}

/** Binds all functions, one by one when no single library has them all. */
function resolve<D extends Declarations>(declarations: D): NativeFunctions<D> {
  try {
    return locate(declarations).functions as NativeFunctions<D>;
  } catch (error) {
    const entries = Object.entries(declarations);
    if (entries.length === 1 || isForbidden(error)) throw error;
    const functions = entries.map(([name, signature]) =>
      locate({ [name]: signature }).functions[name]
    );
    return Object.fromEntries(
      entries.map(([name], index) => [name, functions[index]]),
    ) as NativeFunctions<D>;
  }
}

/** Tries the libraries of the platform in turn. */
function locate<D extends Declarations>(
  declarations: D,
): { library: string; functions: NativeFunctions<D> } {
  const { libraries, companionLibraries } = platform();
  const candidates = [...libraries.map(({ name }) => name), ...companionLibraries];
  let cause: unknown;
  for (const library of candidates) {
    try {
      return { library, functions: runtime().load(library, declarations) };
    } catch (error) {
      if (isForbidden(error)) throw error;
      cause ??= error; // the C library's own answer says more than that of the last resort
    }
  }
  const names = Object.keys(declarations).join(", ");
  throw new ShmError(
    `Cannot bind ${names}: not found in ${candidates.join(", ")} by ${runtime().version}. ` +
      "Run it on a system with glibc 2.28 or musl 1.2.4, or later.",
    { code: "ERR_SHM_UNSUPPORTED", cause },
  );
}

function isForbidden(error: unknown): boolean {
  return error instanceof ShmError && error.code === "ERR_SHM_PERMISSION";
}
