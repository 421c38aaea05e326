// Usage: rounds.ts NAME COUNT
// Creates, attaches and closes a segment many times, and tells by how much the numbers of its
// descriptors, mappings and shared-memory files have changed.

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { SharedSegment } from "../../mod.ts";
import { collectUntil } from "../support/runtimes.ts";

const [name, count] = process.argv.slice(2) as [string, string];

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

function round(index: number): void {
  using segment = SharedSegment.create(name, { size: 4096, lifetime: "creator" });
  using same = SharedSegment.open(name);
  using reader = SharedSegment.open(name, { readonly: true });
  segment.view(Int32Array)[0] = index;
  if (same.view(Int32Array)[0] !== index) throw new Error("lost a value");
  if (reader.getInt32(0) !== index) throw new Error("lost a value");
}

const descriptors = () => readdirSync("/proc/self/fd").length;
const mappings = () => readFileSync("/proc/self/maps", "utf8").split("\n").length;
const files = () => readdirSync("/dev/shm").filter((file) => file.startsWith(name)).length;

async function rounds(total: number): Promise<void> {
  for (let index = 0; index < total; index++) {
    round(index);
    if (index % 500 === 0) await turn(); // finalizers run between turns only
  }
}

await rounds(20_000); // until everything is compiled and the runtime's own heap has its size
await collectUntil(() => false, 10);
const before = { descriptors: descriptors(), mappings: mappings(), files: files() };

await rounds(Number(count));
const settled = () => mappings() - before.mappings <= 1024;
await collectUntil(settled, 100);
console.log(JSON.stringify({
  descriptors: descriptors() - before.descriptors,
  mappings: mappings() - before.mappings,
  files: files() - before.files,
}));
