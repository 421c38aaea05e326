// Usage: segment.ts create|fill|verify SEED NAME:SIZE...
// Makes and fills segments, fills those that exist, or compares them with what a writer is expected
// to have left. A NAME that starts with 0x is a System V key, one with a slash the path of a file.

import process from "node:process";
import { SharedSegment, SystemVSegment } from "../../mod.ts";
import { countMismatches, writePattern } from "../support/pattern.ts";

const [verb, seed, ...segments] = process.argv.slice(2) as [string, string, ...string[]];

function open(name: string, size: number) {
  const create = verb === "create";
  if (name.startsWith("0x")) {
    const key = Number(name);
    return create ? SystemVSegment.create({ key, size }) : SystemVSegment.open({ key });
  }
  if (name.includes("/")) return SharedSegment.openFile(name, create ? { create, size } : {});
  return create ? SharedSegment.create(name, { size }) : SharedSegment.open(name);
}

function openReadonly(name: string) {
  if (name.startsWith("0x")) return SystemVSegment.open({ key: Number(name) }, { readonly: true });
  return name.includes("/")
    ? SharedSegment.openFile(name, { readonly: true })
    : SharedSegment.open(name, { readonly: true });
}

for (const each of segments) {
  const [name, size] = each.split(":") as [string, string];
  if (verb === "verify") {
    using segment = openReadonly(name);
    console.log(`${name} ${segment.size} ${countMismatches(segment.unsafeBytes, Number(seed))}`);
  } else {
    using segment = open(name, Number(size));
    writePattern(segment.bytes, Number(seed));
  }
}
