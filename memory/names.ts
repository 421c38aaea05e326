/**
 * The names of shared objects: one namespace, in which `frames` and `/frames` are the same.
 *
 * @module
 */

import { type Action, misuse } from "../errors.ts";
import { encodeText, isEncodable, platform } from "../ffi/mod.ts";

/** The longest name that can be created, in bytes: room is left for prefixes of the library. */
const MAX_NAME_BYTE_LENGTH = 240;

/** What the library's own files, made beside the users' objects, start with. */
export const MAILBOX_PREFIX = "shmkit-mailbox-";

const CREATABLE = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/**
 * Checks a name that is to be created, and removes the leading slash.
 *
 * The set is what is portable and what terminals, shells and other languages can show unharmed.
 */
export function creatableName(action: Action, value: unknown): string {
  const name = existingName(action, value);
  if (new TextEncoder().encode(name).byteLength > MAX_NAME_BYTE_LENGTH) {
    throw new TypeError(
      misuse(action, `name must be at most ${MAX_NAME_BYTE_LENGTH} bytes long`, value),
    );
  }
  if (!CREATABLE.test(name)) {
    const rule =
      'name must consist of letters, digits, "_", "." and "-" and start with none of ".-"';
    throw new TypeError(misuse(action, rule, value));
  }
  for (const prefix of ["sem.", MAILBOX_PREFIX]) {
    if (name.startsWith(prefix)) {
      throw new TypeError(
        misuse(action, `name must not start with "${prefix}", which is reserved`, value),
      );
    }
  }
  return name;
}

/**
 * Checks a name that may exist, whoever made it, and removes the leading slash. Only what no object
 * can be called is refused. Bytes that are no UTF-8 are lone surrogates, as `listSegments` gives them.
 */
export function existingName(action: Action, value: unknown, prefix: string = ""): string {
  if (typeof value !== "string") {
    throw new TypeError(misuse(action, "name must be a string", value));
  }
  const name = value.startsWith("/") ? value.slice(1) : value;
  const refuse = (rule: string) => new TypeError(misuse(action, rule, value));
  if (name === "") throw refuse("name must not be empty");
  if (name === "." || name === "..") throw refuse('name must not be "." or ".."');
  if (name.includes("/")) throw refuse('name must not contain "/" except as its first character');
  if (name.includes("\0")) throw refuse("name must not contain a NUL character");
  if (!isEncodable(name)) throw refuse("name must be well-formed Unicode");
  const maxNameByteLength = platform().maxNameByteLength - prefix.length;
  if (encodeText(name).byteLength > maxNameByteLength) {
    throw refuse(`name must be at most ${maxNameByteLength} bytes long`);
  }
  return name;
}
