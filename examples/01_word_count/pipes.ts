/**
 * The same count without shared memory, for comparison: the text goes to the workers through their
 * standard input, and their tables come back through their standard output.
 *
 * Chunks are handed out as in shared memory: a worker gets the next when its pipe has taken the
 * last. The tokenizer, the workers and what is measured are the same.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { chunkCountOf, chunkOf, countChunks } from "./chunks.ts";
import { decodeCounts, mergeCounts } from "./counts.ts";
import type { Count, Job } from "./job.ts";
import { showProgress } from "./progress.ts";
import { Team, type Worker } from "./workers.ts";

/** Counts the words of the text. */
export async function countThroughPipes(job: Job): Promise<Count> {
  const { text, runtimes, signal } = job;
  const chunkCount = chunkCountOf(text.length);

  const startMs = performance.now();
  await using team = new Team(runtimes, () => ["--pipe"]);
  const abort = () => team.kill(); // whatever waits for a worker goes on then
  signal.addEventListener("abort", abort);
  using cleanUp = new DisposableStack();
  cleanUp.defer(() => signal.removeEventListener("abort", abort));
  await Promise.all(team.workers.map(({ started }) => started));
  signal.throwIfAborted();

  const readyMs = performance.now();
  let sentByteLength = 0;
  using _progress = showProgress(job.title, () => ({
    share: sentByteLength / text.length,
    detail: `${(sentByteLength / 1e6).toFixed(1)} MB sent`,
  }));
  const claims = Array(chunkCount).keys();
  const sent = await Promise.all(team.workers.map(send));
  await Promise.all(team.workers.map(({ answered }) => answered));
  signal.throwIfAborted();

  const tables = team.workers.filter(({ hasAnswered }) => hasAnswered).map(({ output }) =>
    decodeCounts(output)
  );
  const lostChunks = sent.flatMap(({ worker, chunks }) => worker.hasAnswered ? [] : chunks);
  const unsentChunks = [...claims];
  const lost = await countChunks(text, [...lostChunks, ...unsentChunks], () => {
    signal.throwIfAborted();
  });
  const counts = mergeCounts([...tables, lost]);

  return {
    counts,
    startMs: readyMs - startMs,
    countMs: performance.now() - readyMs,
    shares: sent.map(({ worker, chunks }) => ({
      worker,
      chunks: chunks.length,
      failed: !worker.hasAnswered,
    })),
  };

  /** Sends chunks to a worker until there is none left. @returns Their numbers. */
  async function send(worker: Worker): Promise<{ worker: Worker; chunks: number[] }> {
    const chunks: number[] = [];
    let isAlive = true;
    while (isAlive) {
      const { value: chunk } = claims.next();
      if (chunk === undefined) break;
      chunks.push(chunk);
      const bytes = chunkOf(text, chunk);
      isAlive = await worker.send(bytes);
      sentByteLength += bytes.length;
      await setImmediate(); // a pipe with room does not make it wait, nor look at timers and signals
    }
    worker.endInput();
    return { worker, chunks };
  }
}
