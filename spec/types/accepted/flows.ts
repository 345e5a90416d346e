// Flows: arguments, outputs, options.
import { defineFlow, local, perSlot, single, type Flow, type NoArgs } from "qstream";
import { anySink, is, leafReader, list, type Leaf, type Same } from "../shared.ts";

export const plain = defineFlow(import.meta.url, (q) => ({ leaves: q.read("leaves", leafReader).to(list()) }));
is<Same<typeof plain, Flow<NoArgs, { leaves: Leaf[] }>>>();

export const required = defineFlow(import.meta.url, (q, args: { path: string; limit?: number }) => {
  const leaves = q.read("leaves", leafReader).filter("big", (leaf) => leaf.size > (args.limit ?? 0));
  return { leaves: leaves.to(list()), trees: leaves.map("tree", (leaf) => leaf.tree).to(list()) };
});

export const optional = defineFlow(import.meta.url, (q, args: { limit?: number }) => ({
  big: q
    .read("leaves", leafReader)
    .filter("big", (leaf) => leaf.size > (args.limit ?? 0))
    .to(list()),
}));

export const declared = defineFlow(import.meta.url, { path: "string", limit: "int32?", dry: "boolean" }, (q, args) => {
  is<Same<typeof args.path, string>>();
  is<Same<typeof args.limit, number | undefined>>();
  is<Same<typeof args.dry, boolean>>();
  return { all: q.read("leaves", leafReader).to(anySink, { channels: 2, place: perSlot(1) }) };
});

export const spread = defineFlow(import.meta.url, (q) => {
  const leaves = q.read("leaves", leafReader, { channels: 1, place: single() });
  const shared = { sizes: leaves.map("size", (leaf) => leaf.size).to(list()) };
  return { ...shared, all: leaves.to(list()) };
});

export async function running(): Promise<void> {
  await plain.run();
  await plain.run({}, { slots: 2 });
  const { leaves, trees } = await required.run({ path: "leaves.csv" });
  is<Same<typeof leaves, Leaf[]>>();
  is<Same<typeof trees, string[]>>();
  await required.run({ path: "leaves.csv", limit: 3 }, { isolation: "process", memoryBytes: 1e9 });
  await optional.run();
  await optional.run({ limit: 3 });
  const { all } = await declared.run({ path: "a", dry: true });
  is<Same<typeof all, string>>();
  const { sizes } = await spread.run();
  is<Same<typeof sizes, number[]>>();

  await using session = await local({ slots: 2, isolation: "none", seed: 3 });
  const execution = await required.start({ path: "x" }, { on: session, onEvent: (event) => void event.kind });
  for await (const event of execution.events()) if (event.kind === "progress") event.metrics.rowsRead.toFixed();
  (await execution.outputs).trees.join();
  execution.cancel();
  required.explain({ path: "x" }, { as: "dot", slots: 4 });
}

// A flow as a parameter: what any flow can be given to.
export async function twice<Outs extends Record<string, unknown>>(flow: Flow<NoArgs, Outs>): Promise<[Outs, Outs]> {
  return [await flow.run(), await flow.run()];
}
export const both = twice(plain);
