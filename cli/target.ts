/**
 * What an argument names.
 *
 *     frames  /frames     a POSIX segment
 *     sem:ready           a POSIX semaphore
 *     id:12  key:0x162e   a System V segment
 *     semid:3 semkey:0x7  a set of System V semaphores
 *     /id:12              a POSIX segment that is really called so
 *
 * Names are in the notation of `escape.ts`.
 *
 * @module
 */

import type { Action } from "../errors.ts";
import { escapeName, unescapeName } from "./escape.ts";
import { UsageError } from "./exit_codes.ts";
import { formatKey } from "./units.ts";

/** An object that somebody may have made. */
export type Target =
  | { readonly kind: "posix"; readonly name: string }
  | { readonly kind: "semaphore"; readonly name: string }
  | SystemVTarget<"systemv">
  | SystemVTarget<"semset">;

/** By its number, or by the key that was agreed upon. */
type SystemVTarget<Kind> =
  | { readonly kind: Kind; readonly id: number; readonly key?: undefined }
  | { readonly kind: Kind; readonly key: number; readonly id?: undefined };

/** What the help of every verb with targets says. */
export const TARGETS_HELP = `Targets:
  NAME, /NAME        a POSIX segment; /NAME for names such as id:3 and -x
  sem:NAME           a POSIX semaphore
  id:N, key:0xN      a System V segment; semid:N, semkey:0xN a set of semaphores
  Names are written as \`shm ls\` prints them: '\\x1b' is a byte, '\\\\' a backslash.`;

/** The functions that would find them. */
export const SYSCALLS: Readonly<Record<Target["kind"], string>> = {
  posix: "shm_open",
  semaphore: "sem_open",
  systemv: "shmget",
  semset: "semget",
};

/** What is being done to a target, for messages. */
export function actionOn(verb: string, target: Target): Action {
  switch (target.kind) {
    case "posix":
      return { verb, noun: "segment", name: target.name };
    case "semaphore":
      return { verb, noun: "semaphore", name: target.name };
    case "systemv":
      return { verb, noun: `segment ${formatTarget(target)}` };
    case "semset":
      return { verb, noun: `semaphore set ${formatTarget(target)}` };
  }
}

const SCHEME = /^(id|key|semid|semkey|sem):/;

/** Reads a target; throws a `UsageError` for what can be none. */
export function parseTarget(text: string): Target {
  const [prefix = "", scheme] = SCHEME.exec(text) ?? [];
  const rest = text.slice(prefix.length);
  switch (scheme) {
    case "id":
      return { kind: "systemv", id: number(text, rest, 0x7fffffff) };
    case "semid":
      return { kind: "semset", id: number(text, rest, 0x7fffffff) };
    case "key":
      return { kind: "systemv", key: keyOf(text, rest) };
    case "semkey":
      return { kind: "semset", key: keyOf(text, rest) };
    case "sem":
      return { kind: "semaphore", name: nameOf(text, rest) };
    default:
      return { kind: "posix", name: nameOf(text, text) };
  }
}

function keyOf(text: string, digits: string): number {
  const key = number(text, digits, 0xffffffff);
  if (key !== 0) return key;
  throw new UsageError(`${quoted(text)}: what is private has no key; name it by its id`);
}

/** Reads targets, of which there must be one at least. */
export function parseTargets(texts: readonly string[]): Target[] {
  if (texts.length === 0) throw new UsageError("name at least one object");
  return texts.map(parseTarget);
}

/** Reads the one target of a verb. */
export function parseOneTarget(texts: readonly string[]): Target {
  if (texts.length === 0) throw new UsageError("name an object");
  if (texts.length > 1) throw new UsageError(`name one object, not ${texts.length}`);
  return parseTarget(texts[0] as string);
}

/** A target as arguments have it, to be printed and to be pasted within single quotes. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case "semaphore":
      return `sem:${escapeName(target.name)}`;
    case "posix": {
      const name = escapeName(target.name);
      return SCHEME.test(name) || name.startsWith("-") ? `/${name}` : name;
    }
    default: {
      const prefix = target.kind === "semset" ? "sem" : "";
      return target.id === undefined
        ? `${prefix}key:${formatKey(target.key)}`
        : `${prefix}id:${target.id}`;
    }
  }
}

function nameOf(text: string, escaped: string): string {
  const name = unescapeName(escaped)?.replace(/^\//, "");
  if (name === undefined) {
    throw new UsageError(
      `${quoted(text)}: a backslash starts \\\\, \\n, \\t, \\r, \\xHH, \\uHHHH or \\UHHHHHHHH`,
    );
  }
  const isImpossible = name === "" || name === "." || name === ".." || /[/\0]/.test(name);
  if (isImpossible) throw new UsageError(`${quoted(text)}: no object can have that name`);
  return name;
}

function number(text: string, digits: string, maximum: number): number {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(digits) ? Number(digits) : NaN;
  if (value <= maximum) return value;
  throw new UsageError(`${quoted(text)}: must be a number up to ${maximum}, such as 12 or 0x162e`);
}

const quoted = (text: string) => `'${escapeName(text)}'`;

/**
 * Makes a test for printed targets of a pattern: `*` stands for any characters, `?` for one. A
 * pattern without either is a target, in any of its spellings.
 */
export function matcher(pattern: string): (printed: string) => boolean {
  if (!/[*?]/.test(pattern)) {
    const wanted = formatTarget(parseTarget(pattern));
    return (printed) => printed === wanted;
  }
  const source = (isSpelledOut(pattern) ? pattern : pattern.replace(/^\//, ""))
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  const expression = new RegExp(`^${source}$`, "su");
  return (printed) => expression.test(printed);
}

const isSpelledOut = (pattern: string) => SCHEME.test(pattern.slice(1)) || pattern.startsWith("/-");
