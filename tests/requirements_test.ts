/**
 * What the library needs of a runtime, and what it says when that is missing: at the first use, not
 * at import.
 */

import { describe, expect, test } from "bun:test";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { runPeer } from "./support/peers.ts";
import { type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const named = (name: string) => RUNTIMES.find((each) => each.name === name) as RuntimeCommand;

function withFlags(name: "deno" | "node", replace: string, ...flags: string[]): RuntimeCommand {
  const command = named(name).command.flatMap((arg) => arg === replace ? flags : [arg]);
  return { name, command: command as [string] };
}

async function expectRefused(runtime: RuntimeCommand, message: RegExp): Promise<void> {
  const [imported, ...uses] = (await runPeer(runtime, "first_use.ts", [uniqueName()]))
    .trimEnd().split("\n");
  expect(imported).toBe("imported");
  expect(uses.length).toBe(2);
  for (const use of uses) expect(use).toMatch(message);
}

describe("the first use", () => {
  for (const runtime of RUNTIMES) {
    test(`works in ${runtime.name} as the tests start it`, async () => {
      expect(await runPeer(runtime, "first_use.ts", [uniqueName()])).toBe("imported\nused\nused\n");
    });
  }

  test("in Deno needs --allow-ffi and nothing else", async () => {
    const granted = named("deno").command.filter((arg) => /^(-A|-[a-z]+|--allow)/i.test(arg));
    expect(granted).toEqual(["--allow-ffi"]);
    await expectRefused(
      withFlags("deno", "--allow-ffi"),
      /^ERR_SHM_PERMISSION Cannot call native functions: Deno .* Start it with --allow-ffi/,
    );
    await expectRefused(
      withFlags("deno", "--allow-ffi", "--allow-ffi=/lib"),
      /^ERR_SHM_PERMISSION .*a scoped grant is not enough/,
    );
  });

  test("in Node needs --allow-ffi where permissions are on", async () => {
    const permissions = ["--expose-gc", "--permission", "--allow-fs-read=*"];
    await expectRefused(
      withFlags("node", "--expose-gc", ...permissions),
      /^ERR_SHM_PERMISSION Cannot call native functions: Node .* Start it with --allow-ffi too\.$/,
    );
    const granted = withFlags("node", "--expose-gc", ...permissions, "--allow-ffi");
    expect(await runPeer(granted, "first_use.ts", [uniqueName()])).toBe("imported\nused\nused\n");
  });

  test("in a Node without node:ffi says which has it", async () => {
    await expectRefused(
      withFlags("node", "--expose-gc", "--no-experimental-ffi"),
      /^ERR_SHM_UNSUPPORTED .*Node 26\.10\.0 has no node:ffi\. Use Node 26\.9 or later/,
    );
  });

  test("on another platform says which are supported", async () => {
    for (const runtime of [named("bun"), named("node")]) {
      const output = await runPeer(runtime, "first_use.ts", [uniqueName(), "plan9"]);
      const message =
        "ERR_SHM_UNSUPPORTED Cannot use shared memory: the platform plan9-x86_64 is " +
        "not supported. Supported are linux-x86_64 and linux-aarch64.\n";
      expect(output.replaceAll("aarch64 is", "x86_64 is")).toBe(`imported\n${message}${message}`);
    }
  });
});
