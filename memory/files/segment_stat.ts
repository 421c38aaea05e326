/**
 * What users are told of a file that is shared memory.
 *
 * @module
 */

import type { FileStatus } from "../../ffi/mod.ts";
import type { SegmentStat } from "../segment_info.ts";

/** Says what the kernel knows of a file in the terms of segments. */
export function segmentStat(
  kind: SegmentStat["kind"],
  name: string,
  status: FileStatus,
): SegmentStat {
  return {
    kind,
    name,
    size: status.size,
    residentBytes: status.residentBytes,
    mode: status.mode,
    uid: status.uid,
    gid: status.gid,
    linked: status.linkCount > 0,
    birthTimeMs: status.birthTimeMs,
    accessTimeMs: status.accessTimeMs,
    modifyTimeMs: status.modifyTimeMs,
    changeTimeMs: status.changeTimeMs,
  };
}
