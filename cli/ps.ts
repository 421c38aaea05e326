/**
 * `shm ps`: who holds what.
 *
 * @module
 */

import type { AttachedProcess } from "../mod.ts";
import { escapeName, toJson } from "./escape.ts";
import { findObject, formatUser, isComplete, listObjects, type SharedObject } from "./objects.ts";
import { complain, print } from "./output.ts";
import { type Column, layOut } from "./table.ts";
import { formatTarget, parseTarget } from "./target.ts";
import { eachTarget } from "./targets.ts";
import { count, formatSize } from "./units.ts";
import type { Verb } from "./verb.ts";

interface Row {
  readonly object: SharedObject;
  readonly holder: AttachedProcess;
}

const mappedBytes = ({ mappings }: AttachedProcess) =>
  mappings.reduce((sum, { byteLength }) => sum + byteLength, 0);

/** `rw` or `r-`, of all mappings together. */
function access({ mappings }: AttachedProcess): string {
  if (mappings.length === 0) return "-";
  return ["r", "w", "x"].map((right) =>
    mappings.some((mapping) => mapping.access.includes(right)) ? right : "-"
  ).join("");
}

function columns(exact: boolean): Column<Row>[] {
  return [
    { title: "PID", align: "right", cell: ({ holder }) => String(holder.pid) },
    { title: "OWNER", cell: ({ holder }) => formatUser(holder.uid) },
    { title: "ACCESS", cell: ({ holder }) => access(holder) },
    {
      title: "MAPPED",
      align: "right",
      cell: ({ holder }) => formatSize(mappedBytes(holder), exact),
    },
    { title: "FDS", align: "right", cell: ({ holder }) => String(holder.descriptors.length) },
    { title: "COMMAND", cell: ({ holder }) => escapeName(holder.command) },
    { title: "NAME", cell: ({ object }) => object.label },
  ];
}

/** The verb. */
export const ps: Verb = {
  name: "ps",
  summary: "list the processes that hold objects",
  operands: "[TARGET]...",
  description:
    `A process holds an object when it has it mapped or has a descriptor of it open. ACCESS
is that of its mappings, MAPPED their bytes, FDS the number of open descriptors.`,
  options: {
    all: { short: "a", help: "also memory without a name: memfds, unlinked segments" },
    bytes: { short: "b", help: "sizes in bytes, exactly" },
    "no-header": { help: "no line of titles" },
  },
  examples: [
    ["shm ps", "all of them"],
    ["shm ps frames id:3", "those of two objects"],
    ["kill $(shm ps frames --json | jq '.[].processes[].pid')", "end them"],
  ],
  async run(args) {
    const targets = args.positionals.map(parseTarget);
    const objects = listObjects(args.has("all"));
    const found: SharedObject[] = targets.length === 0 ? objects : [];
    const code = await eachTarget(targets, args.has("json"), (target) => {
      found.push(findObject(objects, target));
    });
    if (args.has("json")) {
      const records = found.map((object) => ({
        target: object.target === undefined ? null : formatTarget(object.target),
        label: object.label,
        processes: [...object.processes ?? []],
        unreadable: object.processes?.unreadable ?? null,
        complete: isComplete(object),
      }));
      await print([toJson(records, 2)]);
      return code;
    }
    const rows = found.flatMap((object) =>
      (object.processes ?? []).map((holder) => ({ object, holder }))
    );
    const lines = layOut(columns(args.has("bytes")), rows);
    if (args.has("no-header")) lines.shift();
    if (rows.length > 0) await print(lines);
    await complainOfUnread(found);
    return code;
  },
};

/** Says what the list may lack, for it looks complete. */
async function complainOfUnread(objects: readonly SharedObject[]): Promise<void> {
  const lists = objects.filter((each) => !isComplete(each)).map(({ processes }) => processes);
  const pids = new Set(lists.flatMap((each) => each?.unreadable.map(({ pid }) => pid) ?? []));
  if (pids.size > 0) {
    const processes = count(pids.size, "process", "processes");
    await complain(`shm: ${processes} could not be looked into, and may hold them too`);
  }
  if (lists.some((each) => each?.hidden)) {
    await complain("shm: the processes of other users are hidden, and may hold them too");
  }
}
