/**
 * The one place where an error number becomes an error.
 *
 * @module
 */

import { type Action, type ShmError, systemError } from "../errors.ts";
import { platform } from "./select.ts";
import type { SystemErrorCode } from "../errors.ts";

/** The code of a negative error number: `ENOENT`, or `UNKNOWN`. */
export function errorCode(errno: number): SystemErrorCode {
  return platform().errorCodes[-errno] ?? "UNKNOWN";
}

/**
 * Makes the error of a call that gave a negative error number.
 *
 * @param action What was being done.
 * @param errno The negative error number.
 * @param syscall The C function.
 * @param remedy What to do about it, when the usual advice does not fit.
 */
export function failure(action: Action, errno: number, syscall: string, remedy?: string): ShmError {
  return systemError(action, { code: errorCode(errno), errno, syscall }, remedy);
}
