// Usage: create_object_forever.ts NAME
// Creates and removes an object until it is killed. Says so before it starts.

import process from "node:process";
import { SharedObject } from "../../mod.ts";
import { Generation } from "../support/objects.ts";

const name = process.argv[2] as string;
const filler = new Uint32Array(2000);
const create = (generation: number) => {
  filler.fill(generation);
  const initial = { generation, check: ~generation >>> 0, filler };
  using object = SharedObject.create(name, Generation, initial);
  object.unlink();
};
create(1);
console.log("ready");
for (let generation = 2;; generation++) create(generation % 2 ** 32);
