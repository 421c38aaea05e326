/**
 * Memory that is a file: what is written to it outlives the machine's restart.
 *
 * @module
 */

import { type Action, misuse, ShmError, type SystemErrorCode } from "../../errors.ts";
import {
  close,
  encodeText,
  errorCode,
  failure,
  type FileStatus,
  isEncodable,
  open,
  platform,
  statusOf,
} from "../../ffi/mod.ts";
import { checkOwner, checkRegular } from "./attach.ts";
import { placeOfFile } from "./create.ts";
import { fileIdentity, identityOf, isAnonymous } from "./identity.ts";
import { checkMapping } from "../memory_options.ts";
import { checkFoundSize, createSegment } from "./open_segment.ts";
import { BOOLEANS, checkChoice, checkMode, checkOptions, checkSize, TRUSTS } from "../options.ts";
import { checkFileLimit, extend, reservePages } from "./reserve.ts";
import { checkSealed, checkSeals, checkUnsealed } from "./seals.ts";
import { type OpenFile, SegmentHandle } from "./segment_handle.ts";
import type { FileOptions } from "./segment_options.ts";

/** The longest path, in bytes. */
const MAX_PATH_BYTE_LENGTH = 3500;

/** How often a file may appear and vanish between two looks; a dangling link does so for ever. */
const MAX_ATTEMPTS = 1000;

const REMEDIES: Partial<Record<SystemErrorCode, string>> = {
  ENOENT: "Check the path, or have SharedSegment.openFile() create it with { create: true, size }.",
  EACCES: "Ask its owner for rights, or open it with { readonly: true }.",
  EISDIR: "Only files can be mapped.",
  ENXIO: "Only files can be mapped.",
  EROFS: "Open it with { readonly: true }.",
  ETXTBSY: "It is a program that is running: open it with { readonly: true }.",
};

/** The user who can do everything anyway. */
const ROOT = 0;

/** Opens a file, or makes it if that is asked for, and maps it. */
export function openFileSegment(
  unnamed: Action,
  value: string,
  options: FileOptions,
): { handle: SegmentHandle; created: boolean } {
  const path = checkPath(unnamed, value);
  const identity = fileIdentity(path);
  const action = { ...unnamed, ...identity.subject };
  checkOptions(action, options);
  const size = options.size === undefined ? undefined : checkSize(action, options.size);
  const create = checkChoice(action, "create", options.create ?? false, BOOLEANS);
  const mode = checkMode(action, options.mode ?? 0o600);
  const trust = checkChoice(action, "trust", options.trust ?? "owner", TRUSTS);
  const reserve = checkChoice(action, "reserve", options.reserve ?? true, BOOLEANS);
  const writable = !checkChoice(action, "readonly", options.readonly ?? false, BOOLEANS);
  const required = checkSeals(action, "seals", options.seals ?? []);
  const mapping = { ...checkMapping(action, options), reserve, writable };
  if (create && size === undefined) {
    throw new TypeError(misuse(action, "size must be given to create it", size));
  }
  if (create && !writable) {
    throw new TypeError(misuse(action, "readonly must be false to create it", true));
  }
  if (create && required.length > 0) {
    throw new TypeError(misuse(action, "seals must be left out to create it", required));
  }

  for (let attempt = 0;; attempt++) {
    const file = openRegular(action, path, writable, create);
    if (file !== undefined) {
      try {
        checkSealed(action, file.fd, required);
        const anonymous = isAnonymous(file.fd, file.status);
        checkOwner(action, file.status, trust, { others: [ROOT], anonymous });
        // The size of sealed memory is final from the seal on, and not any earlier.
        const current = { fd: file.fd, status: readStatus(action, file.fd) };
        const status = create ? giveSize(action, current, size as number, reserve) : current.status;
        checkFoundSize(action, status.size, size);
        if (writable) checkUnsealed(action, file.fd, ["write", "futureWrite"]);
        const options = { ...mapping, size: status.size };
        const found = identityOf(file.fd, status, path);
        const handle = new SegmentHandle(action, found, { fd: file.fd, status }, options);
        return { handle, created: false };
      } catch (error) {
        close(file.fd);
        throw error;
      }
    }
    try {
      const place = placeOfFile(path);
      const creation = { ...mapping, place, size: size as number, mode, hugePages: false };
      return { handle: createSegment(action, identity, creation), created: true };
    } catch (error) {
      const isRace = error instanceof ShmError && error.code === "EEXIST";
      if (!isRace || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** Gives a size to a file that has none: it may have been made as a temporary file, to be filled. */
function giveSize(
  action: Action,
  { fd, status }: OpenFile,
  size: number,
  reserve: boolean,
): FileStatus {
  if (status.size > 0) return status;
  checkFileLimit(action, size);
  // First, so that it stays empty when there is not enough.
  if (reserve) reservePages(action, fd, { kind: "file", size, present: status.residentBytes });
  const extended = extend(fd, size);
  if (extended < 0) throw failure(action, extended, "fallocate");
  return readStatus(action, fd);
}

/**
 * Opens a file and looks at what it is.
 *
 * @param maybe Whether it is right that there is none.
 * @returns It, or undefined when there is none.
 */
function openRegular(
  action: Action,
  path: string,
  writable: boolean,
  maybe: boolean,
): OpenFile | undefined {
  const { O_RDONLY, O_RDWR, O_NONBLOCK, O_CLOEXEC } = platform().constants;
  const fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) {
    const code = errorCode(fd);
    if (code === "ENOENT" && maybe) return undefined;
    throw failure(action, fd, "open", REMEDIES[code]);
  }
  try {
    const status = readStatus(action, fd);
    checkRegular(action, status);
    return { fd, status };
  } catch (error) {
    close(fd);
    throw error;
  }
}

function readStatus(action: Action, fd: number): FileStatus {
  const status = statusOf(fd);
  if (typeof status === "number") throw failure(action, status, "statx");
  return status;
}

function checkPath(action: Action, value: unknown): string {
  const refuse = (rule: string) => new TypeError(misuse(action, rule, value));
  if (typeof value !== "string") throw refuse("path must be a string");
  if (value === "") throw refuse("path must not be empty");
  if (value.includes("\0")) throw refuse("path must not contain a NUL character");
  if (!isEncodable(value)) throw refuse("path must be well-formed Unicode");
  if (encodeText(value).length > MAX_PATH_BYTE_LENGTH) {
    throw refuse(`path must be at most ${MAX_PATH_BYTE_LENGTH} bytes long`);
  }
  return value;
}
