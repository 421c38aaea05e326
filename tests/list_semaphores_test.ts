/**
 * The list of semaphores, compared with what made them and with what the tools of the system print.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import process from "node:process";
import {
  listSemaphores,
  NamedSemaphore,
  type NamedSemaphoreInfo,
  SharedSegment,
  type SystemVSemaphoreStat,
} from "../mod.ts";
import { C_COMPILER, IPC_TOOLS, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { holdInC } from "./support/hold.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { runPeer } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const byName = (name: string): NamedSemaphoreInfo | undefined =>
  listSemaphores().find((each): each is NamedSemaphoreInfo =>
    each.kind === "posix" && each.name === name
  );

describe("listSemaphores() of named semaphores", () => {
  testWith([C_COMPILER], "tells their value and who has them open", async () => {
    const name = uniqueName();
    await using peer = (await holdInC(`semaphore:/${name}`)).peer;
    expect(byName(name)).toMatchObject({ value: 5, valueCode: undefined, mode: 0o640 });
    expect(byName(name)?.uid).toBe(process.getuid?.() as number);
    expect(byName(name)?.processes.map(({ pid, command }) => [pid, command])).toEqual(
      [[peer.pid, "hold"]],
    );
    using semaphore = NamedSemaphore.open(name);
    semaphore.tryWait();
    semaphore.tryWait();
    const found = byName(name) as NamedSemaphoreInfo;
    expect(found.value).toBe(3);
    expect(new Set(found.processes.map(({ pid }) => pid))).toEqual(
      new Set([peer.pid, process.pid]),
    );
    const facts = spawnSync("stat", ["-c", "%.9W %.9Y %.9Z", `/dev/shm/sem.${name}`], {
      encoding: "utf8",
    }).stdout.trim().split(" ").map((time) => {
      const [seconds, nanoseconds] = time.split(".").map(Number) as [number, number];
      return seconds * 1000 + nanoseconds / 1e6;
    });
    expect([found.birthTimeMs, found.modifyTimeMs, found.changeTimeMs]).toEqual(facts);
    peer.kill();
    await peer.exit();
    expect(byName(name)?.processes.map(({ pid }) => pid)).toEqual([process.pid]);
  });

  test("leaves out what is none", () => {
    const [segment, directory, other] = [uniqueName(), uniqueName(), uniqueName()];
    using _segment = SharedSegment.create(segment, { size: 32 });
    mkdirSync(`/dev/shm/sem.${directory}`);
    spawnSync("mkfifo", [`/dev/shm/sem.${other}`]);
    const names = listSemaphores().map((each) => each.kind === "posix" ? each.name : "");
    for (const name of [segment, directory, other]) expect(names).not.toContain(name);
  });

  test("says why there is no value", () => {
    const [short, wrong, odd] = [uniqueName(), uniqueName(), uniqueName()];
    writeFileSync(`/dev/shm/sem.${short}`, "");
    writeFileSync(`/dev/shm/sem.${wrong}`, new Uint8Array(32).fill(0x55));
    NamedSemaphore.create(odd, { initialValue: 2 }).close();
    truncateSync(`/dev/shm/sem.${odd}`, 64);
    for (const name of [short, wrong, odd]) {
      const found = byName(name);
      expect(found).toMatchObject({ value: undefined, valueCode: "ERR_SHM_CORRUPT" });
      expect(found?.processes.length).toBe(0);
    }
  });

  for (const runtime of RUNTIMES) {
    testWith([OTHER_USERS], `says so without the right to in ${runtime.name}`, async () => {
      const name = uniqueName();
      using _semaphore = NamedSemaphore.create(name, { initialValue: 7 });
      const look = async (uid: number) => {
        const list = JSON.parse(await runPeer(runtime, "look.ts", [uid, "semaphores"]));
        return list.find((each: { name?: string }) => each.name === name);
      };
      expect((await look(0)).value).toBe(7);
      const dark = await look(65534);
      expect([dark.value, dark.valueCode]).toEqual([undefined, "EACCES"]);
      chmodSync(`/dev/shm/sem.${name}`, 0o604);
      expect((await look(65534)).value).toBe(7);
    });
  }

  testWith([C_COMPILER], "has odd names", async () => {
    const name = uniqueName();
    await using _ = (await holdInC(`semaphore:/${name}%0a%ff (deleted)`)).peer;
    const listed = `${name}\n\udcff (deleted)`;
    expect(byName(listed)?.value).toBe(5);
    using semaphore = NamedSemaphore.open(listed);
    expect(semaphore.value).toBe(5);
    expect(NamedSemaphore.unlink(listed)).toBe(true);
  });
});

describe("listSemaphores() of System V sets", () => {
  testWith([IPC_TOOLS], "agrees with lsipc", () => {
    const made = spawnSync("ipcmk", ["-S", "3", "-p", "0624"], { encoding: "utf8" }).stdout;
    const id = /id: (\d+)/.exec(made)?.[1] as string;
    try {
      const found = listSemaphores().find((each): each is SystemVSemaphoreStat =>
        each.kind === "systemv" && each.id === Number(id)
      ) as SystemVSemaphoreStat;
      const columns = "KEY,ID,PERMS,CUID,CGID,UID,GID,CTIME,NSEMS,OTIME";
      const { stdout } = spawnSync(
        "lsipc",
        ["-s", "-J", "-P", "--time-format=iso", "-o", columns],
        { encoding: "utf8", env: { ...process.env, TZ: "UTC" } },
      );
      const rows: Record<string, string | null>[] = JSON.parse(stdout).semaphores;
      expect(rows.find((row) => row["id"] === id)).toEqual({
        key: `0x${found.key.toString(16).padStart(8, "0")}`,
        id: String(found.id),
        perms: `0${found.mode.toString(8)}`,
        cuid: String(found.creatorUid),
        cgid: String(found.creatorGid),
        uid: String(found.uid),
        gid: String(found.gid),
        ctime: new Date(found.changeTimeMs).toISOString().replace(".000Z", "+00:00"),
        nsems: "3",
        otime: null,
      });
      expect(found).toMatchObject({ count: 3, mode: 0o624, operationTimeMs: 0 });
      expect("processes" in found).toBe(false);
    } finally {
      spawnSync("ipcrm", ["-s", id]);
    }
  });
});

describe("listSemaphores()", () => {
  test("does not look into processes if told so", () => {
    const name = uniqueName();
    using _semaphore = NamedSemaphore.create(name, { initialValue: 1 });
    const list = listSemaphores({ processes: false });
    const found = list.find((each) => each.kind === "posix" && each.name === name);
    expect(found).toMatchObject({ value: 1 });
    expect("processes" in (found as object)).toBe(false);
  });

  test("needs no permission but for native calls", async () => {
    const name = uniqueName();
    using _semaphore = NamedSemaphore.create(name, { initialValue: 1 });
    const list = JSON.parse(await runPeer(HOST, "look.ts", [0, "semaphores"]));
    const found = list.find((each: { name?: string }) => each.name === name);
    expect(found.processes.map(({ pid }: { pid: number }) => pid)).toEqual([process.pid]);
  });

  test("refuses bad options", () => {
    const refuse = (options: unknown, rule: RegExp) =>
      expectError(() => listSemaphores(options as { processes: false }), TypeError, rule);
    refuse(null, /options must be an object, received null/);
    refuse({ processes: "no" }, /processes must be true or false/);
  });
});
