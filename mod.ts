/**
 * Shared memory between processes, for Deno, Bun and Node.
 *
 * - {@linkcode SharedSegment}: a named block of memory that any process can attach to;
 * - {@linkcode NamedSemaphore}: a named semaphore that any process can wait for and post.
 *
 * Both are what C programs get from `shm_open` and `sem_open`, so that a peer may be written in any
 * language. Deno needs `--allow-ffi` and no other permission.
 *
 * @example Two processes, started in either order
 * ```ts
 * import { NamedSemaphore, SharedSegment } from "@shmkit/shmkit";
 *
 * using frame = SharedSegment.openOrCreate("doc-frame", { size: 4096 });
 * using ready = NamedSemaphore.openOrCreate("doc-ready", { initialValue: 0 });
 * frame.bytes.set([1, 2, 3]);
 * ready.post();
 *
 * // The other process opens both in the same way, and waits:
 * await ready.waitAsync();
 * console.log(frame.bytes.subarray(0, 3)); // 1, 2, 3
 *
 * SharedSegment.unlink("doc-frame");
 * NamedSemaphore.unlink("doc-ready");
 * ```
 *
 * @module
 */

export { ShmError } from "./errors.ts";
export type { ShmErrorCode, ShmErrorOptions, SystemErrorCode } from "./errors.ts";
export { SharedSegment } from "./memory/shared_segment.ts";
export type {
  CreateOptions,
  Lifetime,
  OpenOptions,
  OpenOrCreateOptions,
} from "./memory/segment_options.ts";
export type { ViewClass } from "./memory/view.ts";
export { ReadonlySharedSegment } from "./memory/readonly_shared_segment.ts";
export type { SegmentStat } from "./memory/segment_handle.ts";
export type { AsyncWaitOptions, Trust, WaitOptions } from "./memory/options.ts";
export { NamedSemaphore } from "./sync/named_semaphore.ts";
export type { SemaphorePermit } from "./sync/named_semaphore.ts";
export type { SemaphoreCreateOptions, SemaphoreOpenOptions } from "./sync/semaphore_options.ts";
