// Starts a server in this runtime, and a client in each of the others:
//
//   main.ts [--frames 300] [--name NAME]

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { NAME } from "./game.ts";

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "300" },
    name: { type: "string", default: NAME },
  },
});

const RUNTIMES = {
  bun: ["bun"],
  deno: ["deno", "run", "--allow-ffi"],
  node: ["node", "--disable-warning=ExperimentalWarning"],
};
type Runtime = keyof typeof RUNTIMES;
const own: Runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
const others = (Object.keys(RUNTIMES) as Runtime[]).filter((each) => each !== own);

/** Starts a program, and shows what it says behind its name. */
function start(runtime: Runtime, script: string, ...args: string[]): ChildProcess {
  const [program, ...options] = RUNTIMES[runtime] as [string, ...string[]];
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(program, [...options, path, "--name", values.name, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const title = `${script.replace(".ts", "")} in ${runtime}`.padEnd(15);
  child.on("error", (error) => console.error(`${title}  ${error.message}`));
  createInterface({ input: child.stdout }).on("line", (line) => console.log(`${title}  ${line}`));
  return child;
}

const children = [
  start(own, "server.ts", "--frames", values.frames),
  ...others.map((runtime) => start(runtime, "client.ts")),
];
// Ctrl-C reaches the children, too, which remove what is theirs. Other signals are passed on.
process.on("SIGINT", () => process.exitCode = 130);
process.on("SIGTERM", () => {
  process.exitCode = 143;
  for (const child of children) child.kill("SIGTERM");
});
const codes = await Promise.all(children.map(async (child) => (await once(child, "close"))[0]));
if (codes.some((code) => code !== 0)) process.exitCode ??= 1;
