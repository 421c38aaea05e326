// Waits for a message in a System V segment, and prints it:
//
//   reader.ts

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SystemVSegment } from "../../mod.ts";
import { KEY, Message } from "./message.ts";

using segment = await SystemVSegment.openAsync({ key: KEY });
const message = new Message(segment);
while (!message.isWritten) {
  if (segment.stat().removed) {
    console.error("the writer has removed the segment without writing to it");
    process.exit(1);
  }
  await sleep(10);
}
console.log(message.read());
