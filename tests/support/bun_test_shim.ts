/**
 * The part of `bun:test` that the tests use, over `node:test` and `expect`: for Deno and Node.
 *
 * @module
 */

import { after, afterEach, before, beforeEach, describe, test as nodeTest } from "node:test";
import { expect } from "expect";

type Body = () => void | Promise<void>;

interface Test {
  (title: string, body: Body, timeoutMs?: number): void;
  skip(title: string, body?: Body): void;
}

const DEFAULT_TIMEOUT_MS = 120_000;

const test: Test = Object.assign(
  (title: string, body: Body, timeoutMs: number = DEFAULT_TIMEOUT_MS): void => {
    void nodeTest(title, { timeout: timeoutMs }, async () => await body());
  },
  {
    skip: (title: string): void => {
      void nodeTest(title, { skip: true }, () => {});
    },
  },
);

export { after as afterAll, afterEach, before as beforeAll, beforeEach, describe, expect, test };
