/**
 * The build for npm. JSR gets the sources as they are.
 *
 * @module
 */

import type { Options } from "tsup";

const config: Options = {
  entry: ["mod.ts"],
  format: "esm",
  platform: "neutral",
  // `using` becomes what every supported runtime and bundler can parse.
  target: "es2024",
  clean: true,
  // The declarations are built with a `baseUrl`, which TypeScript 6 would refuse.
  dts: { compilerOptions: { ignoreDeprecations: "6.0" } },
};

export default config;
