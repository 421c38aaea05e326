// Reads memory that was sealed and handed over:
//
//   reader.ts [path]  by the path that its owner tells, or by descriptor 3, inherited from it

import process from "node:process";
import { SharedSegment } from "../../mod.ts";
import { tryToChange } from "./attempts.ts";

const path = process.argv[2];
// With these seals nobody can change what is read, nor end this process by cutting it off. Memory
// without them is refused.
const options = { readonly: true, seals: ["write", "shrink"] } as const;
using memory = path === undefined
  ? SharedSegment.fromDescriptor(3, options)
  : SharedSegment.openFile(path, options);

const numbers = memory.copyInto(new Float64Array(memory.size / 8));
const isRight = numbers.every((number, n) => number === Math.sqrt(n));
console.log(`${numbers.length} square roots, ${isRight ? "all right" : "NOT right"}`);
console.log("the reader tries to");
tryToChange(memory);
if (!isRight) process.exitCode = 1;
