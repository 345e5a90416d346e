import { startActors } from "qstream";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round } from "../harness/contest.ts";
import { idleInNact } from "../peers/nact-actors.ts";
import { idleInXstate } from "../peers/xstate-actors.ts";
import { counter } from "../savina/counting.ts";

const actors = 200_000;
// nact copies all children of a parent for each message: it is given fewer.
const nactActors = 2000;
const rounds = 5;

export const benchmark: Benchmark = {
  name: "actor-memory",
  workload: "200,000 idle actors that have handled a message: bytes of the heap for each, with its reference and state",
  bar: { atMost: 600 },
  unit: "bytes",
  measure,
};

async function measure(): Promise<Measured> {
  const ours: number[] = [];
  for (let attempt = 0; attempt < rounds; attempt++) ours.push(await bytesEach(actors, idleOurs));
  const nact = await bytesEach(nactActors, idleInNact);
  const xstate = await bytesEach(actors, idleInXstate);
  const bytes = (value: number): string => `${round(value)} bytes`;
  return {
    value: median(ours),
    details: {
      ours: bytes(median(ours)),
      ourRounds: ours.map(round).join(" "),
      nact: bytes(nact),
      xstate: bytes(xstate),
    },
  };
}

async function idleOurs(count: number): Promise<unknown> {
  const system = startActors();
  const references = Array.from({ length: count }, () => system.spawn(counter));
  for (const each of references) each.tell("add", 1);
  const sums = await Promise.all([references[0]?.ask("total"), references.at(-1)?.ask("total")]);
  if (sums.some((sum) => sum !== 1)) throw new Error("an actor hasn't handled its message");
  return [system, references];
}

/** Bytes of the heap, after a collection, that each of so many takes which a function makes. */
async function bytesEach(count: number, make: (count: number) => unknown): Promise<number> {
  if (globalThis.gc === undefined) throw new Error("the process needs --expose-gc");
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const kept = await make(count);
  globalThis.gc();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  if (kept === undefined) throw new Error("nothing was made");
  return bytes;
}
