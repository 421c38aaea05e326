/**
 * Getting hold of a segment: of one that exists, or of a new one.
 *
 * @module
 */

import { type Action, stateError } from "../errors.ts";
import { close, failure, statusOf } from "../ffi/mod.ts";
import { attach } from "./attach.ts";
import { type Creation, draftObject } from "./create.ts";
import { BOOLEANS, checkChoice, checkOptions, TRUSTS } from "./options.ts";
import { SegmentHandle } from "./segment_handle.ts";
import type { OpenOptions } from "./segment_options.ts";
import { sleep } from "./waiting.ts";

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
  const fillHoles = checkChoice(action, "reserve", options.reserve ?? true, BOOLEANS);
  const writable = !checkChoice(action, "readonly", options.readonly ?? false, BOOLEANS);
  const deadline = performance.now() + patienceMs;
  while (true) {
    const attached = attach(action, { writable, trust });
    try {
      const { size } = attached.status;
      if (size > 0 || performance.now() >= deadline) {
        checkFoundSize(action, size, expectedSize);
        return new SegmentHandle(action, action.name, attached, { size, writable, fillHoles });
      }
    } catch (error) {
      close(attached.fd);
      throw error;
    }
    close(attached.fd);
    sleep(1);
  }
}

function checkFoundSize(action: Action, size: number, expectedSize: number | undefined): void {
  if (size === 0) {
    throw stateError(
      action,
      "ERR_SHM_SIZE",
      "it is empty: whoever made it has not given it a size",
      "Wait for it with openAsync(), or unlink() it if its creator has died.",
    );
  }
  if (expectedSize !== undefined && size !== expectedSize) {
    throw stateError(
      action,
      "ERR_SHM_SIZE",
      `it exists with ${size} bytes, not ${expectedSize}`,
      "Ask for the size that it has, open() it as it is, or unlink() it first.",
    );
  }
}

/** Creates a segment and maps it; it appears under its name when nothing can fail any more. */
export function createSegment(unnamed: Action, creation: Creation): SegmentHandle {
  const action = { ...unnamed, name: creation.name };
  const { size } = creation;
  const draft = draftObject(action, creation);
  let handle: SegmentHandle | undefined;
  try {
    const status = statusOf(draft.fd);
    if (typeof status === "number") throw failure(action, status, "statx");
    const mapping = { size, writable: true, fillHoles: false };
    handle = new SegmentHandle(action, creation.name, { fd: draft.fd, status }, mapping);
    draft.publish();
    return handle;
  } catch (error) {
    draft.discard();
    if (handle === undefined) close(draft.fd);
    else handle.close();
    throw error;
  }
}
