// Usage: exhaust_descriptors.ts NAME
// Creates segments until there is no descriptor left, and goes on when there are some again.

import process from "node:process";
import { SharedSegment, ShmError } from "../../mod.ts";

const name = process.argv[2] as string;
const segments: SharedSegment[] = [];
const create = (index: number) =>
  SharedSegment.create(`${name}-${index}`, { size: 64, lifetime: "creator" });

while (true) {
  try {
    segments.push(create(segments.length));
  } catch (error) {
    if (!(error instanceof ShmError)) throw error;
    console.log(error.code);
    break;
  }
}
const last = segments.pop() as SharedSegment;
last.close();
console.log(`removed ${!SharedSegment.exists(last.name)}`);
for (const segment of segments) segment.close();
create(0).close();
console.log("created");
