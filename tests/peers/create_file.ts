// Usage: create_file.ts PATH SIZE
// Creates and maps a file, and tells what came of it.

import process from "node:process";
import { SharedSegment, ShmError } from "../../mod.ts";

const [path, size] = process.argv.slice(2) as [string, string];
try {
  using _segment = SharedSegment.openFile(path, { create: true, size: Number(size) });
  console.log("created");
} catch (error) {
  if (!(error instanceof ShmError)) throw error;
  console.log(`${error.code} ${error.message}`);
}
