/**
 * Processes that hold shared memory for others to be looked at.
 *
 * @module
 */

import { compileC } from "./c.ts";
import { Peer } from "./peers.ts";

/**
 * Starts the C program `hold`. Whatever it made is there when this returns.
 *
 * @returns It, and the line that it has printed for each thing.
 */
export async function holdInC(...what: string[]): Promise<{ peer: Peer; lines: string[] }> {
  const peer = new Peer([compileC("hold.c"), ...what]);
  const lines: string[] = [];
  for (const _ of what) lines.push(await peer.line());
  return { peer, lines };
}
