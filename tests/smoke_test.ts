import { expect, test } from "bun:test";
import { SharedSegment } from "../mod.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
cleanUpNames();
test("smoke", () => {
  using s = SharedSegment.create(uniqueName(), { size: 4096 });
  expect(s.size).toBe(4096);
});
