/**
 * `<semaphore.h>` and the clocks of `<time.h>` that its waits need: sem_overview(7).
 *
 * @module
 */

import type { Address, BackgroundCall } from "../runtimes/runtime.ts";
import { platform, runtime } from "../select.ts";
import { bind, bindBackground, bindOptional, lastErrno, settle } from "./library.ts";
import { cString, scratchMemory } from "./scratch.ts";

const c = bind({
  // sem_t *sem_open(const char *name, int oflag, mode_t mode, unsigned int value);  (variadic in C)
  sem_open: ["address", "address", "i32", "u32", "u32"],
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
});

const CLOCKWAIT = ["i32", "address", "i32", "address"] as const;

// glibc 2.30 and musl 1.2.5: waits against a clock that nobody can set back.
const clockwait = bindOptional({
  // int sem_clockwait(sem_t *sem, clockid_t clockid, const struct timespec *abstime);
  sem_clockwait: CLOCKWAIT,
});

// #define SEM_FAILED ((sem_t *) 0)
const SEM_FAILED = 0;

/** Opens or creates a semaphore. @returns Its address, or a negative error number. */
export function semOpen(
  name: string,
  flags: number,
  mode: number,
  value: number,
): { readonly address: Address } | number {
  const address = c().sem_open(cString(`/${name}`), flags, mode, value);
  const code = lastErrno();
  return runtime().addressToNumber(address) === SEM_FAILED ? code : { address };
}

/** Detaches from a semaphore. */
export function semClose(semaphore: Address): void {
  c().sem_close(semaphore);
}

/** Removes a semaphore's name. @returns 0, or a negative error number. */
export function semUnlink(name: string): number {
  return settle(c().sem_unlink(cString(`/${name}`)));
}

/** The two functions of the hot path, bound: each gives 0 or a negative error number. */
export function hotFunctions(): {
  readonly post: (semaphore: Address) => number;
  readonly tryWait: (semaphore: Address) => number;
} {
  const { sem_post, sem_trywait } = c();
  return {
    post: (semaphore) => settle(sem_post(semaphore)),
    tryWait: (semaphore) => settle(sem_trywait(semaphore)),
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
  const { CLOCK_MONOTONIC, CLOCK_REALTIME } = platform().constants;
  const { struct } = scratchMemory();
  const monotonic = clockwait()?.sem_clockwait;
  if (monotonic !== undefined) {
    setDeadline(CLOCK_MONOTONIC, timeoutMs, 0);
    return settle(monotonic(semaphore, CLOCK_MONOTONIC, struct));
  }
  setDeadline(CLOCK_REALTIME, timeoutMs, 0);
  return settle(c().sem_timedwait(semaphore, struct));
}

let backgroundWait: { readonly call: BackgroundCall; readonly monotonic: boolean } | undefined;

/**
 * As {@linkcode semTimedWait}, on another thread. One call at a time: its deadline has one place.
 *
 * @returns Whether a permit was taken. (The other thread's `errno` cannot be read.)
 */
export async function semTimedWaitInBackground(
  semaphore: Address,
  timeoutMs: number,
): Promise<boolean> {
  const { CLOCK_MONOTONIC, CLOCK_REALTIME } = platform().constants;
  const { address, byteOffset } = scratchMemory().background;
  backgroundWait ??= clockwait() === undefined
    ? {
      call: bindBackground("sem_timedwait", ["i32", "address", "address"]),
      monotonic: false,
    }
    : { call: bindBackground("sem_clockwait", CLOCKWAIT), monotonic: true };
  const { call, monotonic } = backgroundWait;
  const clock = monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  setDeadline(clock, timeoutMs, byteOffset);
  const result = await (monotonic ? call(semaphore, clock, address) : call(semaphore, address));
  return result === 0;
}

/** Writes "now plus some time" as a timespec into scratch memory. */
function setDeadline(clock: number, timeoutMs: number, byteOffset: number): void {
  const { view, struct } = scratchMemory();
  const { tv_sec, tv_nsec } = platform().timespec.offsets;
  c().clock_gettime(clock, struct);
  const seconds = Math.floor(timeoutMs / 1000);
  const nanoseconds = view.getUint32(tv_nsec, true) + Math.floor((timeoutMs % 1000) * 1e6);
  const carry = nanoseconds >= 1e9 ? 1 : 0;
  const now = view.getBigInt64(tv_sec, true);
  view.setBigInt64(byteOffset + tv_sec, now + BigInt(seconds + carry), true);
  view.setBigInt64(byteOffset + tv_nsec, BigInt(nanoseconds - carry * 1e9), true);
}
