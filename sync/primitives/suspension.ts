/**
 * What guards have for those who wait for something that others do under the same lock.
 *
 * @module
 */

/**
 * A guard that a condition can release and get back: that of a mutex, or the exclusive one of a
 * read-write lock.
 */
export interface ReleasableGuard {
  /** Whether it holds its lock. */
  readonly held: boolean;
  /**
   * Lets the lock go, and keeps the guard for later. The handle of the lock cannot be closed meanwhile.
   *
   * @param blocking Whether this thread is blocked until it is resumed, so that none of its promises may
   * get the lock.
   * @ignore
   */
  "~suspend"(blocking: boolean): void;
  /**
   * Locks again, and blocks the thread until that is done.
   *
   * @ignore
   */
  "~resume"(): void;
  /**
   * Locks again, without blocking the event loop; unless it has been released meanwhile, which is an error.
   *
   * @ignore
   */
  "~resumeAsync"(): Promise<void>;
}

/** Why a wait fails whose guard is not there any more when it ends. */
export const RELEASED = "the guard was released while the wait went on";

/** Whether something is such a guard. */
export function isReleasable(value: unknown): value is ReleasableGuard {
  return typeof value === "object" && value !== null && "~suspend" in value;
}
