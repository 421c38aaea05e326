// Usage: lock_too_much.ts NAME
// Wants 1 MiB of each kind of memory to stay, and tells what came of it.

import process from "node:process";
import { SharedSegment, ShmError, SystemVSegment } from "../../mod.ts";

const name = process.argv[2] as string;
const options = { size: 2 ** 20, mlock: true };
for (
  const create of [
    () => SharedSegment.create(name, options),
    () => SharedSegment.anonymous(options),
    () => SystemVSegment.create(options),
  ]
) {
  try {
    create();
    console.log("created");
  } catch (error) {
    if (!(error instanceof ShmError)) throw error;
    console.log(`${error.code} ${error.message}`);
  }
}
if (SharedSegment.exists(name)) console.log("left behind");
