// Reads and writes objects as it is told, a line at a time. The first line has the layouts as JSON;
// what follows is what every language understands:
//
//     create LAYOUT NAME SLOT=TEXT...   says the size of the file
//     open LAYOUT NAME                  says the size of the file
//     set LAYOUT SLOT=TEXT...           says "done"
//     get LAYOUT SLOT...                says TEXT...
//     close LAYOUT                      says "done"; what was created has no name any more
//
// tests/support/round_trips/ says what slots and texts are.

import process from "node:process";
import { createInterface } from "node:readline";
import { fromDescription } from "../../layout/mod.ts";
import { SharedObject } from "../../mod.ts";
import { Live } from "../support/round_trips/live.ts";
import { slotsOf } from "../support/round_trips/slots.ts";
import { fromWords, valueOf } from "../support/round_trips/texts.ts";

type Description = Parameters<typeof fromDescription>[0];

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const descriptions = JSON.parse((await lines.next()).value as string) as Description[];
const kinds = descriptions.map((description) => {
  const layout = fromDescription(description);
  return { layout, slots: slotsOf(layout) };
});
const opened = new Map<string, { object: SharedObject<never>; live: Live }>();

function obey(verb: string, number: string, ...words: string[]): string {
  const { layout, slots } = kinds[Number(number)] as typeof kinds[number];
  if (verb === "create" || verb === "open") {
    const [name, ...initial] = words as [string, ...string[]];
    const object = verb === "open"
      ? SharedObject.open(name, layout)
      : SharedObject.create(name, layout, valueOf(slots, fromWords(initial)), {
        lifetime: "creator",
      });
    opened.set(number, { object: object as never, live: new Live(object, slots) });
    return String(object.stat().size);
  }
  const { object, live } = opened.get(number) as { object: SharedObject<never>; live: Live };
  if (verb === "get") return [...live.get(words.map(Number)).values()].join(" ");
  if (verb === "set") live.set(fromWords(words));
  else object.close();
  return "done";
}

for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  console.log(obey(...line.split(" ") as [string, string]));
}
