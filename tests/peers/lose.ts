// Usage: lose.ts NAME
// Loses the handle of a segment and keeps a view, until the runtime has noticed.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";
import { collectUntil } from "../support/runtimes.ts";

function viewOfLost(): Int32Array {
  const segment = SharedSegment.create(process.argv[2] as string, { size: 64 });
  segment.unlink();
  return segment.view(Int32Array);
}

const view = viewOfLost();
view[0] = 7;
await collectUntil(() => false, 30);
console.log(view[0]);
