// Fills memory, seals it for ever, and hands it over:
//
//   writer.ts             to whom you tell the path that it prints, until Ctrl-C
//   writer.ts COMMAND...  to a child, which inherits it as descriptor 3

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { SharedSegment } from "../../mod.ts";
import { attempt, tryToChange } from "./attempts.ts";

const [program, ...args] = process.argv.slice(2);
const COUNT = 100_000;

const draft = SharedSegment.anonymous({ size: COUNT * 8, label: "square-roots" });
const numbers = draft.view(Float64Array);
for (let n = 0; n < COUNT; n++) numbers[n] = Math.sqrt(n);

using memory = draft.freeze(); // from here on it is as it is
console.log(`sealed against ${memory.seals.join(", ")}; the writer tries to`);
attempt("use what it had", () => draft.bytes);
attempt("resize it", () => draft.resize(1));
tryToChange(memory);
console.log(`  (a view that it had has ${numbers.length} elements now)`);

if (program === undefined) {
  console.log(`the memory is ${memory.path} until Ctrl-C`);
  setInterval(() => {}, 2 ** 30);
  await new Promise(() => {}); // at Ctrl-C nothing is left to be removed: it has no name
} else {
  const child = spawn(program, args, { stdio: ["inherit", "inherit", "inherit", memory.fd] });
  const [code] = await once(child, "exit");
  process.exitCode ||= code ?? 1;
}
