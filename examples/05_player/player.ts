/**
 * What the programs share: one player. Started by itself, it prints the header for C and C++:
 *
 *     deno run examples/05_player/player.ts > examples/05_player/player.h
 *
 * | field                     | written by                        | read by             |
 * | ------------------------- | --------------------------------- | ------------------- |
 * | name, team                | the owner, before the first step  | the peer            |
 * | position                  | the owner                         | the peer            |
 * | steps                     | the owner: position is complete   | the peer            |
 * | health, flags, hitBy      | the peer, from the first step on  | both                |
 * | hits                      | the peer: its fields are complete | the owner           |
 *
 * @module
 */

import process from "node:process";
import { t } from "../../mod.ts";

export const NAME = "shmkit-player";

export const Player = t.struct("Player", {
  name: t.cstring(32),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  flags: t.bits(t.u8, { alive: 1, level: 3 }),
  position: t.array(t.f64, 3),
  steps: t.atomic(t.u32),
  health: t.i32,
  hitBy: t.cstring(16),
  hits: t.atomic(t.u32),
});

if (import.meta.main) process.stdout.write(Player.toC());
