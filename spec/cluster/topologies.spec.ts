// specs: timeout 120 s
// What holds on every topology of one machine, on a cluster of two; and examples, which give there what they give here.
import * as assert from "uvu/assert";
import cartoon from "../../examples/cartoon.ts";
import customCodec from "../../examples/custom-codec.ts";
import selfJoin from "../../examples/self-join.ts";
import slices from "../../examples/slices.ts";
import wordcount from "../../examples/wordcount.ts";
import { local, type Flow, type FlowSession } from "../../lib/index.ts";
import { sameMultiset } from "../../lib/testing/index.ts";
import { suite } from "../kit/suite.ts";
import { warm } from "./at-cluster.ts";
/* oxlint-disable import/no-unassigned-import -- specs that are run here, too */
import "../topologies/joins.spec.ts";
import "../topologies/keyed.spec.ts";
import "../topologies/ordered.spec.ts";
import "../topologies/sinks.spec.ts";
/* oxlint-enable import/no-unassigned-import */

const test = suite("examples on a cluster");
const here: { session?: FlowSession } = {};
test.after(async () => {
  await here.session?.close();
  await warm.close();
});

/** Adds a test: an example gives on two machines what it gives in this thread, in any order. */
function same<Args extends object, Outs extends Record<string, unknown>>(
  name: string,
  flow: Flow<Args, Outs>,
  args: Args,
  compared: (outputs: Outs) => readonly unknown[] = (outputs) => Object.values(outputs).flat(),
): void {
  test(`${name} gives what it gives in one thread`, async () => {
    if (!(await warm.isThere())) return;
    here.session ??= await local({ slots: 2, isolation: "none" });
    const run = flow.run as (given: Args, options: { on: FlowSession }) => Promise<Outs>;
    const expected = compared(await run(args, { on: here.session }));
    const found = compared(await run(args, { on: await warm.session() }));
    assert.ok(expected.length > 0);
    assert.ok(sameMultiset(found, expected), `${found.length} and ${expected.length}`);
  });
}

same("wordcount", wordcount, {});
// How berries meet in salads is the grey quokkas' affair.
same("cartoon", cartoon, {}, ({ berries }) => berries);
same("self-join", selfJoin, {});
same("slices", slices, { stays: 5000 });
same("custom-codec", customCodec, {});

test.run();
