// Usage: use_descriptor.ts FD
// Maps an inherited descriptor twice, adds 1 to its last byte, and prints what it is.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const fd = Number(process.argv[2]);
{
  using segment = SharedSegment.fromDescriptor(fd, { seals: ["shrink"] });
  const { kind, name, size, seals, bytes } = segment;
  console.log(`${kind} ${name} ${size} ${seals} ${bytes.at(-1)}`);
}
using again = SharedSegment.fromDescriptor(fd);
again.bytes[again.size - 1]!++;
