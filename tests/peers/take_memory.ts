// Usage: take_memory.ts NAME SIZE
// Takes memory in every way that is asked for at once, and tells what came of it.

import process from "node:process";
import { SharedSegment, ShmError, SystemVSegment } from "../../mod.ts";

const [name, digits] = process.argv.slice(2) as [string, string];
const size = Number(digits);

const ways: Record<string, () => void> = {
  create() {
    using _segment = SharedSegment.create(name, { size, lifetime: "creator" });
  },
  open() {
    using _sparse = SharedSegment.create(name, { size, reserve: false, lifetime: "creator" });
    using _segment = SharedSegment.open(name);
  },
  anonymous() {
    using _segment = SharedSegment.anonymous({ size });
  },
  resize() {
    using segment = SharedSegment.anonymous({ size: 4096 });
    segment.resize(size);
  },
  systemv() {
    using _segment = SystemVSegment.create({ size, prefault: true, lifetime: "lastDetach" });
  },
};

for (const [way, take] of Object.entries(ways)) {
  try {
    take();
    console.log(`${way} done`);
  } catch (error) {
    if (!(error instanceof ShmError)) throw error;
    console.log(`${way} ${error.code} ${error.message}`);
  }
}
