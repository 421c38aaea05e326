/**
 * Seals: what may never again be done to anonymous memory, by anybody.
 *
 * @module
 */

import { type Action, misuse, stateError } from "../../errors.ts";
import { addSeals, failure, platform, refusal, sealsOf } from "../../ffi/mod.ts";

/**
 * What is forbidden from now on, for everybody and for ever:
 *
 * - `"shrink"`: making it shorter, which would end whoever uses the cut-off bytes with SIGBUS;
 * - `"grow"`: making it longer;
 * - `"futureWrite"`: writing, except through mappings that exist already;
 * - `"write"`: writing; there must be no writable mapping any more (see `freeze()`);
 * - `"seal"`: adding seals.
 *
 * @see {@link https://man7.org/linux/man-pages/man2/F_ADD_SEALS.2const.html | F_ADD_SEALS(2const)}
 */
export type Seal = "shrink" | "grow" | "futureWrite" | "write" | "seal";

const SEALS = ["shrink", "grow", "futureWrite", "write", "seal"] as const satisfies Seal[];

function bitOf(seal: Seal): number {
  const { F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE, F_SEAL_WRITE, F_SEAL_SEAL } =
    platform().constants;
  return {
    shrink: F_SEAL_SHRINK,
    grow: F_SEAL_GROW,
    futureWrite: F_SEAL_FUTURE_WRITE,
    write: F_SEAL_WRITE,
    seal: F_SEAL_SEAL,
  }[seal];
}

/** Checks a list of seals. */
export function checkSeals(action: Action, what: string, value: unknown): readonly Seal[] {
  const rule = `${what} must be an array of ${SEALS.map((seal) => `"${seal}"`).join(", ")}`;
  if (!Array.isArray(value)) throw new TypeError(misuse(action, rule, value));
  for (const each of value) {
    if (!SEALS.includes(each)) throw new TypeError(misuse(action, rule, each));
  }
  return value;
}

/** The seals of an open file; undefined when it is of a kind that has none. */
export function readSeals(action: Action, fd: number): readonly Seal[] | undefined {
  const bits = sealsOf(fd);
  if (bits >= 0) return SEALS.filter((seal) => (bits & bitOf(seal)) !== 0);
  const error = failure(action, bits, "fcntl");
  if (error.code === "EINVAL") return undefined;
  throw error;
}

/** Adds seals to an open file. */
export function writeSeals(action: Action, fd: number, seals: readonly Seal[]): void {
  if (seals.length === 0) return;
  const result = addSeals(fd, seals.reduce((bits, seal) => bits | bitOf(seal), 0));
  if (result >= 0) return;
  const error = failure(action, result, "fcntl");
  switch (error.code) {
    case "EBUSY":
      throw failure(
        action,
        result,
        "fcntl",
        "It is mapped for writing: use freeze(), when every other writer has closed it.",
      );
    case "EPERM":
      throw failure(action, result, "fcntl", 'It is sealed with "seal": nothing can be added.');
    default:
      throw error;
  }
}

/** Throws when an open file lacks seals that it must have. @returns All that it has. */
export function checkSealed(
  action: Action,
  fd: number,
  required: readonly Seal[],
): readonly Seal[] {
  const seals = readSeals(action, fd) ?? [];
  const missing = required.filter((seal) => !seals.includes(seal));
  if (missing.length === 0) return seals;
  throw stateError(
    action,
    "ERR_SHM_TRUST",
    `it is not sealed against ${missing.join(", ")} (its seals: ${seals.join(", ") || "none"})`,
    "Have its owner seal it before it is handed over.",
  );
}

/** Throws when an open file is sealed against something. */
export function checkUnsealed(action: Action, fd: number, against: readonly Seal[]): void {
  const seals = readSeals(action, fd) ?? [];
  const broken = seals.filter((seal) => against.includes(seal));
  if (broken.length === 0) return;
  throw refusal(
    action,
    "EPERM",
    "fcntl",
    "Open it with { readonly: true }; or make new memory, and copy: seals are for ever.",
    `it is sealed against ${broken.map((seal) => DESCRIPTIONS[seal]).join(" and ")}`,
  );
}

const DESCRIPTIONS: Readonly<Record<Seal, string>> = {
  shrink: "shrinking",
  grow: "growing",
  write: "writing",
  futureWrite: "being mapped for writing",
  seal: "further seals",
};
