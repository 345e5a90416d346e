// A program that runs or resumes a flow and is killed from outside: prints the id of the execution, and at the end its outputs.

import { writeSync } from "node:fs";
import { local, type Flow, type Isolation } from "../../lib/index.ts";
import { multiset } from "../../lib/testing/index.ts";
import { diamond, hashJoin, keyedSum, severalSinks } from "./flows.ts";

const flows = { diamond, hashJoin, keyedSum, severalSinks };

/** What the program is told, as JSON in its first argument. */
export interface Told {
  readonly flow: keyof typeof flows;
  readonly args: object;
  readonly store: string;
  readonly isolation: Isolation;
  readonly resume?: string;
}

const told = JSON.parse(process.argv[2] ?? "{}") as Told;
const flow = flows[told.flow] as unknown as Flow<object, Record<string, unknown>>;
const session = await local({ slots: 2, isolation: told.isolation, store: told.store, checkpointEveryMs: 50 });
const start = flow.start as (args: object, options: object) => ReturnType<typeof flow.start>;
const execution =
  told.resume === undefined ? await start(told.args, { on: session }) : await flow.resume(told.resume, { on: session });
writeSync(1, `${execution.id}\n`);
const outputs = await execution.outputs;
await session.close();
const named = Object.entries(outputs).map(([name, value]) => [name, Array.isArray(value) ? multiset(value) : value]);
writeSync(1, `${JSON.stringify(Object.fromEntries(named))}\n`);
