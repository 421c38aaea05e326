// The library: processes that lock, count and unlock at the same time, in nanoseconds a round of all
// of them together. Fails unless the count is exact. Not to be called with less than it takes:
//
//     contended.ts MS PEER...   the processes: bun, deno, node, or the executable of contended.c
//     contended.ts work NAME MS one of them
//
// Without arguments: two, then four processes of this runtime; with `c EXECUTABLE` of that one.

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SharedObject, t } from "../../mod.ts";

const Contended = t.struct("Contended", {
  lock: t.mutex,
  go: t.event,
  ready: t.atomic(t.u32),
  count: t.f64,
});

const script = fileURLToPath(import.meta.url);
const bin = (name: string) =>
  fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
const commands: Record<string, readonly string[]> = {
  bun: [bin("bun"), script],
  deno: [bin("deno"), "run", "--allow-all", script],
  node: [bin("node"), "--disable-warning=ExperimentalWarning", script],
};

function work(name: string, ms: number): void {
  using object = SharedObject.open(name, Contended);
  const { value } = object;
  const { lock, go } = value;
  value.ready.add(1);
  go.wait();
  const count = (): void => {
    value.count++;
  };
  let rounds = 0;
  for (
    const endMs = performance.now() + ms;
    rounds % 64 !== 0 || performance.now() < endMs;
    rounds++
  ) {
    lock.withLock(count);
  }
  console.log(rounds);
}

/** Starts the processes, and checks what they have counted. @returns Nanoseconds a round. */
async function compete(ms: number, peers: readonly string[]): Promise<number> {
  const name = `shmkit-bench-${process.pid}-${peers.length}`;
  using object = SharedObject.create(name, Contended, {}, { lifetime: "creator" });
  const { value } = object;
  const rounds = peers.map((peer) => {
    const command = commands[peer];
    const [program, ...args] = command === undefined ? [peer] : [...command, "work"];
    const child = spawn(program as string, [...args, name, String(ms)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (text) => output += text);
    return new Promise<number>((resolve, reject) => {
      child.on("close", (code) => code === 0 ? resolve(Number(output)) : reject(new Error(peer)));
    });
  });
  while (value.ready.load() < peers.length) await new Promise((resolve) => setTimeout(resolve, 10));
  value.go.set();
  const each = await Promise.all(rounds);
  const total = each.reduce((sum, one) => sum + one);
  if (value.count !== total) throw new Error(`counted ${value.count}, and not ${total}`);
  if (Number(first) > 0) {
    console.error(`${peers.map((peer) => peer.split("/").at(-1))}: ${each}, exact`);
  }
  return ms * 1e6 / total;
}

async function compare(own: string): Promise<void> {
  const two = await compete(1000, [own, own]);
  const four = await compete(1000, [own, own, own, own]);
  console.log(JSON.stringify({ "2 processes": two, "4 processes": four }));
}

const [first, ...rest] = process.argv.slice(2);
if (first === "work") work(rest[0] as string, Number(rest[1]));
else if (first === "c") await compare(rest[0] as string);
else if (first !== undefined) await compete(Number(first), rest);
else await compare("Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node");
