// What the workers share: the cells of a Game of Life, and how they meet.

import { type InferLive, t } from "../../mod.ts";

export const NAME = "shmkit-pool";
export const WORKERS = 3;
export const WIDTH = 64;
export const HEIGHT = 48;

export const Pool = t.struct("Pool", {
  /** All workers meet here before each step, and after it. */
  meeting: t.barrier(WORKERS),
  /** How many steps are done. Step n is read from cells n % 2, and written to the others. */
  steps: t.atomic(t.u32),
  goal: t.u32,
  /** What a worker and main.ts tell each other when another has died. */
  seats: t.array(
    t.struct("Seat", {
      /** By the worker, 1: it has been told, and does nothing until it may go on. */
      isTold: t.atomic(t.u8),
      /** By main.ts: all are there again. */
      goOn: t.autoResetEvent,
    }),
    WORKERS,
  ),
  even: t.array(t.u8, WIDTH * HEIGHT),
  odd: t.array(t.u8, WIDTH * HEIGHT),
});
export type LivePool = InferLive<typeof Pool>;

/** The cells after so many steps. */
export function cellsAfter(pool: LivePool, steps: number): Uint8Array {
  return steps % 2 === 0 ? pool.even : pool.odd;
}

/** Some cells to begin with: the same every time. */
export function firstCells(): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: WIDTH * HEIGHT }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 30 === 0 ? 1 : 0;
  });
}

/** The rows that are a worker's. */
export function rowsOf(worker: number): { first: number; end: number } {
  const row = (share: number) => Math.floor(HEIGHT * share / WORKERS);
  return { first: row(worker), end: row(worker + 1) };
}

/** Computes the next state of some rows. The edges meet. */
export function step(from: Uint8Array, to: Uint8Array, first: number, end: number): void {
  for (let y = first; y < end; y++) {
    for (let x = 0; x < WIDTH; x++) {
      let around = 0;
      for (let dy = -1; dy <= 1; dy++) {
        const row = (y + dy + HEIGHT) % HEIGHT * WIDTH;
        for (let dx = -1; dx <= 1; dx++) around += from[row + (x + dx + WIDTH) % WIDTH] as number;
      }
      const self = from[y * WIDTH + x] as number;
      to[y * WIDTH + x] = around === 3 || (around === 4 && self === 1) ? 1 : 0;
    }
  }
}
