// Usage: grow_too_far.ts NAME
// Wants more than there is, and tells what came of it.

import process from "node:process";
import { SharedSegment, ShmError } from "../../mod.ts";

using segment = SharedSegment.create(process.argv[2] as string, { size: 4096 });
const { bytes } = segment;
try {
  segment.resize(2 ** 23);
} catch (error) {
  if (!(error instanceof ShmError)) throw error;
  const { size, residentBytes } = segment.stat();
  console.log(error.code, segment.size, size, segment.bytes === bytes, residentBytes);
}
segment.unlink();
