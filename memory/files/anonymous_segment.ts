/**
 * Memory without a name, freed by the kernel when the last process that has it lets it go.
 *
 * @module
 */

import { type Action, misuse } from "../../errors.ts";
import {
  close,
  encodeText,
  errorCode,
  failure,
  fchmod,
  ftruncate,
  isEncodable,
  memfdCreate,
  platform,
  statusOf,
} from "../../ffi/mod.ts";
import {
  checkHugePageMultiple,
  checkHugePages,
  hugePageFlags,
  type HugePages,
  orNoHugePages,
} from "../huge_pages.ts";
import { anonymousIdentity } from "./identity.ts";
import { type CheckedMappingOptions, checkMapping } from "../memory_options.ts";
import { BOOLEANS, checkChoice, checkSize } from "../options.ts";
import { checkFileLimit, reservePages } from "./reserve.ts";
import { checkSeals, type Seal, writeSeals } from "./seals.ts";
import { type Identity, SegmentHandle } from "./segment_handle.ts";
import type { AnonymousOptions } from "./segment_options.ts";

/** The longest label, in bytes: memfd_create(2). */
const MAX_LABEL_BYTE_LENGTH = 249;

/** Makes anonymous memory and maps it. */
export function createAnonymous(unnamed: Action, options: AnonymousOptions): SegmentHandle {
  const creation = checkAnonymous(unnamed, options);
  const { identity, hugePages, size, seals } = creation;
  const action = { ...unnamed, ...identity.subject };
  const fd = orNoHugePages(action, hugePages, () => makeFile(action, creation));
  let handle: SegmentHandle | undefined;
  try {
    const status = statusOf(fd);
    if (typeof status === "number") throw failure(action, status, "statx");
    // The pool's pages are reserved by the mapping.
    const reserve = creation.reserve && hugePages === false;
    handle = orNoHugePages(
      action,
      hugePages,
      () =>
        new SegmentHandle(action, identity, { fd, status }, {
          ...creation,
          size,
          reserve,
          writable: true,
        }),
    );
    writeSeals(action, fd, seals);
    return handle;
  } catch (error) {
    if (handle === undefined) close(fd);
    else handle.close();
    throw error;
  }
}

interface AnonymousCreation extends CheckedMappingOptions {
  readonly identity: Identity;
  readonly size: number;
  readonly reserve: boolean;
  readonly hugePages: HugePages;
  readonly seals: readonly Seal[];
}

function checkAnonymous(unnamed: Action, options: AnonymousOptions): AnonymousCreation {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(misuse(unnamed, "options must be an object with a size", options));
  }
  const identity = anonymousIdentity(checkLabel(unnamed, options.label ?? "shmkit"));
  const action = { ...unnamed, ...identity.subject };
  const seals = checkSeals(action, "seal", options.seal ?? []);
  if (seals.includes("write")) {
    const rule = 'seal must not have "write", which would leave nothing but zeros: use ' +
      '"futureWrite", or write first and freeze() then';
    throw new TypeError(misuse(action, rule, options.seal));
  }
  return {
    identity,
    size: checkSize(action, options.size),
    reserve: checkChoice(action, "reserve", options.reserve ?? true, BOOLEANS),
    hugePages: checkHugePages(action, options.hugePages ?? false),
    seals,
    ...checkMapping(action, options),
  };
}

/** What the kernel shows of it, nothing else: any text will do that fits. */
function checkLabel(action: Action, value: unknown): string {
  const rule = `label must be a string of 1 to ${MAX_LABEL_BYTE_LENGTH} bytes without NUL`;
  if (typeof value !== "string") throw new TypeError(misuse(action, rule, value));
  const byteLength = isEncodable(value) ? encodeText(value).length : 0;
  if (byteLength === 0 || byteLength > MAX_LABEL_BYTE_LENGTH || value.includes("\0")) {
    throw new TypeError(misuse(action, rule, value));
  }
  return value;
}

/** @returns Its descriptor. */
function makeFile(
  action: Action,
  { identity, size, reserve, hugePages }: AnonymousCreation,
): number {
  checkFileLimit(action, size);
  const fd = createMemfd(identity.name, hugePages);
  if (fd < 0) throw failure(action, fd, "memfd_create");
  try {
    const status = statusOf(fd);
    if (typeof status === "number") throw failure(action, status, "statx");
    if (hugePages !== false) checkHugePageMultiple(action, size, status.blockByteLength);
    // Whoever finds the path of the descriptor must not be another user.
    const restricted = fchmod(fd, 0o600);
    if (restricted < 0) throw failure(action, restricted, "fchmod");
    if (reserve && hugePages === false) reservePages(action, fd, { kind: "memfd", size });
    const sized = ftruncate(fd, size);
    if (sized < 0) throw failure(action, sized, "ftruncate");
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Makes a file that cannot be executed, where the kernel can do that (from 6.3 on). */
function createMemfd(label: string, hugePages: HugePages): number {
  const { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_HUGETLB, MFD_HUGE_SHIFT } =
    platform().constants;
  const huge = hugePageFlags(hugePages, MFD_HUGETLB, MFD_HUGE_SHIFT);
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | huge;
  const fd = memfdCreate(label, (flags | MFD_NOEXEC_SEAL) >>> 0);
  return fd < 0 && errorCode(fd) === "EINVAL" ? memfdCreate(label, flags >>> 0) : fd;
}
