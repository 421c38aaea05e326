// Leaves a message in a System V segment, and removes it when it was read:
//
//   writer.ts [text]

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { SystemVSegment } from "../../mod.ts";
import { KEY, Message, SIZE } from "./message.ts";

// `exit` lets `lifetime: "creator"` remove the segment. Without a handler nothing would.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

// A segment stays when its writer is killed, and the kernel knows whether anybody is attached.
const found = SystemVSegment.list().find(({ key }) => key === KEY);
if (found?.attached === 0) SystemVSegment.remove({ id: found.id });

// The classic `shmget(key, size, IPC_CREAT | 0666)` takes whatever it finds, and lets everybody on
// the machine write to it. This is `IPC_CREAT | IPC_EXCL | 0600`.
using segment = SystemVSegment.create({ key: KEY, size: SIZE, lifetime: "creator" });
const message = new Message(segment);
message.write(process.argv[2] ?? "Hello from TypeScript");
console.log(`written to segment ${segment.id}, key 0x${KEY.toString(16).padStart(8, "0")}`);

while (!message.isRead) await sleep(10);
console.log("it was read");
