/**
 * What the processes share: the names of the objects, and the layout of the control segment.
 *
 * All numbers are 32-bit integers, and every access is an operation of `Atomics`: only those are
 * exact, and in order, between processes.
 *
 *     byte   0         4         8         12        16            64
 *            +---------+---------+---------+---------+-------------+
 *            | magic   | workers | chunks  | next    | unused      |  constants, and who is next
 *            +---------+---------+---------+---------+-------------+
 *     64     | status  | chunks  | words   | unused                |  worker 0
 *            +---------+---------+---------+-----------------------+
 *     128    | status  | chunks  | words   | unused                |  worker 1, and so on
 *            +---------+---------+---------+---------+-------------+
 *            | owner of| owner of| owner of|   ...                 |  one word for each chunk
 *            | chunk 0 | chunk 1 | chunk 2 |                       |
 *            +---------+---------+---------+-----------------------+
 *
 * Each worker has 64 bytes to itself, which is a cache line: counters that two processors write all
 * the time must not share one.
 *
 * | field   | written by                    | read by                                          |
 * | ------- | ----------------------------- | ------------------------------------------------ |
 * | magic   | the parent, once, as the last | a worker that attaches                            |
 * | workers | the parent, once              | everybody                                         |
 * | chunks  | the parent, once              | everybody                                         |
 * | next    | the worker that claims, `add` | the same `add`                                    |
 * | owner   | the worker that has claimed   | the parent, when a worker has died                |
 * | status  | its worker                    | the parent; `finished` publishes the result       |
 * | chunks  | its worker                    | the parent, for the progress line                 |
 * | words   | its worker                    | the parent, for the progress line                 |
 *
 * @module
 */

import { NamedSemaphore, SharedSegment } from "../../mod.ts";

/** The names of the objects of one run of the program. */
export function objectNames(run: string) {
  return {
    /** A segment: the text, byte by byte as in the file. */
    text: `${run}-text`,
    /** A segment: {@linkcode Control}. */
    control: `${run}-control`,
    /** A semaphore: the parent posts it once for each worker, when all are ready. */
    start: `${run}-start`,
    /** A semaphore: a worker posts it after each change of its status. */
    changed: `${run}-changed`,
    /** A segment, made by a worker that has finished: its table of words. */
    result: (worker: number) => `${run}-result-${worker}`,
  };
}

/** Removes what one count leaves under its names; all but the text. */
export function removeObjects(run: string, workerCount: number): void {
  const names = objectNames(run);
  SharedSegment.unlink(names.control);
  NamedSemaphore.unlink(names.start);
  NamedSemaphore.unlink(names.changed);
  for (let worker = 0; worker < workerCount; worker++) SharedSegment.unlink(names.result(worker));
}

/** How far a worker has come. It only ever grows. */
export const Status = { starting: 0, ready: 1, finished: 2 } as const;
export type Status = (typeof Status)[keyof typeof Status];

const MAGIC = 0x31_43_57; // "WC1"
const LINE = 16; // numbers in a cache line

/** Where the numbers are, counted in numbers. */
const MAGIC_AT = 0;
const WORKERS_AT = 1;
const CHUNKS_AT = 2;
const NEXT_AT = 3;
const workerAt = (worker: number) => LINE * (1 + worker);
const STATUS = 0;
const COUNTED_CHUNKS = 1;
const COUNTED_WORDS = 2;
const ownerAt = (workers: number, chunk: number) => workerAt(workers) + chunk;

/** The control segment: who counts what, and how far everybody is. */
export class Control implements Disposable {
  readonly workerCount: number;
  readonly chunkCount: number;
  readonly #segment: SharedSegment;
  readonly #numbers: Int32Array<ArrayBuffer>;

  private constructor(segment: SharedSegment) {
    this.#segment = segment;
    this.#numbers = segment.view(Int32Array);
    // Pairs with the store in create(): with the magic number, all other constants are there.
    if (Atomics.load(this.#numbers, MAGIC_AT) !== MAGIC) {
      throw new Error(`"${segment.name}" is not a control segment of this program`);
    }
    this.workerCount = Atomics.load(this.#numbers, WORKERS_AT);
    this.chunkCount = Atomics.load(this.#numbers, CHUNKS_AT);
  }

  static create(name: string, workerCount: number, chunkCount: number): Control {
    const size = ownerAt(workerCount, chunkCount) * Int32Array.BYTES_PER_ELEMENT;
    const segment = SharedSegment.create(name, { size, lifetime: "creator" });
    const numbers = segment.view(Int32Array);
    Atomics.store(numbers, WORKERS_AT, workerCount);
    Atomics.store(numbers, CHUNKS_AT, chunkCount);
    Atomics.store(numbers, MAGIC_AT, MAGIC);
    return new Control(segment);
  }

  static open(name: string): Control {
    return new Control(SharedSegment.open(name));
  }

  /** Claims chunks for a worker, one at a time, until there is none left. */
  *claims(worker: number): Generator<number> {
    while (true) {
      // No two processes get the same number, and a slow one takes fewer.
      const chunk = Atomics.add(this.#numbers, NEXT_AT, 1);
      if (chunk >= this.chunkCount) return;
      Atomics.store(this.#numbers, ownerAt(this.workerCount, chunk), 1 + worker);
      yield chunk;
    }
  }

  /**
   * The chunks that nobody has counted to the end: those never claimed, and those of workers that
   * never finished. A worker killed between claim and entry leaves a 0, as an unclaimed chunk does.
   */
  *lostChunks(): Generator<number> {
    for (let chunk = 0; chunk < this.chunkCount; chunk++) {
      const owner = Atomics.load(this.#numbers, ownerAt(this.workerCount, chunk));
      if (owner === 0 || this.statusOf(owner - 1) !== Status.finished) yield chunk;
    }
  }

  /** Pairs with {@linkcode setStatus}: what a worker wrote before it is visible after this. */
  statusOf(worker: number): Status {
    return Atomics.load(this.#numbers, workerAt(worker) + STATUS) as Status;
  }

  setStatus(worker: number, status: Status): void {
    Atomics.store(this.#numbers, workerAt(worker) + STATUS, status);
  }

  /** Notes that a worker has counted one more chunk. */
  addCounted(worker: number, words: number): void {
    Atomics.add(this.#numbers, workerAt(worker) + COUNTED_CHUNKS, 1);
    Atomics.add(this.#numbers, workerAt(worker) + COUNTED_WORDS, words);
  }

  /** Corrects the number of words, which is not exact before the table is made. */
  setCountedWords(worker: number, words: number): void {
    Atomics.store(this.#numbers, workerAt(worker) + COUNTED_WORDS, words);
  }

  countedChunks(worker: number): number {
    return Atomics.load(this.#numbers, workerAt(worker) + COUNTED_CHUNKS);
  }

  countedWords(worker: number): number {
    return Atomics.load(this.#numbers, workerAt(worker) + COUNTED_WORDS);
  }

  [Symbol.dispose](): void {
    this.#segment.close();
  }
}
