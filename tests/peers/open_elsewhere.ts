// Usage: open_elsewhere.ts NAME MILLISECONDS
// Asks the kernel again and again whether anybody else has a segment open, and counts the answers.

import process from "node:process";
import { close, isOpenElsewhere, platform, shmOpen } from "../../ffi/mod.ts";

const [name, milliseconds] = process.argv.slice(2) as [string, string];
const { O_RDONLY, O_CLOEXEC } = platform().constants;
const counts = { free: 0, held: 0, failed: 0 };
const end = performance.now() + Number(milliseconds);
console.log("asking");
while (performance.now() < end) {
  const fd = shmOpen(name, O_RDONLY | O_CLOEXEC, 0);
  const answer = isOpenElsewhere(fd);
  close(fd);
  if (answer === 0) counts.free++;
  else if (answer === 1) counts.held++;
  else counts.failed++;
}
console.log(JSON.stringify(counts));
