// Usage: engine_detach.ts compiled|within|cloned
// Detaches buffers over mapped memory by transfer(0) and unmaps the memory, below functions that
// have been compiled for their views. (The library never leaves a range unmapped: here, any access
// to it is a fatal signal.) Prints what was not undefined or a TypeError, and "survived".

import process from "node:process";
import { mmap, munmap } from "../../ffi/libc/mman.ts";
import { platform, runtime } from "../../ffi/select.ts";
import { collectGarbage } from "../support/runtimes.ts";

const BYTE_LENGTH = 4096;
/** Calls, with eight rounds in each: enough for the last compiler of every engine. */
const HOT = 12_000;

/** Memory of the C library's making, as a mapped segment is. */
class Region {
  readonly buffer: ArrayBuffer;
  readonly detach: () => void;

  constructor() {
    const { PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS } = platform().constants;
    const mapped = mmap(BYTE_LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (typeof mapped === "number") throw new Error(`mmap: ${mapped}`);
    const { start } = mapped;
    this.buffer = runtime().viewMemory(start, BYTE_LENGTH);
    this.detach = () => {
      if (this.buffer.detached) return;
      this.buffer.transfer(0);
      munmap(start, BYTE_LENGTH);
    };
  }
}

type View = ArrayBufferView<ArrayBuffer>;
type Operation = (view: View, detach: () => void) => unknown;

const INTEGERS = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array];
const BIG_INTEGERS = [BigInt64Array, BigUint64Array];
const OTHERS = [Uint8ClampedArray, Float32Array, Float64Array];
const NUMBERS = ["Int8", "Uint8", "Int16", "Uint16", "Int32", "Uint32", "Float32", "Float64"];

/** A function of its own for each use, so that it is compiled for one type of view. */
function make(body: string): Operation {
  return new Function("view", "detach", body) as Operation;
}

/** What is done to a view, as source text; `one` is 1 or 1n. */
interface Use {
  readonly type: new (buffer: ArrayBuffer, byteOffset: number, length: number) => View;
  readonly source: string;
}

const loop = (body: string) => `for (let index = 0; index < 8; index++) { ${body} }`;
const lastOf = (body: string) => `let last; ${loop(`last = ${body};`)} return last;`;

/** What is done in a loop, detached or not. */
function* plainUses(): Generator<Use> {
  for (const type of [...INTEGERS, ...OTHERS, ...BIG_INTEGERS]) {
    const isBig = type.name.startsWith("Big");
    const one = isBig ? "1n" : "1";
    const uses = [
      lastOf("view[index]"),
      lastOf("view.at(index)"),
      `${loop(`view[index] = ${one};`)} return view[7];`,
      `${loop(`view[index] += view[index] ?? ${one};`)} return view[7];`,
      `let last; for (const each of view.subarray(0, 9)) last = each; return last;`,
      `view.set([${one}, ${one}], 8);`,
      `view.set(view, 0);`,
      `view.copyWithin(0, 16, 32);`,
      `view.fill(${one}, 0, 64);`,
      `view.subarray(1, 9)[0] = ${one};`,
      `return view.slice(0, 8)[0];`,
      `return view.indexOf(${one}, 1000);`,
      `return view.map((each) => each)[0];`,
      `return view.toSorted()[0];`,
    ];
    for (const source of uses) yield { type, source };
    if (OTHERS.includes(type as typeof Float64Array)) continue;
    for (const verb of ["add", "sub", "and", "or", "xor", "exchange", "store"]) {
      yield { type, source: lastOf(`Atomics.${verb}(view, index, ${one})`) };
    }
    yield { type, source: lastOf("Atomics.load(view, index)") };
    yield { type, source: lastOf(`Atomics.compareExchange(view, index, ${one}, ${one})`) };
  }
  for (const name of [...NUMBERS, "BigInt64", "BigUint64"]) {
    const one = name.startsWith("Big") ? "1n" : "1";
    yield { type: DataView, source: lastOf(`view.get${name}(index, true)`) };
    yield { type: DataView, source: `${loop(`view.set${name}(index, ${one}, true);`)}` };
  }
}

/** What detaches in the middle: by a call, or by a conversion that calls. */
function* usesThatDetach(): Generator<Use> {
  const trap = "{ valueOf() { detach(); return 1; } }";
  for (const type of [Uint8Array, Int32Array, Float64Array]) {
    const uses = [
      `let sum = 0; for (let index = 0; index < 100; index++) {
         if (index === 50) detach(); sum += view[index] ?? 0; } return undefined;`,
      `for (let index = 0; index < 100; index++) {
         if (index === 50) detach(); view[index] = index; } return view[0];`,
      `for (const each of view) detach();`,
      `view.forEach(() => detach()); return view[0];`,
      `view.map(() => (detach(), 1)); return view[0];`,
      `view.sort(() => (detach(), 1)); return view[0];`,
      `view[0] = ${trap}; return view[0];`,
      `view.fill(${trap});`,
      `view.fill(1, ${trap});`,
      `view.copyWithin(0, ${trap});`,
      `view.copyWithin(${trap}, 2, 64);`,
      `view.subarray(${trap});`,
      `view.slice(${trap})[0];`,
      `view.set({ length: 4, get 0() { detach(); return 1; }, 1: 1, 2: 1, 3: 1 }); return view[0];`,
      `view.set([1, 2, 3], ${trap}); return view[0];`,
      `view.includes(1, ${trap}); return view[0];`,
      `view.lastIndexOf(1, ${trap}); return view[0];`,
      `view.at(${trap}); return view[0];`,
      `view.join({ toString() { detach(); return ","; } }); return view[0];`,
      `view.reduce((sum) => (detach(), sum)); return view[0];`,
      `Array.from(view, () => detach()); return view[0];`,
    ];
    for (const source of uses) yield { type, source };
  }
  for (const type of [Uint8Array, Int32Array, BigInt64Array]) {
    const value = type === BigInt64Array ? "{ valueOf() { detach(); return 1n; } }" : trap;
    const one = type === BigInt64Array ? "1n" : "1";
    for (const verb of ["add", "sub", "and", "or", "xor", "exchange", "store"]) {
      yield { type, source: `Atomics.${verb}(view, 0, ${value}); return view[0];` };
      yield { type, source: `Atomics.${verb}(view, ${trap}, ${one}); return view[0];` };
    }
    yield { type, source: `Atomics.compareExchange(view, 0, ${value}, ${one}); return view[0];` };
    yield { type, source: `Atomics.compareExchange(view, 0, ${one}, ${value}); return view[0];` };
    yield { type, source: `Atomics.load(view, ${trap}); return view[0];` };
  }
  for (const name of NUMBERS) {
    yield { type: DataView, source: `return view.get${name}(${trap}, true);` };
    yield { type: DataView, source: `view.set${name}(0, ${trap}, true);` };
    yield { type: DataView, source: `view.set${name}(${trap}, 1, true);` };
  }
}

/** Runs it on a detached view. @returns What is wrong with the outcome. */
function outcome(use: Use, operation: Operation, view: View, detach: () => void): string[] {
  try {
    const result = operation(view, detach);
    return result === undefined ? [] : [`${use.type.name}: ${use.source} gave ${result}`];
  } catch (error) {
    return error instanceof TypeError ? [] : [`${use.type.name}: ${use.source} threw ${error}`];
  }
}

const cases: Record<string, () => string[]> = {
  compiled() {
    const compiled = [...plainUses()].map((use) => {
      const operation = make(use.source);
      const region = new Region();
      const view = new use.type(region.buffer, 64, 64);
      for (let time = 0; time < HOT; time++) operation(view, region.detach);
      return { use, operation, view, region };
    });
    return compiled.flatMap(({ use, operation, view, region }) => {
      region.detach();
      const found: string[] = [];
      for (let time = 0; time < 20; time++) {
        found.push(...outcome(use, operation, view, region.detach));
        if (time === 10 && use.type === Int32Array) collectGarbage();
      }
      return found;
    });
  },

  within() {
    const harmless = () => {};
    return [...usesThatDetach()].flatMap((use) => {
      const operation = make(use.source);
      const practice = new use.type(new ArrayBuffer(1024), 64, 64);
      for (let time = 0; time < HOT; time++) operation(practice, harmless);
      return [1, 2, 3].flatMap(() => {
        const region = new Region();
        return outcome(use, operation, new use.type(region.buffer, 64, 64), region.detach);
      });
    });
  },

  cloned() {
    const sum = make("let sum = 0; for (const each of view) sum += each; return sum;");
    return [1, 2, 3].flatMap(() => {
      const region = new Region();
      const view = new Uint8Array(region.buffer).fill(1);
      for (let time = 0; time < 20; time++) sum(view, region.detach);
      const { buffer } = region;
      const taken = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
      const found: string[] = [];
      if (!buffer.detached || view.length !== 0) found.push("transfer left the buffer attached");
      if (view[0] !== undefined) found.push("transfer left the bytes");
      if (sum(taken, region.detach) !== BYTE_LENGTH) found.push("transfer lost the bytes");
      try {
        sum(view, region.detach);
        found.push("a detached view was iterated over");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      return found;
    });
  },
};

for (const each of cases[process.argv[2] as string]?.() ?? ["no such case"]) console.log(each);
collectGarbage();
console.log("survived");
