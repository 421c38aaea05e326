/**
 * How other languages spell what synchronises: as words that only the library for them touches.
 *
 * @module
 */

import type { Spelling } from "../layout/field.ts";

/**
 * Gives the spelling of a type that is a number of 32-bit words.
 *
 * In C it is the type of `shmkit.h`, which may be included before or behind: both define it behind
 * the same guard.
 *
 * @param name As in `mutex`, of small letters, digits and underscores.
 * @param words How many.
 */
export function spellingOfWords(name: string, words: number): Spelling {
  const type = `shmkit_${name}`;
  const rust = type.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    // Not the bare name: in C++, a field that is called like its type would hide it.
    c: `struct ${type}`,
    rust,
    python: type,
    definitions: {
      c: `typedef struct ${type} { uint32_t words[${words}]; } ${type};`,
      rust: `#[allow(dead_code)]\n#[repr(C)]\npub struct ${rust} {\n` +
        `  pub words: [core::sync::atomic::AtomicU32; ${words}],\n}`,
      python: `class ${type}(ctypes.Structure):\n` +
        `    _fields_ = [("words", ctypes.c_uint32 * ${words})]\n`,
    },
  };
}
