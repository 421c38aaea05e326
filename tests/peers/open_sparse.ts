// Usage: open_sparse.ts NAME
// In a /dev/shm of 4 MiB: opens a segment of 8 MiB that is all holes, in three ways.

import process from "node:process";
import { SharedSegment, ShmError } from "../../mod.ts";

const name = process.argv[2] as string;
using _sparse = SharedSegment.create(name, {
  size: 8 * 2 ** 20,
  reserve: false,
  lifetime: "creator",
});

for (const options of [{}, { readonly: true }, { reserve: false }] as const) {
  try {
    SharedSegment.open(name, options).close();
    console.log("opened");
  } catch (error) {
    if (!(error instanceof ShmError)) throw error;
    console.log(error.code);
  }
}
