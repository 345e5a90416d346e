// A project that uses the package, and publishes declarations of its own: everything here is inferred.
import { broadcast, defineFlow, hash, local, perSlot, QStreamError, run } from "qstream";
import { multiset, testContext, topologies } from "qstream/testing";
import { acorns, BrownQuokka, leafReader, leaves, list, q, sidedReader, tables } from "../shared.ts";

export const flow = defineFlow(import.meta.url, { limit: "int32?" }, (q, args) => {
  const big = q.read("leaves", leafReader).filter("big", (leaf) => leaf.size > (args.limit ?? 0));
  return { big: big.to(list()), trees: big.map("tree", (leaf) => leaf.tree).to(list()) };
});
export default flow;
export const { explain, start, schema: argumentsSchema } = flow;
export const results = flow.run({ limit: 3 });
export const execution = flow.start();
export const events = async () => (await flow.start()).events();
export const metrics = async () => (await flow.start()).metrics;
export const session = local({ slots: 2 });
export const slots = async () => (await session).slots;

export const sided = q.read("a", sidedReader);
export const { sides } = sided;
export const bad = sided.sides.bad;
export const partitioned = leaves.partition(hash("tree"));
export const spread = leaves.partition(broadcast()).map("b", (leaf) => leaf.size);
export const berries = q.apply("c", { leaves: partitioned, acorns }, () => new BrownQuokka());
export const sink = berries.to(list());
export const byOrigin = tables.partition(hash("origin"));
export const place = perSlot(2);
export const batch = run([1, 2]);
export const codeOf = (error: unknown) => (error instanceof QStreamError ? error.code : undefined);
export const placeOf = (error: QStreamError) => error.place;

export const context = testContext();
export const files = context.files;
export const bag = multiset([1, 2]);
export const shapes = topologies;

export function build(name: string) {
  return { name, flow, stream: leaves.map("d", (leaf, ctx) => ({ leaf, seq: ctx.seq })) };
}
export class Holder {
  stream = berries;
  operator = new BrownQuokka();
  make = () => ({ execute: this.operator.execute.bind(this.operator) });
}
