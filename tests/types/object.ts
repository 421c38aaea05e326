/**
 * The types of shared objects, and misuse that does not compile. Nothing here is run: it compiles, or it
 * does not.
 *
 * @module
 */

import { type AttachedObject, type ReadonlySharedObject, SharedObject } from "../../mod.ts";
import {
  type ArrayOf,
  type Atomic,
  type AtomicCell,
  type Enumeration,
  type F64,
  type Field,
  type Fields,
  type Infer,
  type InferLive,
  type Patch,
  type Struct,
  t,
  type U32,
} from "../../layout/mod.ts";

/** Whether two types are the same, and not merely assignable to each other. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const yes = <_ extends true>(): void => {};
const take = <T>(_: T): void => {};

/** A field as others make them: without a value, and more than memory in a shared object. */
interface Lock extends Field<never, never, { readonly owner: number }, { lock(): void }> {
  readonly assignable: false;
}
declare const lock: Lock;

const Player = t.struct("Player", {
  id: t.u32,
  position: t.array(t.f64, 3),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  stats: t.struct("Stats", { level: t.u8, inner: t.struct("Inner", { score: t.i64 }), lock }),
  far: t.cacheLine(t.struct("Far", { x: t.u8, y: t.u8 })),
  lock,
});

type PlayerPatch = {
  id?: number;
  position?: ArrayLike<number>;
  team?: "red" | "blue";
  flags?: Partial<Readonly<{ alive: boolean; level: number }>>;
  hits?: number;
  stats?: { level?: number; inner?: { score?: bigint } };
  far?: { x?: number; y?: number };
};
declare const patch: Patch<typeof Player>;
declare const expected: PlayerPatch;
take<PlayerPatch>(patch);
take<Patch<typeof Player>>(expected);

const player = SharedObject.create("player", Player, {
  id: 7,
  stats: { inner: { score: 1n } },
  flags: { alive: true },
  far: { x: 1 },
}, { lifetime: "lastDetach", participants: 8 });
yes<Same<typeof player, SharedObject<typeof Player>>>();
yes<Same<typeof player.value, InferLive<typeof Player>>>();
yes<Same<ReturnType<typeof player.snapshot>, Infer<typeof Player>>>();
player.value.id++;
player.value.team = "blue";
player.value.hits.add(1);
player.value.lock.lock();
player.value.stats.lock.lock();
player.snapshot(player.snapshot());
player.assign({ stats: { level: 1 }, position: new Float64Array(3) });
player.assign({});
SharedObject.create("player", Player);

// What is opened is writable, or is not, or may be either.
declare const readonly: boolean;
type OpenedPlayer = SharedObject<typeof Player> | ReadonlySharedObject<typeof Player>;
const writable = SharedObject.open("player", Player);
const reader = SharedObject.open("player", Player, { readonly: true });
take<SharedObject<typeof Player>>(writable);
take<SharedObject<typeof Player>>(
  SharedObject.open("player", Player, { trust: "anyone", readonly: false }),
);
take<ReadonlySharedObject<typeof Player>>(reader);
yes<Same<ReturnType<typeof openEither>, OpenedPlayer>>();
function openEither() {
  return SharedObject.open("player", Player, { readonly });
}
const later = {
  writable: SharedObject.openAsync("player", Player, { timeout: 1, prefault: true }),
  reader: SharedObject.openAsync("player", Player, { timeout: 1, readonly: true }),
  either: SharedObject.openAsync("player", Player, { timeout: 1, readonly }),
};
yes<Same<typeof later.writable, Promise<SharedObject<typeof Player>>>>();
yes<Same<typeof later.reader, Promise<ReadonlySharedObject<typeof Player>>>>();
yes<Same<typeof later.either, Promise<OpenedPlayer>>>();

// Code that does not know the layout takes any object.
export function describe(object: AttachedObject<Struct<Fields>>): string {
  return `${object.name}: ${object.layout.fingerprint} ${JSON.stringify(object.snapshot())}`;
}
describe(player);
describe(reader);
SharedObject.open("player", SharedObject.layoutOf("player")).snapshot();

// Neither do these have to name the layout more than once.
export function reset<L extends Struct<Fields>>(name: string, layout: L): SharedObject<L> {
  return SharedObject.openOrCreate(name, layout);
}
yes<Same<ReturnType<typeof reset<typeof Player>>, SharedObject<typeof Player>>>();

// @ts-expect-error: there is no such field
SharedObject.create("player", Player, { extra: 1 });
// @ts-expect-error: nor deep down
SharedObject.create("player", Player, { stats: { extra: 1 } });
// @ts-expect-error: there is no such team
SharedObject.create("player", Player, { team: "green" });
// @ts-expect-error: nor in openOrCreate()
SharedObject.openOrCreate("player", Player, { team: "green" });
// @ts-expect-error: a bigint is no u32
SharedObject.create("player", Player, { id: 1n });
// @ts-expect-error: a number is no i64
SharedObject.create("player", Player, { stats: { inner: { score: 1 } } });
// @ts-expect-error: a lock has no value
SharedObject.create("player", Player, { lock: {} });
// @ts-expect-error: there is no such lifetime
SharedObject.create("player", Player, {}, { lifetime: "ever" });
// @ts-expect-error: it is no layout
SharedObject.create("player", t.u32);
// @ts-expect-error: there is no such field
player.assign({ extra: 1 });
// @ts-expect-error: nor deep down
player.assign({ stats: { inner: { extra: 1n } } });
// @ts-expect-error: there is no such team
player.assign({ team: "green" });
// @ts-expect-error: nor here
player.value.team = "green";
// @ts-expect-error: an array is not assigned
player.value.position = [1, 2, 3];
// @ts-expect-error: an atomic field is not assigned
player.value.hits = 1;
// @ts-expect-error: the value is where it is
player.value = writable.value;
// @ts-expect-error: what only reads has no live value
reader.value;
// @ts-expect-error: and is not written
reader.assign({});
// @ts-expect-error: a snapshot of another layout is not filled
player.snapshot({ x: 1 });
// @ts-expect-error: objects are made by create() and open()
new SharedObject();

/** As a library annotates what it exports, so that it has explicit types. */
export const Sensor: Struct<{
  state: Enumeration<"off" | "on">;
  values: ArrayOf<F64>;
  count: Atomic<U32>;
}> = t.struct("Sensor", {
  state: t.enumeration(t.u8, { off: 0, on: 1 }),
  values: t.array(t.f64, 4),
  count: t.atomic(t.u32),
});
export function openSensor(name: string): SharedObject<typeof Sensor> {
  const sensor = SharedObject.openOrCreate(name, Sensor, { state: "off" });
  sensor.assign({ state: "on", values: [1, 2, 3, 4] });
  return sensor;
}
yes<Same<ReturnType<typeof openSensor>["value"]["count"], AtomicCell<number>>>();
// @ts-expect-error: there is no such state
openSensor("sensor").assign({ state: "broken" });
