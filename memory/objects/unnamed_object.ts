/**
 * Objects without a name: made as anonymous memory, and got by a descriptor or a path.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import { createAnonymous } from "../files/anonymous_segment.ts";
import { openDescriptor } from "../files/descriptor_segment.ts";
import { openFileSegment } from "../files/file_segment.ts";
import type { SegmentHandle } from "../files/segment_handle.ts";
import { checkOptions } from "../options.ts";
import { readHeader } from "./header.ts";
import { ObjectHandle } from "./object_handle.ts";
import type { ObjectDescriptorOptions } from "./object_options.ts";
import {
  type ExpectedObject,
  type ObjectCreation,
  problemWith,
  writeContents,
} from "./open_object.ts";
import { placesOf } from "./trailer.ts";

/** Makes an object that the kernel frees with its last process. Nobody can ever cut it off. */
export function createAnonymousObject(
  action: Action,
  creation: ObjectCreation & { readonly label: string | undefined },
): ObjectHandle {
  const { shape, label, prefault, mlock } = creation;
  const size = placesOf(shape).byteLength;
  const segment = createAnonymous(action, {
    size,
    seal: ["shrink", "grow"],
    prefault,
    mlock,
    ...(label === undefined ? {} : { label }),
  });
  try {
    return new ObjectHandle(segment, writeContents(action, segment, creation), true);
  } catch (error) {
    segment.close();
    throw error;
  }
}

/** Attaches to the object that a descriptor stands for. */
export function openObjectDescriptor(
  action: Action,
  fd: number,
  options: ObjectDescriptorOptions,
  expected: ExpectedObject,
): ObjectHandle {
  return asObject(openDescriptor(action, fd, options), expected);
}

/** Attaches to the object that a path leads to. */
export function openObjectFile(
  action: Action,
  path: string,
  options: ObjectDescriptorOptions,
  expected: ExpectedObject,
): ObjectHandle {
  checkOptions(action, options);
  // Those of objects only: none that would make a file, or say how large it is.
  const { trust, readonly, seals, prefault, mlock } = options;
  const given = Object.entries({ trust, readonly, seals, prefault, mlock });
  const known = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  return asObject(openFileSegment(action, path, known).handle, expected);
}

function asObject(segment: SegmentHandle, expected: ExpectedObject): ObjectHandle {
  try {
    const action = segment.action("open");
    const header = readHeader(action, segment.fd, segment.size);
    const problem = problemWith(action, header, segment.size, expected);
    if (problem !== undefined) throw problem;
    return new ObjectHandle(segment, header, false);
  } catch (error) {
    segment.close();
    throw error;
  }
}
