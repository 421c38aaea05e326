/**
 * The runtimes that the tests start, all of them pinned in `package.json`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** A runtime, and how it is started with a script. */
export interface RuntimeCommand {
  readonly name: "bun" | "deno" | "node";
  /** What precedes the path of the script. Deno gets the one permission that the library needs. */
  readonly command: readonly [program: string, ...args: string[]];
}

const hostName = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** Not `process.execPath`: a Deno that starts itself by that path gives its child every permission. */
const bin = (name: string) =>
  fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

/** All three. */
export const RUNTIMES: readonly RuntimeCommand[] = [
  { name: "bun", command: [bin("bun")] },
  {
    name: "deno",
    command: [
      bin("deno"),
      "run",
      "--allow-ffi",
      "--no-prompt",
      "--quiet",
      "--v8-flags=--expose-gc",
    ],
  },
  {
    name: "node",
    command: [bin("node"), "--expose-gc", "--disable-warning=ExperimentalWarning"],
  },
];

/** The one in which this test runs. */
export const HOST: RuntimeCommand = RUNTIMES.find(
  ({ name }) => name === hostName,
) as RuntimeCommand;

/** A runtime with the right to read and write files: those of threads, for instance. */
export const withFiles = ({ name, command }: RuntimeCommand): RuntimeCommand => ({
  name,
  command: command.map((arg) => arg === "--allow-ffi" ? "-A" : arg) as [string],
});

/** The one of this test with that right, for peers that look at `/proc`. */
export const HOST_WITH_FILES: RuntimeCommand = withFiles(HOST);

/** The other two. */
export const OTHERS: readonly RuntimeCommand[] = RUNTIMES.filter((each) => each !== HOST);

/** Collects garbage now. The runtimes are started with the flags that this needs. */
export function collectGarbage(): void {
  const { Bun, gc } = globalThis as unknown as {
    Bun?: { gc(force: boolean): void };
    gc?: () => void;
  };
  if (Bun !== undefined) Bun.gc(true);
  else if (gc !== undefined) gc();
  else throw new Error("Start the runtime with --expose-gc");
}

/** Collects garbage until a condition holds, giving finalizers their turns. */
export async function collectUntil(
  condition: () => boolean,
  attempts: number = 50,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (condition()) return true;
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return condition();
}
