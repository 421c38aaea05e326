// Usage: first_use.ts NAME [PLATFORM]
// Imports the library, and then uses it for the first time; on another platform if one is named.

import process from "node:process";
import { NamedSemaphore, SharedSegment, ShmError } from "../../mod.ts";

console.log("imported");
const [name, platform] = process.argv.slice(2) as [string, string?];
if (platform !== undefined) Object.defineProperty(process, "platform", { value: platform });

for (
  const use of [
    () => SharedSegment.create(name, { size: 64, lifetime: "creator" }),
    () => NamedSemaphore.exists(name),
  ]
) {
  try {
    use();
    console.log("used");
  } catch (error) {
    if (!(error instanceof ShmError)) throw error;
    console.log(`${error.code} ${error.message}`);
  }
}
