// Usage: open_or_create_systemv.ts KEY
// Opens or creates a System V segment, writes to it, and tells which. An option that there is not
// for this must make no difference.

import process from "node:process";
import { SystemVSegment } from "../../mod.ts";

const options = { key: Number(process.argv[2]), size: 64, readonly: true };
using segment = SystemVSegment.openOrCreate(options);
segment.bytes[0] = 1;
console.log(String(segment.created));
