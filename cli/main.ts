/**
 * From a command line to an exit code.
 *
 * @module
 */

import host from "node:process";
import { platform, runtimeServices } from "../ffi/mod.ts";
import { nearest, readArguments, suggestion } from "./arguments.ts";
import { cat } from "./cat.ts";
import { create } from "./create.ts";
import { doctor } from "./doctor.ts";
import { dump } from "./dump.ts";
import { DONE, UsageError } from "./exit_codes.ts";
import { gc } from "./gc.ts";
import { layout } from "./layout.ts";
import { ls } from "./ls.ts";
import { print, ReaderGone } from "./output.ts";
import { ps } from "./ps.ts";
import { report } from "./report.ts";
import { rm } from "./rm.ts";
import { stat } from "./stat.ts";
import { top } from "./top.ts";
import { generalHelp, type Verb, verbHelp } from "./verb.ts";
import { VERSION } from "./version.ts";
import { watch } from "./watch.ts";
import { write } from "./write.ts";

/** The verbs, in the order of the help. */
const VERBS: readonly Verb[] = [
  ls,
  stat,
  ps,
  dump,
  layout,
  cat,
  watch,
  top,
  create,
  write,
  rm,
  gc,
  doctor,
];

/**
 * Runs the command.
 *
 * @param args What follows its name.
 * @returns The exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  const verb = VERBS.find(({ name }) => name === first);
  const code = await attempt(first, rest, verb);
  if (verb?.runsModules) host.exit(code); // all has been written
  return code;
}

async function attempt(
  first: string | undefined,
  rest: readonly string[],
  verb: Verb | undefined,
): Promise<number> {
  try {
    platform(); // throws where there are no native calls
    return await dispatch(first, rest);
  } catch (error) {
    if (error instanceof ReaderGone) return DONE;
    return await report(error, rest.includes("--json"), verb?.name);
  }
}

async function dispatch(first: string | undefined, rest: readonly string[]): Promise<number> {
  if (first === undefined) throw new UsageError("name a verb");
  if (first === "--version" || first === "-V") {
    await print([`shm ${VERSION} (${runtimeServices().version})`]);
    return DONE;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const [topic] = rest.filter((each) => !each.startsWith("-"));
    await print(topic === undefined ? generalHelp(VERBS) : verbHelp(find(topic)));
    return DONE;
  }
  const verb = find(first);
  const isHelp = (each: string) => each === "--help" || each === "-h";
  const end = rest.indexOf("--");
  if (rest.slice(0, end < 0 ? rest.length : end).some(isHelp)) {
    await print(verbHelp(verb));
    return DONE;
  }
  return await verb.run(readArguments(rest, verb.options));
}

function find(name: string): Verb {
  const verb = VERBS.find((each) => each.name === name);
  if (verb !== undefined) return verb;
  const what = name.startsWith("-")
    ? "the verb comes first, and there is no option"
    : "there is no verb";
  const near = nearest(name, VERBS.map((each) => each.name));
  throw new UsageError(`${what} ${JSON.stringify(name)}${suggestion(near)}`);
}
