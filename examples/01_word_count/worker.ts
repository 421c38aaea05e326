// A worker process, started by main.ts in any of the runtimes:
//
//   worker.ts RUN INDEX   counts in shared memory, in place
//   worker.ts --pipe      counts what comes through standard input, and prints the result

import { Buffer } from "node:buffer";
import process from "node:process";
import { NamedSemaphore, SharedSegment } from "../../mod.ts";
import { countChunks } from "./chunks.ts";
import { encodeCounts, END_OF_TABLE, totalOf } from "./counts.ts";
import { Control, objectNames, removeObjects, Status } from "./layout.ts";
import { isWordByte, WordTable } from "./tokenizer.ts";

async function countInPlace(run: string, index: number): Promise<void> {
  const names = objectNames(run);
  using text = SharedSegment.open(names.text);
  using control = Control.open(names.control);
  using start = NamedSemaphore.open(names.start);
  using changed = NamedSemaphore.open(names.changed);

  // The parent keeps this pipe open and sends nothing: it keeps this process alive until the parent
  // has taken the result and ends it. If the pipe ends, the parent was killed, and whoever is left
  // removes what it has made.
  process.stdin.on("end", () => {
    SharedSegment.unlink(names.text);
    removeObjects(run, control.workerCount);
    process.exit(1);
  });
  process.stdin.resume();

  const started = start.waitAsync(); // it waits already when it says that it is ready
  control.setStatus(index, Status.ready);
  changed.post();
  await started;

  const counts = await countChunks(text.bytes, control.claims(index), (words) => {
    control.addCounted(index, words);
  });
  control.setCountedWords(index, totalOf(counts));
  const table = encodeCounts(counts);
  using result = SharedSegment.create(names.result(index), { size: table.length });
  result.bytes.set(table);

  control.setStatus(index, Status.finished); // publishes the result
  changed.post();
}

async function countStream(): Promise<void> {
  process.stdout.write("\n"); // says that it is ready, and is no part of a table
  const table = new WordTable();
  const pending: Uint8Array[] = []; // the word in which the last piece was cut
  for await (const data of process.stdin) {
    const piece = data as Uint8Array;
    let end = piece.length;
    while (end > 0 && isWordByte(piece[end - 1] as number)) end--;
    if (end > 0) table.add(Buffer.concat([...pending.splice(0), piece.subarray(0, end)]));
    pending.push(piece.subarray(end));
  }
  table.add(Buffer.concat(pending));
  process.stdout.write(Buffer.concat([encodeCounts(table.counts()), Buffer.of(END_OF_TABLE)]));
}

const [first, index] = process.argv.slice(2);
try {
  if (first === "--pipe") {
    await countStream();
  } else {
    await countInPlace(first as string, Number(index));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
