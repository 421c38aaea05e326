/**
 * A queue in shared memory, with a mutex and conditions.
 *
 * @module
 */

import { type InferLive, t } from "../../mod.ts";
import { condition, mutex } from "../../sync/fields.ts";

/** How many items there may be in all. */
export const MAX_ITEMS = 2048;
const CAPACITY = 8;

/** Its place in the memory is as odd as it may be. */
const State = t.struct("State", {
  odd: t.u8,
  lock: mutex,
  notEmpty: condition,
  notFull: condition,
  head: t.u32,
  tail: t.u32,
  /** No more items will come. */
  ended: t.u32,
  items: t.array(t.u32, CAPACITY),
});

/** Several queues, and how often each item has been taken from any of them. */
export const Queues = t.struct("Queues", {
  odd: t.bytes(3),
  queues: t.array(State, 2),
  taken: t.array(t.u32, MAX_ITEMS),
});

/** What `SharedObject.value` is. */
export type LiveQueues = InferLive<typeof Queues>;
type Queue = LiveQueues["queues"][number];
/** How waits are done. */
export type Way = "plain" | "async";

const isFull = ({ head, tail }: Queue) => tail - head === CAPACITY;
const isEmpty = ({ head, tail }: Queue) => tail === head;

/** Appends an item, when there is room. */
export async function append(queue: Queue, item: number, way: Way): Promise<void> {
  using guard = way === "plain" ? queue.lock.lock() : await queue.lock.lockAsync();
  if (way === "plain") queue.notFull.wait(guard, () => !isFull(queue));
  else await queue.notFull.waitAsync(guard, () => !isFull(queue));
  queue.items[queue.tail % CAPACITY] = item;
  queue.tail++;
  queue.notEmpty.notify();
}

/** Takes an item, when there is one. @returns Undefined when no more will come. */
export async function take(
  { queues, taken }: LiveQueues,
  way: Way,
): Promise<number | undefined> {
  const queue = queues[1] as Queue;
  using guard = way === "plain" ? queue.lock.lock() : await queue.lock.lockAsync();
  const isOver = () => !isEmpty(queue) || queue.ended === 1;
  if (way === "plain") queue.notEmpty.wait(guard, isOver);
  else await queue.notEmpty.waitAsync(guard, isOver);
  if (isEmpty(queue)) return undefined;
  const item = queue.items[queue.head % CAPACITY] as number;
  queue.head++;
  taken[item] = (taken[item] as number) + 1;
  queue.notFull.notify();
  return item;
}

/** Says that no more items will come. */
export function end(queue: Queue): void {
  using _ = queue.lock.lock();
  queue.ended = 1;
  queue.notEmpty.notifyAll();
}
