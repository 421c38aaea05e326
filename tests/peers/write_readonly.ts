// Usage: write_readonly.ts NAME
// Writes where it must not.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

using segment = SharedSegment.open(process.argv[2] as string, { readonly: true });
console.log("writing");
segment.unsafeBytes[0] = 1;
console.log("written");
