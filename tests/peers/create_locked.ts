// Usage: create_locked.ts KEY
// Creates a System V segment of 1 MiB that is to stay in memory, and tells what came of it.

import process from "node:process";
import { ShmError, SystemVSegment } from "../../mod.ts";

const key = Number(process.argv[2]);
try {
  using _segment = SystemVSegment.create({ key, size: 2 ** 20, mlock: true, lifetime: "creator" });
  console.log("created");
} catch (error) {
  if (!(error instanceof ShmError)) throw error;
  console.log(`${error.code} ${error.message}`);
}
