/**
 * Synchronisation that survives the death of any participant: locks, semaphores, conditions, events
 * and barriers, each under a name of its own, or as a field of a shared object.
 *
 * @module
 */

export {
  autoResetEvent,
  barrier,
  condition,
  event,
  mutex,
  once,
  rwlock,
  semaphore,
} from "./fields.ts";
export type { Inert, SyncField } from "./fields.ts";
export { KINDS } from "./kinds.ts";
export { ShmError } from "../errors.ts";
export type { ShmErrorCode, ShmErrorOptions, SystemErrorCode } from "../errors.ts";
export type {
  ObjectCreateOptions,
  ObjectLifetime,
  ObjectOpenOrCreateOptions,
} from "../memory/objects/object_options.ts";
export type { AsyncWaitOptions, Trust, WaitOptions } from "../memory/options.ts";
export type { SegmentStat } from "../memory/segment_info.ts";
export { Barrier, BarrierMember } from "./primitives/barrier.ts";
export { Condition } from "./primitives/condition.ts";
export { Mutex, MutexGuard } from "./primitives/mutex.ts";
export type { NotPromise } from "./primitives/callbacks.ts";
export { Once } from "./primitives/once.ts";
export { ResetEvent } from "./primitives/reset_event.ts";
export { RwLock } from "./primitives/rwlock.ts";
export { ExclusiveGuard, SharedGuard } from "./primitives/rwlock_guards.ts";
export { Permit, Semaphore } from "./primitives/semaphore.ts";
export type { ReleasableGuard } from "./primitives/suspension.ts";
export type { NamedOpenOptions } from "./named/named_object.ts";
export { SharedBarrier } from "./named/shared_barrier.ts";
export type {
  SharedBarrierCreateOptions,
  SharedBarrierOpenOrCreateOptions,
} from "./named/shared_barrier.ts";
export { SharedCondition } from "./named/shared_condition.ts";
export { SharedEvent } from "./named/shared_event.ts";
export type {
  SharedEventCreateOptions,
  SharedEventOpenOrCreateOptions,
} from "./named/shared_event.ts";
export { SharedMutex } from "./named/shared_mutex.ts";
export { SharedOnce } from "./named/shared_once.ts";
export { SharedRwLock } from "./named/shared_rwlock.ts";
export { SharedSemaphore } from "./named/shared_semaphore.ts";
export type {
  SharedSemaphoreCreateOptions,
  SharedSemaphoreOpenOrCreateOptions,
} from "./named/shared_semaphore.ts";
