// What must not compile: flows, their arguments and outputs.
import { defineFlow } from "qstream";
import { declared, optional, plain, required, spread } from "../accepted/flows.ts";
import { leafReader, list, q, leaves } from "../shared.ts";

// Arguments.
// @ts-expect-error: `path` is missing
export const a1 = required.run();
// @ts-expect-error: `path` is missing from the object
export const a2 = required.run({});
// @ts-expect-error: of another type
export const a3 = required.run({ path: 3 });
// @ts-expect-error: the name is wrong
export const a4 = required.run({ pth: "a" });
// @ts-expect-error: one too many
export const a5 = required.run({ path: "a", deep: true });
// @ts-expect-error: an optional one of another type
export const a6 = optional.run({ limit: "3" });
// @ts-expect-error: a flow without arguments is given one
export const a7 = plain.run({ path: "a" });
// @ts-expect-error: a flow without arguments is given a text
export const a8 = plain.run("a");
// @ts-expect-error: `start` asks for the same arguments
export const a9 = required.start({});
// @ts-expect-error: so does `explain`
export const a10 = required.explain({ path: 3 });
// @ts-expect-error: an optional argument isn't undefined by name under exactOptionalPropertyTypes
export const a11 = optional.run({ limit: undefined });

// Declared arguments.
// @ts-expect-error: `dry` is missing
export const b1 = declared.run({ path: "a" });
// @ts-expect-error: an int32 is a number
export const b2 = declared.run({ path: "a", dry: true, limit: "3" });
// @ts-expect-error: a boolean is no text
export const b3 = declared.run({ path: "a", dry: "true" });
// @ts-expect-error: there is no argument `deep`
export const b4 = declared.run({ path: "a", dry: true, deep: 1 });
// @ts-expect-error: there is no type `int33`
export const b5 = defineFlow(import.meta.url, { limit: "int33" }, (q) => ({ a: q.read("a", leafReader).to(list()) }));
// @ts-expect-error: the builder asks for an argument that isn't declared
export const b6 = defineFlow(import.meta.url, { limit: "int32" }, (_q, args) => ({ a: leaves.filter("a", () => args.lim).to(list()) }));

// Options.
// @ts-expect-error: there is no isolation `fiber`
export const c1 = plain.run({}, { isolation: "fiber" });
// @ts-expect-error: slots are a number
export const c2 = plain.run({}, { slots: "2" });
// @ts-expect-error: there is no picture `png`
export const c3 = plain.explain({}, { as: "png" });
// @ts-expect-error: there is no option `slot`
export const c4 = plain.run({}, { slot: 2 });
// @ts-expect-error: there is no limit of this name
export const c5 = plain.run({}, { limits: { inputByte: 3 } });

// Outputs.
export async function outputs(): Promise<void> {
  // @ts-expect-error: there is no output `leafs`
  (await plain.run()).leafs;
  // @ts-expect-error: an output of another type
  const sizes: string[] = (await spread.run()).sizes;
  // @ts-expect-error: of an execution there is no output of this name either
  (await (await plain.start()).outputs).tree;
  // @ts-expect-error: outputs come as a promise
  plain.run().leaves;
  sizes.pop();
}
// @ts-expect-error: a stream is no sink
export const d1 = defineFlow(import.meta.url, (q) => ({ leaves: q.read("a", leafReader) }));
// @ts-expect-error: a lone sink has no name
export const d2 = defineFlow(import.meta.url, (q) => q.read("a", leafReader).to(list()));
// @ts-expect-error: a list of sinks has no names
export const d3 = defineFlow(import.meta.url, (q) => [q.read("a", leafReader).to(list())]);
// @ts-expect-error: a builder isn't asynchronous
export const d4 = defineFlow(import.meta.url, async (q) => ({ a: q.read("a", leafReader).to(list()) }));
// @ts-expect-error: the module comes first
export const d5 = defineFlow((q) => ({ a: q.read("a", leafReader).to(list()) }));
// @ts-expect-error: `import.meta` isn't its URL
export const d6 = defineFlow(import.meta, () => ({ a: q.read("a", leafReader).to(list()) }));
