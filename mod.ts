/**
 * Shared memory between processes, for Deno, Bun and Node.
 *
 * - {@linkcode SharedSegment}: a block of memory that any process can attach to: by a name, as
 *   anonymous memory that can be sealed, or as a file;
 * - {@linkcode SystemVSegment}: the same, for programs that use System V keys;
 * - {@linkcode SharedObject}: a struct that several processes share, and which says itself what its
 *   layout is;
 * - {@linkcode t}: what the bytes mean: struct layouts with the offsets of the C compiler, and headers
 *   for C, C++, Rust and Python;
 * - {@linkcode SharedMutex}, {@linkcode SharedRwLock}, {@linkcode SharedSemaphore},
 *   {@linkcode SharedCondition}, {@linkcode SharedEvent}, {@linkcode SharedBarrier},
 *   {@linkcode SharedOnce}: synchronisation that survives the death of any participant, under names;
 *   and as fields of a shared object, where {@linkcode t} has them;
 * - {@linkcode NamedSemaphore}: a named semaphore that any process can wait for and post;
 * - {@linkcode SystemVSemaphore}: System V semaphores, whose permits the kernel takes back from the
 *   dead;
 * - {@linkcode listSegments}, {@linkcode attachedProcesses}, {@linkcode listSemaphores}: what there
 *   is on this machine, and who holds it.
 *
 * All of it is what C programs get from `shm_open`, `memfd_create`, `shmget` and `sem_open`, so that a
 * peer may be written in any language. Deno needs `--allow-ffi` and no other permission.
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
  AnonymousOptions,
  CreateOptions,
  DescriptorOptions,
  FileOptions,
  Lifetime,
  OpenOptions,
  OpenOrCreateOptions,
} from "./memory/files/segment_options.ts";
export type { HugePages } from "./memory/huge_pages.ts";
export type { MappingOptions, MemoryAdvice } from "./memory/memory_options.ts";
export type { Seal } from "./memory/files/seals.ts";
export { MappedMemory } from "./memory/mapped_memory.ts";
export { WritableMemory } from "./memory/writable_memory.ts";
export { ReadonlyMemory } from "./memory/readonly_memory.ts";
export type { ReadableLayout } from "./memory/readonly_memory.ts";
export { ReadonlySegmentWindow, SegmentWindow } from "./memory/segment_window.ts";
export { listSegments } from "./memory/list_segments.ts";
export type { ListSegmentsOptions, SegmentKind } from "./memory/list_segments.ts";
export { attachedProcesses } from "./memory/attached_processes.ts";
export type { SegmentTarget } from "./memory/attached_processes.ts";
export type { ViewClass } from "./memory/view.ts";
export { ReadonlySharedSegment } from "./memory/readonly_shared_segment.ts";
export type {
  AttachedMapping,
  AttachedProcess,
  AttachedProcesses,
  MappedStat,
  SegmentInfo,
  SegmentStat,
  SystemVStat,
  UnreadableProcess,
} from "./memory/segment_info.ts";
export type { AsyncWaitOptions, Trust, WaitOptions } from "./memory/options.ts";
export { ReadonlySystemVSegment, SystemVSegment } from "./memory/systemv_segment.ts";
export { ftok } from "./memory/systemv/systemv_options.ts";
export type {
  SystemVCreateOptions,
  SystemVLifetime,
  SystemVName,
  SystemVOpenOptions,
  SystemVOpenOrCreateOptions,
} from "./memory/systemv/systemv_options.ts";
export { AttachedObject } from "./object/attached_object.ts";
export { ReadonlySharedObject } from "./object/readonly_shared_object.ts";
export { SharedObject } from "./object/shared_object.ts";
export type {
  ObjectAnonymousOptions,
  ObjectCreateOptions,
  ObjectDescriptorOptions,
  ObjectLifetime,
  ObjectOpenOptions,
  ObjectOpenOrCreateOptions,
} from "./memory/objects/object_options.ts";
export * as t from "./sync/t.ts";
export type { Infer, InferLive, InferView, Struct } from "./layout/mod.ts";
export { NamedSemaphore } from "./sync/posix/named_semaphore.ts";
export type { SemaphorePermit } from "./sync/posix/named_semaphore.ts";
export { listSemaphores } from "./sync/list_semaphores.ts";
export type {
  ListSemaphoresOptions,
  NamedSemaphoreInfo,
  NamedSemaphoreStat,
  SemaphoreInfo,
} from "./sync/list_semaphores.ts";
export type {
  SemaphoreCreateOptions,
  SemaphoreOpenOptions,
} from "./sync/posix/semaphore_options.ts";
export { Condition } from "./sync/primitives/condition.ts";
export { Mutex, MutexGuard } from "./sync/primitives/mutex.ts";
export type { NotPromise } from "./sync/primitives/callbacks.ts";
export { ResetEvent } from "./sync/primitives/reset_event.ts";
export type { ReleasableGuard } from "./sync/primitives/suspension.ts";
export { Barrier, BarrierMember } from "./sync/primitives/barrier.ts";
export { Permit, Semaphore } from "./sync/primitives/semaphore.ts";
export { Once } from "./sync/primitives/once.ts";
export { RwLock } from "./sync/primitives/rwlock.ts";
export { ExclusiveGuard, SharedGuard } from "./sync/primitives/rwlock_guards.ts";
export type { Inert, SyncField } from "./sync/fields.ts";
export type { NamedOpenOptions } from "./sync/named/named_object.ts";
export { SharedBarrier } from "./sync/named/shared_barrier.ts";
export type {
  SharedBarrierCreateOptions,
  SharedBarrierOpenOrCreateOptions,
} from "./sync/named/shared_barrier.ts";
export { SharedCondition } from "./sync/named/shared_condition.ts";
export { SharedEvent } from "./sync/named/shared_event.ts";
export type {
  SharedEventCreateOptions,
  SharedEventOpenOrCreateOptions,
} from "./sync/named/shared_event.ts";
export { SharedMutex } from "./sync/named/shared_mutex.ts";
export { SharedOnce } from "./sync/named/shared_once.ts";
export { SharedRwLock } from "./sync/named/shared_rwlock.ts";
export { SharedSemaphore } from "./sync/named/shared_semaphore.ts";
export type {
  SharedSemaphoreCreateOptions,
  SharedSemaphoreOpenOrCreateOptions,
} from "./sync/named/shared_semaphore.ts";
export { SystemVSemaphore } from "./sync/systemv/systemv_semaphore.ts";
export type { SystemVPermit } from "./sync/systemv/set_handle.ts";
export type {
  SystemVSemaphoreSetStat,
  SystemVSemaphoreStat,
  SystemVSemaphoreState,
} from "./sync/systemv/set_info.ts";
export type {
  SystemVAsyncWaitOptions,
  SystemVOperation,
  SystemVPostOptions,
  SystemVSemaphoreCreateOptions,
  SystemVSemaphoreOpenOptions,
  SystemVSemaphoreOpenOrCreateOptions,
  SystemVTakeOptions,
  SystemVWaitOptions,
  Uninitialised,
} from "./sync/systemv/set_options.ts";
