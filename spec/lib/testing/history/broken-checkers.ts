// Checkers of histories that are broken in one place.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { projectFolder } from "../../../kit/sources.ts";
import type { Checkers } from "./compare.ts";

const compiled = join(projectFolder, "dist/lib");

/** Where copies of the checkers lie: whoever makes some removes it. */
export const copies = mkdtempSync(join(tmpdir(), "qstream-broken-checkers-"));

/** A change of one compiled module, whose text has `search` once. */
export interface Mutant {
  readonly does: string;
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

export const mutants: readonly Mutant[] = [
  {
    does: "ignores unknown calls",
    file: "search",
    search: `outcome === "unknown" &&`,
    replace: `outcome === "none" &&`,
  },
  {
    does: "has unknown calls never take effect late",
    file: "frontier",
    search: "invokedAt < firstEnd }",
    replace: "invokedAt === firstEnd }",
  },
  {
    does: "has unknown calls take effect before they begin",
    file: "frontier",
    search: "invokedAt < firstEnd }",
    replace: "true }",
  },
  {
    does: "has unknown calls come before earlier ones of their client",
    file: "frontier",
    search: "return call === undefined || (ok[call]?.invokedAt ?? 0) > invokedAt",
    replace: "return true",
  },
  {
    does: "takes unknown calls for successful ones",
    file: "events",
    search: `outcome: "unknown", invokedAt`,
    replace: `outcome: "ok", invokedAt`,
  },
  {
    does: "takes failed calls for unknown ones",
    file: "events",
    search: "outcome: event.kind, endedAt",
    replace: `outcome: event.kind === "ok" ? "ok" : "unknown", endedAt`,
  },
  {
    does: "takes failed calls for successful ones",
    file: "events",
    search: "outcome: event.kind, endedAt",
    replace: `outcome: "ok", endedAt`,
  },
  {
    does: "forgets real time",
    file: "check-linearizable",
    search: `searchOrder(calls, model, "real time", stepsMax)`,
    replace: `searchOrder(calls, model, "client", stepsMax)`,
  },
  {
    does: "wants real time for sequential consistency",
    file: "check-sequential",
    search: `model, "client", stepsMax`,
    replace: `model, "real time", stepsMax`,
  },
  {
    does: "forgets the orders of clients",
    file: "check-sequential",
    search: `model, "client", stepsMax`,
    replace: `model, "any", stepsMax`,
  },
  {
    does: "remembers configurations without states",
    file: "search",
    search: "`${state}:${calls.join()}`",
    replace: "`${calls.join()}`",
  },
  {
    does: "remembers configurations without what was taken",
    file: "search",
    search: "`${state}:${calls.join()}`",
    replace: "`${state}`",
  },
  {
    does: "remembers configurations without unknown calls",
    file: "search",
    search: "count <= (taken[group] ?? 0)",
    replace: "count < 9",
  },
  {
    does: "takes fewer unknown calls for more",
    file: "search",
    search: "count <= (taken[group] ?? 0)",
    replace: "count >= (taken[group] ?? 0)",
  },
  {
    does: "takes calls of two clients for the same",
    file: "search",
    search: `order === "client" ? call.client : ""`,
    replace: `""`,
  },
  {
    does: "follows the first of several states only",
    file: "search",
    search: ".map((after) => this.#idOf(after));",
    replace: ".slice(0, 1).map((after) => this.#idOf(after));",
  },
  {
    does: "doesn't take back what it tried",
    file: "frontier",
    search: "link(call);\n        },\n    };",
    replace: "},\n    };",
  },
  {
    does: "takes every call that changes nothing at once",
    file: "register-model",
    search: `(kind === "compare-and-set" && result === false)`,
    replace: `kind !== "read"`,
  },
  {
    does: "tells a beginning that is too short",
    file: "check-linearizable",
    search: "if (outcome.found === false) {\n            failing",
    replace: "if (outcome.found !== undefined) {\n            failing",
  },
  {
    does: "tells a beginning that is too long",
    file: "check-linearizable",
    search: "high = at;",
    replace: "low = high;",
  },
  {
    does: "has a read of an empty queue fit any",
    file: "queue-model",
    search: "sameValue(result, state[0])",
    replace: "result === null || sameValue(result, state[0])",
  },
  {
    does: "has deletes tell anything",
    file: "key-value-model",
    search: "result !== (value !== null)",
    replace: "false",
  },
  { does: "sets what isn't as expected", file: "key-value-model", search: "return [sets ?", replace: "return [true ?" },
  {
    does: "forgets that writes follow writes",
    file: "dependencies",
    search: "[...writesOf(list), ...readsOf(list)]",
    replace: "[...readsOf(list)]",
  },
  { does: "forgets that readers follow writers", file: "dependencies", search: "seen === undefined", replace: "true" },
  {
    does: "forgets that writers follow readers",
    file: "dependencies",
    search: "...missed.map(",
    replace: "...[].map(",
  },
  {
    does: "forgets elements that nobody saw",
    file: "dependencies",
    search: "versions.slice(length, length + 1) : unseen",
    replace: "versions.slice(length, length + 1) : []",
  },
  {
    does: "has failed transactions take effect",
    file: "lists",
    search: `outcome !== "fail"`,
    replace: "true",
  },
  {
    does: "has no unknown transaction take effect",
    file: "lists",
    search: `outcome !== "fail"`,
    replace: `outcome === "ok"`,
  },
  { does: "doesn't see reads of what failed", file: "lists", search: `writer.outcome === "fail"`, replace: "false" },
  { does: "doesn't see reads of what comes later", file: "lists", search: "writer === reader", replace: "false" },
  {
    does: "doesn't see reads that disagree with the transaction itself",
    file: "lists",
    search: "valueText(expected) !== valueText(list)",
    replace: "false",
  },
  {
    does: "doesn't see elements that come twice",
    file: "lists",
    search: "new Set(values.map(valueText)).size < values.length",
    replace: "false",
  },
  {
    does: "forgets what ended before, of several",
    file: "dependencies",
    search: "ended.add(call);",
    replace: "ended.clear(), ended.add(call);",
  },
  {
    does: "has no real time between transactions",
    file: "check-serializable",
    search: "strict ? realTime",
    replace: "!strict ? realTime",
  },
  {
    does: "finds no cycles with two changed reads",
    file: "cycles",
    search: `back: ["ww", "wr", "rw"]`,
    replace: `back: ["ww", "wr"]`,
  },
  {
    does: "finds no cycles of writes and reads",
    file: "cycles",
    search: `{ by: "wr", back: ["ww", "wr"] },`,
    replace: "",
  },
  {
    does: "gives each node a component of its own",
    file: "components",
    search: "low.get(top.node) !== top.index",
    replace: "false",
  },
];

/** The checkers with one change, loaded from a copy of their modules. */
export async function brokenCheckers({ file, search, replace }: Mutant, number: number): Promise<Checkers> {
  const folder = join(copies, String(number));
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  const from = join(compiled, "testing/history");
  for (const name of readdirSync(from).filter((each) => each.endsWith(".js"))) {
    let text = readFileSync(join(from, name), "utf8");
    if (name === `${file}.js`) {
      assert.is(text.split(search).length, 2, `${name} has once: ${search}`);
      text = text.replace(search, () => replace);
    }
    const library = pathToFileURL(compiled).href;
    text = text.replaceAll(`"../../`, `"${library}/`).replaceAll(`"../`, `"${library}/testing/`);
    writeFileSync(join(folder, name), text);
  }
  return (await import(pathToFileURL(join(folder, "index.js")).href)) as Checkers;
}
