// Records a tone, 1000 samples in two seconds, and keeps it until Ctrl-C:
//
//   writer.ts [name]

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SharedObject } from "../../mod.ts";
import { NAME, Recording } from "./recording.ts";

// `exit` lets `lifetime: "creator"` remove the object. Without a handler nothing would.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

using object = SharedObject.create(
  process.argv[2] ?? NAME,
  Recording,
  { rate: 500 },
  { lifetime: "creator" },
);
const { rate, samples, count } = object.value; // `samples` is a Float64Array over the memory
console.log(`recording ${samples.length} samples as "${object.name}"`);

const start = performance.now();
while (count.load() < samples.length) {
  const due = Math.floor((performance.now() - start) / 1000 * rate);
  for (let n = count.load(); n < Math.min(due, samples.length); n++) {
    samples[n] = Math.sin(2 * Math.PI * 5 * n / rate); // 5 Hz
    count.add(1); // after the sample: who sees the number sees it
  }
  await sleep(10);
}
console.log("complete; Ctrl-C removes it");
setInterval(() => {}, 2 ** 30);
await new Promise(() => {});
