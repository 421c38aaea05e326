/**
 * Getting hold of a semaphore: of one that exists, or of a new one.
 *
 * @module
 */

import { type Action, stateError } from "../../errors.ts";
import {
  close,
  failure,
  looksLikeSemaphore,
  NativeSemaphore,
  platform,
  semFileName,
} from "../../ffi/mod.ts";
import { attach } from "../../memory/files/attach.ts";
import { draftObject, placeOfName } from "../../memory/files/create.ts";
import { checkChoice, checkOptions, TRUSTS } from "../../memory/options.ts";
import type { SemaphoreCreation, SemaphoreOpenOptions } from "./semaphore_options.ts";

/**
 * Creates a semaphore; it appears under its name when nothing can fail any more.
 *
 * Its file is made as a segment's is, because sem_open(3) subtracts the umask from the mode and
 * would have to be corrected when others can open it already.
 */
export function createSemaphore(unnamed: Action, creation: SemaphoreCreation): NativeSemaphore {
  const { name, mode, initialValue } = creation;
  const action = { ...unnamed, name };
  const { byteLength: size } = platform().sem_t;
  const draft = draftObject(action, {
    place: placeOfName(semFileName(name)),
    size,
    mode,
    reserve: true,
  });
  let semaphore: NativeSemaphore | undefined;
  try {
    const made = NativeSemaphore.create(draft.fd, initialValue);
    if (typeof made === "number") throw failure(action, made, "sem_init");
    semaphore = made;
    draft.publish();
    return semaphore;
  } catch (error) {
    draft.discard();
    semaphore?.close();
    throw error;
  } finally {
    close(draft.fd);
  }
}

/**
 * Opens a semaphore.
 *
 * sem_open(3) maps whatever lies under the name and never looks at it: a file that is too short
 * would be a fatal SIGBUS at the first use, other contents a SIGABRT. So it is looked at before.
 *
 * @param action What is being done, with the checked name.
 * @param options The user's options, not checked yet.
 */
export function openSemaphore(
  action: Action & { readonly name: string },
  options: SemaphoreOpenOptions,
): NativeSemaphore {
  checkOptions(action, options);
  const trust = checkChoice(action, "trust", options.trust ?? "owner", TRUSTS);
  const { fd, status } = attach(action, { writable: true, trust }, semFileName(action.name));
  try {
    checkFile(action, fd, status.size);
  } finally {
    close(fd);
  }
  const semaphore = NativeSemaphore.open(action.name);
  if (typeof semaphore === "number") throw failure(action, semaphore, "sem_open");
  return semaphore;
}

function checkFile(action: Action, fd: number, size: number): void {
  const remedy = "Find out who put it there; remove it, or choose another name.";
  const { byteLength } = platform().sem_t;
  if (size === 0) {
    const advice = "Wait for it with openAsync(), or unlink() it if its creator has died.";
    throw stateError(action, "ERR_SHM_SIZE", "its file is still empty", advice);
  }
  if (size !== byteLength) {
    const reason = `its file has ${size} bytes, and a semaphore has ${byteLength}`;
    throw stateError(action, "ERR_SHM_KIND", reason, remedy);
  }
  if (!looksLikeSemaphore(fd)) {
    throw stateError(action, "ERR_SHM_CORRUPT", "the bytes of its file are no semaphore", remedy);
  }
}
