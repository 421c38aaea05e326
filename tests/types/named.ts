/**
 * The types of what synchronises, by a name and in an object, and misuse that does not compile. Nothing
 * here is run: it compiles, or it does not.
 *
 * @module
 */

import {
  type Barrier,
  type BarrierMember,
  type Condition,
  type ExclusiveGuard,
  type Mutex,
  type MutexGuard,
  type NamedOpenOptions,
  type ObjectCreateOptions,
  type Once,
  type Permit,
  type ResetEvent,
  type RwLock,
  type Semaphore,
  SharedBarrier,
  SharedCondition,
  SharedEvent,
  type SharedGuard,
  SharedMutex,
  SharedObject,
  SharedOnce,
  SharedRwLock,
  SharedSemaphore,
  t,
} from "../../mod.ts";

/** Whether two types are the same, and not merely assignable to each other. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const yes = <_ extends true>(): void => {};
const take = <T>(_: T): void => {};

// Each is what its field is, and has what every named class has.
const mutex = SharedMutex.create("mutex");
const rwlock = SharedRwLock.openOrCreate("rwlock", { participants: 8, trust: "anyone" });
const semaphore = SharedSemaphore.create("semaphore", { permits: 4, lifetime: "creator" });
const condition = SharedCondition.open("condition", { trust: "owner" });
const event = SharedEvent.create("event", { autoReset: true, set: true });
const barrier = SharedBarrier.openOrCreate("barrier", { parties: 4, mode: 0o660 });
const once = SharedOnce.open("once");
take<Mutex>(mutex);
take<RwLock>(rwlock);
take<Semaphore>(semaphore);
take<Condition>(condition);
take<ResetEvent>(event);
take<Barrier>(barrier);
take<Once>(once);
for (const each of [mutex, rwlock, semaphore, condition, event, barrier, once]) {
  take<Disposable>(each);
  take<string>(each.name);
  take<boolean>(each.created && each.closed);
  take<boolean>(each.unlink());
  take<number>(each.stat().size);
  each.close();
}
for (
  const type of [
    SharedMutex,
    SharedRwLock,
    SharedSemaphore,
    SharedCondition,
    SharedEvent,
    SharedBarrier,
    SharedOnce,
  ]
) {
  yes<Same<ReturnType<typeof type.exists>, boolean>>();
  yes<Same<ReturnType<typeof type.unlink>, boolean>>();
  take<Promise<Disposable>>(
    type.openAsync("later", { timeout: 1, signal: AbortSignal.abort(), prefault: true }),
  );
}
yes<Same<ReturnType<typeof SharedMutex.openAsync>, Promise<SharedMutex>>>();
yes<Same<ReturnType<typeof SharedSemaphore.openAsync>, Promise<SharedSemaphore>>>();
take<number>(semaphore.permits + barrier.parties);
take<boolean>(event.autoReset && event.isSet && once.done);

// A field has the same verbs, and no name.
const Data = t.struct("Data", {
  mutex: t.mutex,
  rwlock: t.rwlock,
  semaphore: t.semaphore(2),
  condition: t.condition,
  event: t.event,
  turn: t.autoResetEvent,
  barrier: t.barrier(2),
  once: t.once,
  count: t.u32,
});
const data = SharedObject.open("data", Data);
const { value } = data;
yes<Same<typeof value.mutex, Mutex>>();
yes<Same<typeof value.rwlock, RwLock>>();
yes<Same<typeof value.semaphore, Semaphore>>();
yes<Same<typeof value.condition, Condition>>();
yes<Same<typeof value.event, ResetEvent>>();
yes<Same<typeof value.turn, ResetEvent>>();
yes<Same<typeof value.barrier, Barrier>>();
yes<Same<typeof value.once, Once>>();
yes<Same<ReturnType<typeof data.snapshot>, { count: number }>>();
// @ts-expect-error: it is closed with its object
value.mutex.close();
// @ts-expect-error: a lock has no value
data.assign({ mutex: {} });

// A lock that is had is always a guard; only a try comes back empty.
const [tried, guard] = [mutex.tryLock(), mutex.lock({ timeout: 1 })];
yes<Same<typeof tried, MutexGuard | null>>();
yes<Same<typeof guard, MutexGuard>>();
take<Promise<MutexGuard>>(mutex.lockAsync({ timeout: 1, signal: AbortSignal.abort() }));
take<boolean>(guard.ownerDied && guard.held);
guard.markConsistent();
take<SharedGuard>(rwlock.lockShared());
take<ExclusiveGuard>(rwlock.lockExclusive());
rwlock.lockExclusive().markConsistent();
// @ts-expect-error: only a writer can say that
rwlock.lockShared().markConsistent();
take<Permit>(semaphore.acquire());
take<Permit | null>(semaphore.tryAcquire());
take<BarrierMember>(barrier.join());
take<Promise<boolean>>(barrier.arriveAndWaitAsync({ timeout: 1 }));
// @ts-expect-error: it may be null
tried.release();

// What a function gives is given, but no promise while a lock is held.
yes<Same<ReturnType<typeof isHeld>, boolean>>();
function isHeld() {
  return mutex.withLock(({ held }) => held);
}
take<Promise<number>>(mutex.withLockAsync(async () => await 1));
take<Promise<number>>(rwlock.withSharedAsync(() => 1));
// @ts-expect-error: the function must not be asynchronous
mutex.withLock(async () => await 1);
// @ts-expect-error: nor here
rwlock.withExclusive(async () => await 1);
// @ts-expect-error: nor here
semaphore.withPermit(async () => await 1);
// @ts-expect-error: nor here
once.run(async () => await 1);
take<Promise<boolean>>(once.runAsync(async (ownerDied) => await ownerDied));

// A condition takes the guard of a mutex, of whatever mutex, and the exclusive one of a read-write lock.
condition.wait(guard, ({ ownerDied }) => ownerDied, { timeout: 1 });
take<Promise<void>>(value.condition.waitAsync(guard, () => true, { signal: AbortSignal.abort() }));
condition.wait(rwlock.lockExclusive(), () => true);
// @ts-expect-error: readers change nothing for each other
condition.wait(rwlock.lockShared(), () => true);
// @ts-expect-error: it is the guard that is released, not the mutex
condition.wait(mutex, () => true);
// @ts-expect-error: the predicate says yes or no
condition.wait(guard, () => 1);
// @ts-expect-error: at once
condition.wait(guard, async () => await true);

// Parameters are said by who creates, and by nobody else.
// @ts-expect-error: how many permits?
SharedSemaphore.create("semaphore");
// @ts-expect-error: how many permits?
SharedSemaphore.openOrCreate("semaphore", { participants: 8 });
// @ts-expect-error: how many parties?
SharedBarrier.create("barrier", {});
// @ts-expect-error: it has as many as it has
SharedSemaphore.open("semaphore", { permits: 4 });
// @ts-expect-error: who creates it, trusts himself
SharedSemaphore.create("semaphore", { permits: 4, trust: "anyone" });
// @ts-expect-error: it is what it is
SharedEvent.open("event", { autoReset: true });
// @ts-expect-error: a mutex is not set
SharedMutex.create("mutex", { set: true });
// @ts-expect-error: who waits, writes
SharedMutex.open("mutex", { readonly: true });
// @ts-expect-error: there is no such lifetime
SharedMutex.create("mutex", { lifetime: "ever" });
// @ts-expect-error: made by create() and open()
new SharedMutex();
// @ts-expect-error: a plain wait is not called off
mutex.lock({ signal: AbortSignal.abort() });
// @ts-expect-error: the name is where it is
mutex.name = "other";

// Code that takes any of them.
export function make<T extends Disposable>(
  type: { create(name: string, options?: ObjectCreateOptions): T },
  name: string,
): T {
  return type.create(name);
}
yes<Same<ReturnType<typeof make<SharedOnce>>, SharedOnce>>();
take<SharedMutex>(make(SharedMutex, "mutex"));
export const options: NamedOpenOptions = { trust: "owner", mlock: true };
