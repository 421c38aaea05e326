/**
 * Telling of errors.
 *
 * @module
 */

import { ShmError, type ShmErrorCode } from "../errors.ts";
import { escapeText, toJson } from "./escape.ts";
import { FAILED, MISUSED, UNSUPPORTED, UsageError } from "./exit_codes.ts";
import { complain } from "./output.ts";

/** What to do, for who has a command line in front of them and not the library. */
const REMEDIES: Partial<Record<ShmErrorCode, string>> = {
  EEXIST: "Choose another name, or remove it first with shm rm.",
  EINVAL: "",
  ELOOP: "Find out who put it there; shm rm removes it.",
  ENOENT: "shm ls lists what there is.",
  EPERM: "Run as its owner, or as root.",
  EACCES: "Run as its owner, or as root.",
};

/** The codes of errors that are the runtime's, when they name no object: no verb would work. */
const RUNTIME_CODES: readonly ShmErrorCode[] = ["ERR_SHM_UNSUPPORTED", "ERR_SHM_PERMISSION"];

/**
 * Prints an error in one line on standard error.
 *
 * @param verb The verb whose usage the error is of, if any.
 * @returns The exit code that it calls for.
 */
export async function report(error: unknown, asJson: boolean, verb?: string): Promise<number> {
  const message = messageOf(error, verb);
  if (asJson) await complain(toJson({ error: { ...detailsOf(error), message } }));
  else {await complain(
      `shm${error instanceof UsageError && verb ? ` ${verb}` : ""}: ${escapeText(message)}`,
    );}
  return exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return MISUSED;
  if (!(error instanceof ShmError) || error.path !== undefined) return FAILED;
  return RUNTIME_CODES.includes(error.code) ? UNSUPPORTED : FAILED;
}

function messageOf(error: unknown, verb: string | undefined): string {
  if (error instanceof UsageError) {
    const end = error.message.endsWith("?") ? "" : ".";
    return `${error.message}${end} See shm ${verb === undefined ? "" : `${verb} `}--help`;
  }
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ShmError)) return error.message.replace(/\s*\n\s*/g, " ");
  const remedy = REMEDIES[error.code];
  if (error.syscall === undefined || remedy === undefined) return error.message;
  // The library's advice is how to use the library.
  const facts = error.message.slice(0, error.message.indexOf(` from ${error.syscall}). `) + 1);
  return facts === "" ? error.message : `${facts}from ${error.syscall}). ${remedy}`.trimEnd();
}

function detailsOf(error: unknown): object {
  if (error instanceof UsageError) return { code: "ERR_SHM_USAGE" };
  if (!(error instanceof ShmError)) {
    const { code } = error as { code?: unknown };
    return { code: typeof code === "string" ? code : "ERR_SHM_ARGUMENT" };
  }
  const { code, errno, syscall, path } = error;
  return { code, errno, syscall, path };
}
