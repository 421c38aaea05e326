/**
 * Everything that the schema of a shared object is made of: that of `layout/`, and what synchronises.
 *
 * @module
 */

export * from "../layout/t.ts";
export {
  autoResetEvent,
  barrier,
  condition,
  event,
  mutex,
  once,
  rwlock,
  semaphore,
} from "./fields.ts";
