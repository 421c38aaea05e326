// Usage: create_files_forever.ts DIRECTORY
// Creates and maps files and removes them, until it is killed.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const directory = process.argv[2] as string;
for (let index = 0;; index++) {
  const path = `${directory}/${process.pid}-${index}`;
  using segment = SharedSegment.openFile(path, { create: true, size: 65536 });
  segment.unlink();
  if (index === 0) console.log("started");
}
