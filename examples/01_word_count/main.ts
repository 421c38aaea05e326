// Counts the words of a file with one worker process per core: in shared memory, and through pipes.
// Start it in any of the runtimes:
//
//   bun examples/01_word_count/main.ts [file]
//   deno run -A examples/01_word_count/main.ts [file]
//   node examples/01_word_count/main.ts [file]

import { randomBytes } from "node:crypto";
import process from "node:process";
import { SharedSegment } from "../../mod.ts";
import { difference } from "./counts.ts";
import { abortOnSignals, Interruption } from "./interruption.ts";
import type { Count } from "./job.ts";
import { objectNames, removeObjects } from "./layout.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { countThroughPipes } from "./pipes.ts";
import { describeRuntimes, describeTimes, describeWords, size } from "./report.ts";
import { assignRuntimes } from "./runtimes.ts";
import { countInSharedMemory } from "./shared_memory.ts";
import { fileText, sampleText } from "./text.ts";
import { killAllWorkers } from "./workers.ts";

/** All names start with it. Nobody else has the same, not even in another container. */
const run = `shmkit-word-count-${process.pid}-${randomBytes(4).toString("hex")}`;
const signal = abortOnSignals();
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => process.exit(1)); // its reader has gone, as in `| head`
}

try {
  const options = parseOptions();
  if (options.help) console.log(HELP);
  else await main(options);
} catch (error) {
  const reason: unknown = signal.aborted ? signal.reason : error;
  console.error(reason instanceof Error ? reason.message : reason);
  process.exitCode = reason instanceof Interruption ? reason.exitCode : 1;
  killAllWorkers(); // there are some if not all of them could be started
}

async function main({ path, workers, rounds, top }: Options): Promise<void> {
  const source = path === undefined ? sampleText() : fileText(path);
  const runtimes = assignRuntimes(workers);
  console.log(`Counting ${source.description}, ${size(source.byteLength)}`);
  console.log(`with ${describeRuntimes(runtimes)}`);

  // Does nothing on the usual ways out, where `using` has cleaned up before: it is for an end by
  // force. The text needs no mention, because of its lifetime.
  process.on("exit", () => {
    killAllWorkers();
    removeObjects(run, workers);
  });
  using text = SharedSegment.create(objectNames(run).text, {
    size: source.byteLength,
    lifetime: "creator",
  });
  await source.copyInto(text.bytes, signal);

  const shared: Count[] = [];
  const pipes: Count[] = [];
  for (let round = 1; round <= rounds; round++) {
    const job = { run, text: text.bytes, runtimes, signal };
    const of = `round ${round} of ${rounds}`;
    shared.push(await countInSharedMemory({ ...job, title: `shared memory, ${of}` }));
    pipes.push(await countThroughPipes({ ...job, title: `pipes,         ${of}` }));
  }

  const [first, ...others] = [...shared, ...pipes] as [Count, ...Count[]];
  for (const { counts } of others) {
    const found = difference(first.counts, counts);
    if (found !== undefined) throw new Error(`Two counts of the same text differ: ${found}`);
  }
  for (const { worker, failed } of [first, ...others].flatMap(({ shares }) => shares)) {
    if (!failed) continue;
    console.error(`Warning: its share was counted again, because ${worker.name} ${worker.ending}`);
  }

  console.log(`\n${describeWords(first.counts, top)}`);
  console.log(describeTimes(source.byteLength, shared, pipes));
}
