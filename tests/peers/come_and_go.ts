// Usage: come_and_go.ts NAME LIFETIME MILLISECONDS SEED
// Opens or creates an object at random again and again, and says what must hold while it is attached.
// Tells how often it created, opened and hit, as JSON. MILLISECONDS of 0 mean until it is killed.

import process from "node:process";
import { type ObjectLifetime, SharedObject, ShmError, type ShmErrorCode } from "../../mod.ts";
import { Generation } from "../support/objects.ts";

const [name, lifetime, milliseconds, seed] = process.argv.slice(2) as [
  string,
  ObjectLifetime,
  string,
  string,
];
let state = Number(seed) >>> 0;
const random = (below: number): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * below);
};
const counts = { created: 0, opened: 0, missing: 0, taken: 0, hits: 0 };

function fail(what: string): never {
  throw new Error(`${what} (seed ${seed}, ${JSON.stringify(counts)})`);
}

/** A first value that no other has, and that shows when a part of it is missing. */
function first(): { generation: number; check: number; filler: Uint32Array<ArrayBuffer> } {
  const generation = random(2 ** 32);
  return { generation, check: ~generation >>> 0, filler: new Uint32Array(2000).fill(generation) };
}

/** @returns Undefined for an error that is allowed. */
function attach(): SharedObject<typeof Generation> | undefined {
  const way = random(4);
  try {
    if (way === 0) return SharedObject.create(name, Generation, first(), { lifetime });
    if (way === 1) return SharedObject.open(name, Generation);
    return SharedObject.openOrCreate(name, Generation, first(), { lifetime });
  } catch (error) {
    const allowed: ShmErrorCode | undefined = (["EEXIST", "ENOENT"] as const)[way];
    if (!(error instanceof ShmError) || error.code !== allowed) throw error;
    if (way === 0) counts.taken++;
    else counts.missing++;
    return undefined;
  }
}

function check(object: SharedObject<typeof Generation>, generation: number): void {
  const { value } = object;
  if (value.generation !== generation) fail("The object has become another one");
  if (value.check !== ~generation >>> 0) fail("The object was not complete");
  if (value.filler[random(2000)] !== generation) fail("The object was not complete");
  if (!object.stat().linked) fail("The object vanished while it was attached");
}

function round(): void {
  using object = attach();
  if (object === undefined) return;
  counts[object.created ? "created" : "opened"]++;
  const { value } = object;
  const { generation } = value;
  const before = value.attached.add(1);
  if (object.created && before > 100) fail("A new object was not new");
  check(object, generation);
  // The same one, by another name for it: whoever opens it while it is attached gets this one.
  if (random(2) === 0) {
    using same = SharedObject.open(name, Generation, { readonly: true });
    if (same.snapshot().generation !== generation) fail("Two objects of one name were attached");
  }
  const hits = random(20);
  for (let hit = 0; hit < hits; hit++) value.hits.add(1);
  counts.hits += hits;
  if (value.hits.load() < hits) fail("Hits were lost");
  check(object, generation);
  value.attached.sub(1);
}

console.log("ready");
const deadline = performance.now() + (Number(milliseconds) || Infinity);
do {
  round();
  if (random(8) === 0) await new Promise((resolve) => setTimeout(resolve, random(3)));
} while (performance.now() < deadline);
console.log(JSON.stringify(counts));
