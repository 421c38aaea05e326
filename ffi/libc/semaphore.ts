/**
 * `<semaphore.h>` and the clocks of `<time.h>` that its waits need: sem_overview(7).
 *
 * @module
 */

import type {
  Address,
  BackgroundCall,
  BackgroundThread,
  Declarations,
} from "../runtimes/runtime.ts";
import { platform, runtime } from "../select.ts";
import { bind, bindBackground, bindOptional, cLibrary, errno, settle } from "./library.ts";
import { cString, readSize, scratchMemory } from "./scratch.ts";
import { readStart } from "./unistd.ts";

const declarations = {
  // sem_t *sem_open(const char *name, int oflag, mode_t mode, unsigned int value);  (variadic in C)
  sem_open: ["address", "address", "i32", "u32", "u32"],
  // int sem_init(sem_t *sem, int pshared, unsigned int value);
  sem_init: ["i32", "address", "i32", "u32"],
  // int sem_close(sem_t *sem);
  sem_close: ["i32", "address"],
  // int sem_unlink(const char *name);
  sem_unlink: ["i32", "address"],
  // int sem_post(sem_t *sem);
  sem_post: ["i32", "address"],
  // int sem_trywait(sem_t *sem);
  sem_trywait: ["i32", "address"],
  // int sem_timedwait(sem_t *sem, const struct timespec *abs_timeout);
  sem_timedwait: ["i32", "address", "address"],
  // int sem_getvalue(sem_t *sem, int *sval);
  sem_getvalue: ["i32", "address", "address"],
  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  clock_gettime: ["i32", "i32", "address"],
} as const satisfies Declarations;

const c = bind(declarations);

// glibc 2.30 and musl 1.2.5: waits against a clock that nobody can set back.
const optionalDeclarations = {
  // int sem_clockwait(sem_t *sem, clockid_t clockid, const struct timespec *abstime);
  sem_clockwait: ["i32", "address", "i32", "address"],
} as const satisfies Declarations;

const optional = bindOptional(optionalDeclarations);

// #define SEM_FAILED ((sem_t *) 0)
const SEM_FAILED = 0;
/** The `pshared` of a semaphore for one process, and for several. */
const PRIVATE = 0;
const SHARED = 1;

/** Opens a semaphore. @returns Its address, or a negative error number. */
export function semOpen(name: string): { readonly address: Address } | number {
  const address = c().sem_open(cString(`/${name}`), 0, 0, 0);
  const code = errno[0];
  return runtime().addressToNumber(address) === SEM_FAILED ? settle(-1, code) : { address };
}

/** Makes a semaphore in shared memory. @returns 0, or a negative error number. */
export function semInit(semaphore: Address, value: number): number {
  return settle(c().sem_init(semaphore, SHARED, value), errno[0]);
}

/**
 * Whether a file can be a semaphore. Somewhere in a `sem_t` stands whether it is for several
 * processes, and a wait for one that has anything else there ends the process. Where, is seen by
 * making one of each kind.
 */
export function looksLikeSemaphore(fd: number): boolean {
  const { view, struct } = scratchMemory();
  const { byteLength } = platform().sem_t;
  const bytes = new Uint8Array(view.buffer, 0, byteLength);
  const made = [PRIVATE, SHARED].map((pshared) => {
    bytes.fill(0);
    c().sem_init(struct, pshared, 0);
    return bytes.slice();
  }) as [Uint8Array, Uint8Array];
  if (readStart(fd, byteLength) !== byteLength) return false;
  return bytes.every((byte, index) => made[0][index] === made[1][index] || byte === made[1][index]);
}

/**
 * The value of a semaphore in a file, which is read and not mapped: whoever cuts it off harms
 * nobody. @returns It; undefined when the file can be no semaphore.
 */
export function semValueInFile(fd: number): number | undefined {
  const { byteLength } = platform().sem_t;
  if (!looksLikeSemaphore(fd)) return undefined;
  const { struct } = scratchMemory();
  return readStart(fd, byteLength) === byteLength ? semGetValue(struct) : undefined;
}

/** The name of a semaphore's file in the shared-memory directory. */
export function semFileName(name: string): string {
  return cLibrary().semaphoreFilePrefix + name;
}

/** Detaches from a semaphore. */
export function semClose(semaphore: Address): void {
  c().sem_close(semaphore);
}

/** Removes a semaphore's name. @returns 0, or a negative error number. */
export function semUnlink(name: string): number {
  return settle(c().sem_unlink(cString(`/${name}`)), errno[0]);
}

/** The two functions of the hot path, bound: each gives 0 or a negative error number. */
export function hotFunctions(): {
  readonly post: (semaphore: Address) => number;
  readonly tryWait: (semaphore: Address) => number;
} {
  const { sem_post, sem_trywait } = c();
  return {
    post: (semaphore) => settle(sem_post(semaphore), errno[0]),
    tryWait: (semaphore) => settle(sem_trywait(semaphore), errno[0]),
  };
}

/** The value at this moment. */
export function semGetValue(semaphore: Address): number {
  const { view, struct } = scratchMemory();
  c().sem_getvalue(semaphore, struct);
  return view.getInt32(0, true);
}

/** Blocks until a permit is taken or the time is over. @returns 0, or a negative error number. */
export function semTimedWait(semaphore: Address, timeoutMs: number): number {
  const { struct } = scratchMemory();
  const { clock, clockwait } = waitFunctions();
  writeDeadline(0, readClock(clock), timeoutMs);
  return settle(
    clockwait === undefined
      ? c().sem_timedwait(semaphore, struct)
      : clockwait(semaphore, clock, struct),
    errno[0],
  );
}

/** There is room for so many deadlines. */
export const MAX_SLICES = 64;

let background: BackgroundThread | undefined;
/** Which semaphore each call of the run is for. */
let backgroundTargets: readonly number[] = [];

/**
 * Waits for several semaphores on another thread. In each slice it blocks on one of them, and then
 * tries the others. One run at a time.
 *
 * @param slicesMs How long it blocks at a time: at most {@linkcode MAX_SLICES} times.
 * @returns The index of the semaphore from which a permit was taken, or -1. (The other thread's
 * `errno` cannot be read.)
 */
export async function semWaitInBackground(
  semaphores: readonly Address[],
  slicesMs: readonly number[],
): Promise<number> {
  const { clock, clockwait } = waitFunctions();
  const { address, byteOffset } = scratchMemory().background;
  const { byteLength } = platform().timespec;
  const { offsetAddress } = runtime();

  const now = readClock(clock);
  const calls: BackgroundCall[] = [];
  const targets: number[] = [];
  let endMs = 0;
  for (const [slice, sliceMs] of slicesMs.entries()) {
    const blocking = slice % semaphores.length;
    writeDeadline(byteOffset + slice * byteLength, now, endMs += sliceMs);
    const deadline = offsetAddress(address, slice * byteLength);
    const semaphore = semaphores[blocking] as Address;
    calls.push(
      clockwait === undefined
        ? ["sem_timedwait", semaphore, deadline]
        : ["sem_clockwait", semaphore, clock, deadline],
    );
    targets.push(blocking);
    for (const [index, other] of semaphores.entries()) {
      if (index === blocking) continue;
      calls.push(["sem_trywait", other]);
      targets.push(index);
    }
  }

  const { sem_post, sem_trywait, sem_timedwait } = declarations;
  background ??= bindBackground({
    sem_post,
    sem_trywait,
    ...(clockwait === undefined ? { sem_timedwait } : optionalDeclarations),
  }, "sem_post");
  backgroundTargets = targets;
  return targets[await background.run(calls)] ?? -1;
}

/**
 * Ends the run in the background with its slice. A permit that it takes from now on it posts back.
 *
 * @returns The index of the semaphore from which it has taken a permit already, or -1.
 */
export function stopBackgroundWait(): number {
  return backgroundTargets[background?.stop() ?? -1] ?? -1;
}

/** Blocks until the run in the background has ended: for the end of the process. */
export function finishBackgroundWait(): void {
  background?.finish();
}

/** The clock for deadlines, and the function that waits against one that nobody can set back. */
function waitFunctions(): {
  clock: number;
  clockwait: ((semaphore: Address, clock: number, deadline: Address) => number) | undefined;
} {
  const { CLOCK_MONOTONIC, CLOCK_REALTIME } = platform().constants;
  const clockwait = optional()?.sem_clockwait;
  return { clock: clockwait === undefined ? CLOCK_REALTIME : CLOCK_MONOTONIC, clockwait };
}

/** A clock's time in seconds and nanoseconds. */
function readClock(clock: number): { seconds: number; nanoseconds: number } {
  const { view, struct } = scratchMemory();
  const { tv_sec, tv_nsec } = platform().timespec.offsets;
  c().clock_gettime(clock, struct);
  return { seconds: readSize(tv_sec), nanoseconds: view.getUint32(tv_nsec, true) };
}

/** Writes a time plus some milliseconds as a timespec into scratch memory. */
function writeDeadline(
  byteOffset: number,
  { seconds, nanoseconds }: { seconds: number; nanoseconds: number },
  delayMs: number,
): void {
  const { view } = scratchMemory();
  const { tv_sec, tv_nsec } = platform().timespec.offsets;
  const wholeSeconds = Math.floor(delayMs / 1000);
  const total = nanoseconds + Math.floor((delayMs - wholeSeconds * 1000) * 1e6);
  const carry = total >= 1e9 ? 1 : 0;
  view.setBigInt64(byteOffset + tv_sec, BigInt(seconds + wholeSeconds + carry), true);
  view.setBigInt64(byteOffset + tv_nsec, BigInt(total - carry * 1e9), true);
}
