/**
 * Memory that is got by a descriptor, from a parent or a peer: anonymous memory, as a rule.
 *
 * @module
 */

import { type Action, stateError } from "../../errors.ts";
import {
  accessModeOf,
  close,
  duplicate,
  failure,
  open,
  ownDescriptorPath,
  platform,
  statusOf,
} from "../../ffi/mod.ts";
import { checkOwner, checkRegular } from "./attach.ts";
import { identityOf, isAnonymous } from "./identity.ts";
import { checkMapping } from "../memory_options.ts";
import { BOOLEANS, checkChoice, checkInteger, checkOptions, TRUSTS } from "../options.ts";
import { checkSealed, checkSeals, checkUnsealed } from "./seals.ts";
import { checkNotEmpty, type OpenFile, SegmentHandle } from "./segment_handle.ts";
import type { DescriptorOptions } from "./segment_options.ts";

/**
 * Maps what a descriptor stands for, after it has been looked at. The descriptor stays the
 * caller's.
 */
export function openDescriptor(
  unnamed: Action,
  value: number,
  options: DescriptorOptions,
): SegmentHandle {
  const descriptor = checkInteger(unnamed, "fd", value, 0, 2 ** 31 - 1);
  const action = { ...unnamed, noun: `descriptor ${descriptor}` };
  checkOptions(action, options);
  const trust = checkChoice(action, "trust", options.trust ?? "owner", TRUSTS);
  const reserve = checkChoice(action, "reserve", options.reserve ?? true, BOOLEANS);
  const writable = !checkChoice(action, "readonly", options.readonly ?? false, BOOLEANS);
  const required = checkSeals(action, "seals", options.seals ?? []);
  const mapping = checkMapping(action, options);

  const file = openAgain(action, descriptor, writable);
  try {
    checkRegular(action, file.status);
    const seals = checkSealed(action, file.fd, required);
    // Its size is final from the seal on, and not any earlier.
    const status = statusOf(file.fd);
    if (typeof status === "number") throw failure(action, status, "statx");
    const { size } = status;
    checkNotEmpty(action, size);
    // Who cannot cut it off can change its bytes, if anything, like anybody who has it.
    if (!seals.includes("shrink")) {
      checkOwner(action, status, trust, { anonymous: isAnonymous(file.fd, status) });
    }
    if (writable) checkWritable(action, file.fd);
    // Sealed holes cannot be filled, and reading them takes nothing.
    const fill = reserve && !seals.includes("write") && !seals.includes("futureWrite");
    const identity = identityOf(file.fd, status);
    const options = { ...mapping, size, reserve: fill, writable };
    return new SegmentHandle(action, identity, { fd: file.fd, status }, options);
  } catch (error) {
    close(file.fd);
    throw error;
  }
}

/**
 * A descriptor of our own for the same file. For reading it is opened anew where that can be done:
 * older kernels refuse to map write-sealed memory through a descriptor that could write.
 */
function openAgain(action: Action, descriptor: number, writable: boolean): OpenFile {
  const { O_RDONLY, O_CLOEXEC, O_NONBLOCK } = platform().constants;
  const own = duplicate(descriptor); // also tells whether there is such a descriptor
  if (own < 0) {
    const remedy =
      "There is no such descriptor in this process: have it inherited, or use openFile() " +
      "with the path that its owner tells.";
    throw failure(action, own, "fcntl", remedy);
  }
  const status = statusOf(own);
  if (typeof status === "number") {
    close(own);
    throw failure(action, status, "statx");
  }
  if (writable || status.type !== "regular file") return { fd: own, status };
  const reopened = open(ownDescriptorPath(own), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  if (reopened < 0) return { fd: own, status };
  close(own);
  return { fd: reopened, status };
}

function checkWritable(action: Action, fd: number): void {
  checkUnsealed(action, fd, ["write", "futureWrite"]);
  if (accessModeOf(fd) === platform().constants.O_RDWR) return;
  throw stateError(
    action,
    "EACCES",
    "the descriptor is not open for reading and writing",
    "Open it with { readonly: true }.",
  );
}
