// Usage: prefault_too_much.ts NAME
// Wants every page of a sparse segment that is larger than the memory, for writing and for reading,
// and tells what came of it.

import process from "node:process";
import { SharedSegment, ShmError } from "../../mod.ts";

const name = process.argv[2] as string;
using _sparse = SharedSegment.create(name, { size: 2 ** 23, reserve: false });
for (const readonly of [false, true]) {
  try {
    SharedSegment.open(name, { readonly, reserve: false, prefault: true });
    console.log("opened");
  } catch (error) {
    if (!(error instanceof ShmError)) throw error;
    console.log(`${error.code} ${error.message}`);
  }
}
SharedSegment.unlink(name);
