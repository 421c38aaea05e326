// Usage: close_all.ts
// Closes handles of every kind and forgets them, until the runtime has noticed.

import { SharedSegment, SystemVSegment } from "../../mod.ts";
import { collectUntil } from "../support/runtimes.ts";

function closeAll(): void {
  for (let count = 0; count < 100; count++) {
    using segment = SharedSegment.anonymous({ size: 64 });
    using reader = SharedSegment.fromDescriptor(segment.fd, { readonly: true });
    using systemV = SystemVSegment.create({ size: 64, lifetime: "lastDetach" });
    segment.view(Int32Array)[0] = reader.getInt32(0) + systemV.view(Int32Array).length;
  }
  SharedSegment.anonymous({ size: 64 }).freeze().close();
}

closeAll();
await collectUntil(() => false, 30);
console.log("closed");
