/**
 * Counting in shared memory: the parent's side. The workers' is in `worker.ts`.
 *
 * @module
 */

import { NamedSemaphore, SharedSegment } from "../../mod.ts";
import { chunkCountOf, countChunks } from "./chunks.ts";
import { decodeCounts, mergeCounts } from "./counts.ts";
import type { Count, Job } from "./job.ts";
import { Control, objectNames, removeObjects, Status } from "./layout.ts";
import { showProgress } from "./progress.ts";
import { Team, type Worker } from "./workers.ts";

/** When nothing has moved for so long, the workers that are late are given up. */
const STALL_MS = 60_000;

/** Counts the words of the text segment. No other object is left afterwards. */
export async function countInSharedMemory(job: Job): Promise<Count> {
  const { run, text, runtimes, signal } = job;
  const names = objectNames(run);
  const workerCount = runtimes.length;
  const chunkCount = chunkCountOf(text.length);
  const here = { chunks: 0, words: 0 }; // what this process has to count itself

  using cleanUp = new DisposableStack();
  cleanUp.defer(() => removeObjects(run, workerCount));
  using control = Control.create(names.control, workerCount, chunkCount);
  using start = NamedSemaphore.create(names.start, { initialValue: 0 });
  using changed = NamedSemaphore.create(names.changed, { initialValue: 0 });

  const startMs = performance.now();
  await using team = new Team(runtimes, (index) => [run, `${index}`]);
  for (const { ended } of team.workers) void ended.then(noteDeath);
  await reached(Status.ready);

  const readyMs = performance.now();
  using _progress = showProgress(job.title, () => ({
    share: countedChunks() / chunkCount,
    detail: `${countedWords().toLocaleString("en")} words`,
  }));
  start.post(workerCount);
  await reached(Status.finished);

  const tables = team.workers.filter(isFinished).map(({ index }) => readTable(names.result(index)));
  const lost = await countChunks(text, control.lostChunks(), (words) => {
    signal.throwIfAborted();
    here.chunks++;
    here.words += words;
  });
  const counts = mergeCounts([...tables, lost]);

  return {
    counts,
    startMs: readyMs - startMs,
    countMs: performance.now() - readyMs,
    shares: team.workers.map((worker) => ({
      worker,
      chunks: control.countedChunks(worker.index),
      failed: !isFinished(worker),
    })),
  };

  /**
   * Waits until every worker that still lives has come so far. The semaphore only says that there
   * is something to look at; what is true stands in the control segment.
   */
  async function reached(status: Status): Promise<void> {
    const late = () => live().filter(({ index }) => control.statusOf(index) < status);
    while (late().length > 0) {
      const before = countedChunks();
      const isNews = await changed.waitAsync({ timeout: STALL_MS, signal });
      const isStalled = !isNews && countedChunks() === before;
      if (isStalled) late().forEach((worker) => worker.kill());
    }
  }

  /** A worker that was killed cannot say so. */
  function noteDeath(): void {
    if (!changed.closed) changed.post();
  }

  function isFinished({ index }: Worker): boolean {
    return control.statusOf(index) === Status.finished;
  }

  /** Those whose counters will be part of the result: a worker that died takes its table along. */
  function live(): Worker[] {
    return team.workers.filter((each) => each.running || isFinished(each));
  }

  function countedChunks(): number {
    return live().reduce((sum, { index }) => sum + control.countedChunks(index), here.chunks);
  }

  function countedWords(): number {
    return live().reduce((sum, { index }) => sum + control.countedWords(index), here.words);
  }
}

/** Reads the table that a worker has made. */
function readTable(name: string): Map<string, number> {
  using result = SharedSegment.open(name);
  return decodeCounts(result.bytes);
}
