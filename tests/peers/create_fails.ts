// Usage: create_fails.ts NAME SIZE
// Tries to create a segment, and tells the error and what was left behind.

import process from "node:process";
import { SharedSegment, ShmError } from "../../mod.ts";

const [name, size] = process.argv.slice(2) as [string, string];
try {
  SharedSegment.create(name, { size: Number(size) }).close();
  console.log("created");
} catch (error) {
  if (!(error instanceof ShmError)) throw error;
  const left = SharedSegment.exists(name) ? " and left something" : "";
  console.log(`${error.code} ${error.message}${left}`);
}
