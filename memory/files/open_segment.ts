/**
 * Getting hold of a segment: of one that exists, or of a new one.
 *
 * @module
 */

import { type Action, stateError } from "../../errors.ts";
import { close, failure, statusOf } from "../../ffi/mod.ts";
import { attach } from "./attach.ts";
import { draftObject } from "./create.ts";
import { nameIdentity } from "./identity.ts";
import { checkMapping } from "../memory_options.ts";
import { BOOLEANS, checkChoice, checkOptions, TRUSTS } from "../options.ts";
import { checkNotEmpty, type Identity, SegmentHandle } from "./segment_handle.ts";
import type { OpenOptions, SegmentCreation } from "./segment_options.ts";
import { sleep } from "../waiting.ts";

/**
 * Opens a segment, checks it and maps it.
 *
 * @param action What is being done, with the checked name.
 * @param options The user's options, not checked yet.
 * @param expectedSize The size that it must have; any by default.
 * @param patienceMs How long to block while it has no size; not at all by default.
 */
export function openSegment(
  action: Action & { name: string },
  options: OpenOptions,
  expectedSize?: number,
  patienceMs: number = 0,
): SegmentHandle {
  checkOptions(action, options);
  const trust = checkChoice(action, "trust", options.trust ?? "owner", TRUSTS);
  const reserve = checkChoice(action, "reserve", options.reserve ?? true, BOOLEANS);
  const writable = !checkChoice(action, "readonly", options.readonly ?? false, BOOLEANS);
  const mapping = { ...checkMapping(action, options), writable, reserve };
  const deadline = performance.now() + patienceMs;
  while (true) {
    const file = attach(action, { writable, trust });
    try {
      const { size } = file.status;
      if (size > 0 || performance.now() >= deadline) {
        checkFoundSize(action, size, expectedSize);
        return new SegmentHandle(action, nameIdentity(action.name), file, { ...mapping, size });
      }
    } catch (error) {
      close(file.fd);
      throw error;
    }
    close(file.fd);
    sleep(1);
  }
}

/** Throws when the size of what was found is not the one that was asked for, if any was. */
export function checkFoundSize(
  action: Action,
  size: number,
  expectedSize: number | undefined,
): void {
  checkNotEmpty(action, size);
  if (expectedSize === undefined || size === expectedSize) return;
  throw stateError(
    action,
    "ERR_SHM_SIZE",
    `it exists with ${size} bytes, not ${expectedSize}`,
    "Ask for the size that it has, open() it as it is, or unlink() it first.",
  );
}

/**
 * Creates a segment or file and maps it; it appears under its name when nothing can fail any more,
 * but for prefaulting and locking where it is made in place.
 *
 * @param fill Writes its first contents: before others can open it, unless it is made in place.
 */
export function createSegment(
  action: Action,
  identity: Identity,
  creation: SegmentCreation,
  fill: (handle: SegmentHandle) => void = () => {},
): SegmentHandle {
  const draft = draftObject(action, creation);
  let handle: SegmentHandle | undefined;
  try {
    const status = statusOf(draft.fd);
    if (typeof status === "number") throw failure(action, status, "statx");
    const file = { fd: draft.fd, status };
    const options = { ...creation, writable: true };
    handle = new SegmentHandle(action, identity, file, options, draft.complete);
    if (creation.hugePages) handle.advise("hugePage");
    if (draft.complete) fill(handle);
    draft.publish();
    if (!draft.complete) {
      handle.makePresent(action);
      fill(handle);
    }
    return handle;
  } catch (error) {
    draft.discard();
    if (handle === undefined) close(draft.fd);
    else handle.close();
    throw error;
  }
}
