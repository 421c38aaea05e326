// Usage: create_forever.ts NAME SIZE
// Creates and removes a segment until it is killed. Says so before it starts.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const [name, size] = process.argv.slice(2) as [string, string];
const create = () => {
  using segment = SharedSegment.create(name, { size: Number(size), mode: 0o640 });
  segment.unlink();
};
create();
console.log("ready");
while (true) create();
