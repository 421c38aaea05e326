/**
 * The build for npm. JSR gets the sources as they are.
 *
 * @module
 */

import type { Options } from "tsup";

const config: Options = {
  // The command finds out where it can run before it loads the rest of itself.
  entry: {
    "mod": "mod.ts",
    "layout/mod": "layout/mod.ts",
    "sync/mod": "sync/mod.ts",
    "cli/mod": "cli/mod.ts",
  },
  format: "esm",
  platform: "neutral",
  // `using` becomes what every supported runtime and bundler can parse.
  target: "es2024",
  clean: true,
  external: [/^node:/],
  removeNodeProtocol: false,
  // The declarations are built with a `baseUrl`, which TypeScript 6 would refuse.
  dts: { compilerOptions: { ignoreDeprecations: "6.0" } },
};

export default config;
