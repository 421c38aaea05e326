/**
 * Whose a System V object is.
 *
 * @module
 */

import { type Action, stateError } from "../../errors.ts";
import { geteuid } from "../../ffi/mod.ts";
import type { Trust } from "../options.ts";

/** What the kernel tells of the owner of a System V object: `struct ipc_perm`. */
export interface Permissions {
  readonly uid: number;
  readonly cuid: number;
  readonly mode: number;
}

/** The user who can do everything anyway. */
const ROOT = 0;

/**
 * Throws for an object of another user, and for one that everybody may write to, unless anyone is
 * trusted.
 *
 * @param contents What strangers could change, for the message.
 */
export function checkOwner(
  action: Action,
  status: Permissions,
  trust: Trust,
  contents: string,
): void {
  if (trust === "anyone") return;
  const user = geteuid();
  // Its creator keeps an owner's rights, also after having made somebody else the owner.
  if (status.uid !== user || ![user, ROOT].includes(status.cuid)) {
    const others = status.uid === user
      ? `made by user ${status.cuid}, who may still write to it`
      : `owned by user ${status.uid}`;
    throw stateError(
      action,
      "ERR_SHM_TRUST",
      `it is ${others}, and this process runs as user ${user}`,
      'Choose another key, or open it with { trust: "anyone" } if that user may change ' +
        `${contents}.`,
    );
  }
  if ((status.mode & 0o002) !== 0) {
    throw stateError(
      action,
      "ERR_SHM_TRUST",
      `every user may write to it (mode 0o${(status.mode & 0o777).toString(8)})`,
      'Open it with { trust: "anyone" } if that is intended, or create it with a narrower mode.',
    );
  }
}
