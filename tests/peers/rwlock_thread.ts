// A thread of rwlock.ts: has the lock, says so, and waits to be terminated.

import { parentPort, workerData } from "node:worker_threads";
import { SharedObject } from "../../mod.ts";
import { Shelf } from "../support/shelf.ts";

const object = SharedObject.open(workerData.name, Shelf);
const { lock } = object.value;
const guard = workerData.how === "shared" ? lock.lockShared() : lock.lockExclusive();
setInterval(() => guard.held, 1000);
parentPort?.postMessage("locked");
