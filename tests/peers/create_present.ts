// Usage: create_present.ts NAME
// Creates a segment whose pages are to be present and to stay, and tells how many bytes are.

import process from "node:process";
import { readTextFile } from "../../ffi/mod.ts";
import { SharedSegment } from "../../mod.ts";

const name = process.argv[2] as string;
using segment = SharedSegment.create(name, {
  size: 8192,
  prefault: true,
  mlock: true,
  lifetime: "creator",
});
const mappings = (readTextFile("/proc/self/smaps") as string).split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
const own = mappings.find((each) => each.includes(name)) ?? "";
const bytes = (field: string) =>
  Number(new RegExp(`^${field}: +(\\d+) kB`, "m").exec(own)?.[1]) * 1024;
console.log(`${bytes("Rss")} ${bytes("Locked")}`);
segment.close();
