/**
 * The example with a game, run as its README says: no frame is torn, in whatever runtimes.
 */

import { describe, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Frame, FrameReader, FrameWriter, World } from "../examples/08_game_state/game.ts";
import { SharedObject } from "../mod.ts";
import { Example, interrupt, PINNED } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST, OTHERS, RUNTIMES } from "./support/runtimes.ts";

const example = new Example("08_game_state");

cleanUpNames();

interface Report {
  readonly seen: number;
  readonly missed: number;
  readonly overtaken: number;
  readonly torn: number;
  readonly answers: number;
  readonly inputs: number;
}

/** What a client has counted, from its last report. */
function reportOf(stdout: string): Report {
  const reports = [...stdout.matchAll(
    /(\d+) frames, (\d+) missed, (\d+) overtaken, (\d+) torn, [\d.]+ ms old; (\d+) of (\d+) inputs/g,
  )];
  const [, seen, missed, overtaken, torn, answers, inputs] = (reports.at(-1) ?? []).map(Number);
  return { seen, missed, overtaken, torn, answers, inputs } as Report;
}

/** Starts a server, and waits until there is a game. */
async function serve(runtime: string, name: string, ...args: string[]): Promise<Peer> {
  const server = example.start(runtime, "server.ts", "--name", name, ...args);
  expect(await server.line()).toMatch(/^playing "/);
  return server;
}

/** Starts a client, and waits until it has a seat. */
async function join(runtime: string, name: string, ...args: string[]): Promise<Peer> {
  const client = example.start(runtime, "client.ts", "--name", name, ...args);
  expect(await client.line()).toMatch(/^player \d of "/);
  return client;
}

describe("frames", () => {
  test("are read whole, and once", () => {
    using world = SharedObject.create(uniqueName(), World);
    const [writer, reader] = [new FrameWriter(world), new FrameReader(world)];
    expect(reader.look()).toBe(false);
    for (let number = 1; number < 10; number++) {
      writer.publish(({ inputs }) => inputs[0] = number);
      expect([reader.look(), reader.look(), reader.isWhole()]).toEqual([true, false, true]);
      expect([reader.frame.number, reader.frame.inputs[0]]).toEqual([number, number]);
    }
  });

  test("follow from the frame before", () => {
    using world = SharedObject.create(uniqueName(), World);
    const [writer, reader] = [new FrameWriter(world), new FrameReader(world)];
    for (let number = 1; number < 10; number++) {
      writer.publish(({ entities }) => {
        const entity = entities[7] as typeof entities[number];
        entity.health += 1;
      });
      reader.look();
      expect(reader.frame.entities[7]?.health).toBe(number);
    }
  });

  // What happens between the two looks at `newest`: so many frames are published.
  for (const published of [0, 1, 2, 3, 4, 5]) {
    const isGood = published < 3;
    test(`are ${isGood ? "taken" : "thrown away"} when ${published} come meanwhile`, () => {
      using world = SharedObject.create(uniqueName(), World);
      const [writer, reader] = [new FrameWriter(world), new FrameReader(world)];
      const draw = () => writer.publish(({ inputs }) => inputs[1] = Math.random() * 2 ** 32 >>> 0);
      for (let number = 1; number <= 10; number++) draw();
      const { newest } = world.value;
      const load = newest.load;
      newest.load = () => {
        const number = load.call(newest);
        newest.load = load;
        for (let more = 0; more < published; more++) draw();
        return number;
      };
      expect([reader.look(), reader.overtaken]).toEqual([isGood, isGood ? 0 : 1]);
      if (isGood) expect([reader.frame.number, reader.isWhole()]).toEqual([10, true]);
      if (published > 0) {
        expect([reader.look(), reader.frame.number]).toEqual([true, 10 + published]);
      }
    });
  }

  test("are known for torn by any changed byte", () => {
    using world = SharedObject.create(uniqueName(), World);
    const [writer, reader] = [new FrameWriter(world), new FrameReader(world)];
    writer.publish(() => {});
    const start = World.offsetOf("slots[1]");
    for (let index = 0; index < Frame.size; index += 7) {
      const bytes = world.bytes.subarray(start + index);
      bytes[0] = bytes[0] as number ^ 1;
      const other = new FrameReader(world);
      other.look();
      expect([index, other.isWhole()]).toEqual([index, false]);
      bytes[0] = bytes[0] as number ^ 1;
    }
    expect([reader.look(), reader.isWhole()]).toEqual([true, true]);
  });
});

describe("the example with a game", () => {
  // Every run of the tests has its own runtime as the server.
  const from = HOST.name;
  for (const { name: to } of RUNTIMES) {
    test(`plays in ${from} with a client in ${to}`, async () => {
      const name = uniqueName();
      await using server = await serve(from, name);
      const report = reportOf(await succeed(await join(to, name, "--frames", "90")));
      expect(report).toMatchObject({ seen: 90, torn: 0 });
      expect(report.answers).toBeGreaterThan(2);
      interrupt(server);
      const { code, stdout } = await server.exit();
      expect(code).toBe(130);
      expect(stdout).toMatch(
        /^\d+ frames in \d\.\d s, one every \d+\.\d\d ms \(\d+\.\d\d to \d+\.\d\d\), [01] players$/m,
      );
      expect(ownFiles()).toEqual([]);
    });

    test(`tears no frame at full speed from ${from} to ${to}`, async () => {
      const name = uniqueName();
      await using server = await serve(from, name, "--fps", "0");
      const client = await join(to, name, "--frames", "100");
      using world = SharedObject.open(name, World);
      const reader = new FrameReader(world);
      const start = performance.now();
      let [seen, torn] = [0, 0];
      while (seen < 20_000 && performance.now() - start < 2000) {
        if (!reader.look()) continue;
        seen++;
        if (!reader.isWhole()) torn++;
        if (seen % 100 === 0) await sleep(0); // for the peers, whose output is read here
      }
      expect(torn).toBe(0);
      expect(seen).toBeGreaterThan(100);
      expect(reportOf(await succeed(client))).toMatchObject({ seen: 100, torn: 0 });
      interrupt(server);
      await server.exit();
      expect(ownFiles()).toEqual([]);
    });
  }

  test("moves the players as they want, and everything else", async () => {
    const name = uniqueName();
    await using _server = await serve(HOST.name, name, "--fps", "0");
    using world = SharedObject.open(name, World);
    const reader = new FrameReader(world);
    const seat = world.value.seats[2] as typeof world.value.seats[number];
    seat.player.store(process.pid);
    for (const [direction, velocity] of [[3, 0], [0, 3], [-3, 0], [0, -3]].entries()) {
      const input = 4 * (direction + 1) + direction;
      seat.input.store(input);
      const before = [...reader.frame.entities[9]?.position ?? []];
      while (!reader.look() || reader.frame.inputs[2] !== input) await sleep(1);
      const player = reader.frame.entities[2] as typeof reader.frame.entities[number];
      expect([player.flags.seated, player.kind]).toEqual([true, "player"]);
      // It may have bounced.
      expect([...player.velocity].map(Math.abs)).toEqual(velocity.map(Math.abs));
      expect([...reader.frame.entities[9]?.position ?? []]).not.toEqual(before);
      expect(reader.frame.entities[9]?.kind).toBe("drone");
    }
    for (const { position, health } of reader.frame.entities) {
      expect([...position].every((each) => each >= 0 && each <= 1000)).toBe(true);
      expect(health >= 1 && health <= 100).toBe(true);
    }
  });

  test("has four seats, which are free again when their players leave", async () => {
    const name = uniqueName();
    await using server = await serve(HOST.name, name);
    const clients = [];
    for (let count = 0; count < 4; count++) clients.push(await join(HOST.name, name));
    const fifth = await example.start(HOST.name, "client.ts", "--name", name).exit();
    expect(fifth.code).toBe(1);
    expect(fifth.stderr).toContain("all 4 seats are taken");

    interrupt(clients[1] as Peer);
    expect((await clients[1]?.exit())?.code).toBe(130);
    const next = example.start(HOST.name, "client.ts", "--name", name);
    expect(await next.line()).toBe(`player 1 of "${name}"`);
    clients[1] = next;

    interrupt(server, "SIGTERM");
    expect((await server.exit()).code).toBe(143);
    for (const client of clients) {
      const said = await succeed(client);
      expect(said).toContain("the game is over\n");
      expect(reportOf(said).torn).toBe(0);
    }
    expect(ownFiles()).toEqual([]);
  });

  test("interrupts a client that waits for a server", async () => {
    await using client = example.start(HOST.name, "client.ts", "--name", uniqueName());
    expect(await client.line()).toBe("waiting for a server");
    interrupt(client);
    expect((await client.exit()).code).toBe(130);
  });

  test("goes on with another server when one was killed", async () => {
    const name = uniqueName();
    await using killed = await serve(HOST.name, name);
    await using client = await join(HOST.name, name);
    killed.kill();
    await killed.exit();
    const said = await succeed(client);
    expect(said).toContain("no frame for five seconds\n");
    expect(reportOf(said).torn).toBe(0);
    await using server = await serve(HOST.name, name);
    expect(reportOf(await succeed(await join(HOST.name, name, "--frames", "5"))).seen).toBe(5);
    interrupt(server);
    await server.exit();
    expect(ownFiles()).toEqual([]);
  });

  test("runs in three runtimes by one command", async () => {
    const args = ["--name", uniqueName(), "--frames", "150"];
    const command = example.command(HOST.name, "main.ts");
    const said = await succeed(new Peer([...command, ...args], { env: PINNED }));
    expect(said).toMatch(new RegExp(`^server in ${HOST.name} +playing`, "m"));
    for (const { name } of OTHERS) {
      const lines = said.split("\n").filter((line) => line.startsWith(`client in ${name} `));
      expect(reportOf(lines.join("\n"))).toMatchObject({ torn: 0 });
      expect(reportOf(lines.join("\n")).seen).toBeGreaterThan(0);
    }
    expect(ownFiles()).toEqual([]);
  });
});
