/**
 * Preload for `node --test`: gives `bun:test` its shim.
 *
 * @module
 */

import { registerHooks } from "node:module";

const shim = new URL("./bun_test_shim.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "bun:test" ? { url: shim, shortCircuit: true } : next(specifier, context),
});
