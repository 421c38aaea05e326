/**
 * The one place where an error number becomes an error.
 *
 * @module
 */

import { type Action, type ShmError, systemError, type SystemErrorCode } from "../errors.ts";
import { platform } from "./select.ts";

/** The code of a negative error number: `ENOENT`, or `UNKNOWN`. */
export function errorCode(errno: number): SystemErrorCode {
  return platform().errorCodes[-errno] ?? "UNKNOWN";
}

/** The negative error number of a code. */
export function errorNumber(code: SystemErrorCode): number {
  const entries = Object.entries(platform().errorCodes);
  return -Number(entries.find(([, candidate]) => candidate === code)?.[0]);
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

/**
 * Makes the error of a call that was not made, because it would have failed, or worse.
 *
 * @param code The code with which it would have failed.
 * @param syscall The C function.
 * @param remedy What to do about it.
 * @param reason Why it would fail, when the usual reason does not fit.
 */
export function refusal(
  action: Action,
  code: SystemErrorCode,
  syscall: string,
  remedy: string,
  reason?: string,
): ShmError {
  return systemError(action, { code, errno: errorNumber(code), syscall }, remedy, reason);
}
