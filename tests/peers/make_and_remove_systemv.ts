// Usage: make_and_remove_systemv.ts KEY
// Makes System V segments and removes them, until it is killed.

import process from "node:process";
import { SystemVSegment } from "../../mod.ts";

const key = Number(process.argv[2]);
SystemVSegment.create({ key, size: 64, lifetime: "creator" }).close();
console.log("ready");
while (true) {
  SystemVSegment.remove({ key });
  try {
    SystemVSegment.create({ key, size: 64, lifetime: "creator" }).close();
  } catch {
    // The test has made one.
  }
}
