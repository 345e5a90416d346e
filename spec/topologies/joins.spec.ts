// specs: timeout 120 s
// Joins of all kinds on every topology, in every representation, against nested loops.

import fc from "fast-check";
import * as assert from "uvu/assert";
import { defineFlow } from "../../lib/index.ts";
import type { BroadcastJoinKind, JoinKind } from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";
import { canonical, joinKinds, nestedLoop, type Row, sides } from "../operators/join-oracle.ts";
import { Everywhere } from "./everywhere.ts";
import { type Form, forms, given, grouped, manners, type Manner, plain, texts } from "./given.ts";

const test = suite("joins on every topology");
const everywhere = new Everywhere(test);

interface Data {
  readonly left: Row[];
  readonly right: Row[];
  readonly how: JoinKind;
  readonly keys: readonly string[];
  readonly build: "left" | "right";
  /** The right side may be of the other kind of batches. */
  readonly rightForm: Form;
}

const data: fc.Arbitrary<Data> = fc
  .record({
    sides: sides(),
    how: fc.constantFrom(...joinKinds),
    keys: fc.constantFrom<readonly string[]>(["id"], ["id", "day"]),
    build: fc.constantFrom<"left" | "right">("left", "right"),
    rightForm: fc.constantFrom(...forms),
  })
  .map(({ sides: { left, right }, ...rest }): Data => ({ left, right, ...rest }));

const joins = defineFlow(import.meta.url, (q, args: Data & Manner) => {
  const rightForm = args.form === "objects" || args.rightForm === "objects" ? args.form : args.rightForm;
  const left = q.read("left", given(args.left, args), { channels: args.channels });
  const right = q.read("right", given(args.right, { ...args, form: rightForm }), { channels: 2 });
  const [key = ""] = args.keys;
  const names = args.keys.length === 1 ? key : args.keys;
  const options = { left: names, right: names, how: args.how } as const;
  return {
    hashed: left.join("hashed", right, { ...options, build: args.build }, { channels: 3 }).collect({ as: "objects" }),
    streamed: left.streamingJoin("streamed", right, options).collect({ as: "objects" }),
    broadcast: left
      .broadcastJoin("broadcast", right, { ...options, how: broadcastKind(args.how) })
      .collect({ as: "objects" }),
  };
});

/** The kinds in which the right side's unmatched rows aren't wanted, as every channel has a copy of them. */
function broadcastKind(how: JoinKind): BroadcastJoinKind {
  return how === "right" ? "inner" : how === "full" ? "left" : how;
}

everywhere.property("joins give the pairs and the unmatched rows of a nested loop, on one key or several", {
  flow: joins,
  data,
  runs: 10,
  check: ({ hashed, streamed, broadcast }, { left, right, keys, how }) => {
    const expected = canonical(nestedLoop(left, right, keys, how));
    assert.equal(canonical(hashed as Row[]), expected, `join, ${how}`);
    assert.equal(canonical(streamed as Row[]), expected, `streamingJoin, ${how}`);
    const kind = broadcastKind(how);
    assert.equal(
      canonical(broadcast as Row[]),
      canonical(nestedLoop(left, right, keys, kind)),
      `broadcastJoin, ${kind}`,
    );
  },
});

type Leaf = { tree: string; size: number };
type Acorn = { from: string | null; kg: number };

const inOrder = (values: readonly number[]): number[] => values.toSorted((one, other) => one - other);

const combined = defineFlow(import.meta.url, (q, args: { leaves: Leaf[]; acorns: Acorn[] } & Manner) => {
  const leaves = q.read("leaves", given(args.leaves, args), { channels: args.channels });
  const acorns = q.read("acorns", given(args.acorns, args), { channels: 2 });
  const keys = { left: (leaf: Leaf) => leaf.tree, right: (acorn: Acorn) => acorn.from };
  const pair = (leaf: Leaf | undefined, acorn: Acorn | undefined): string => `${leaf?.size} ${acorn?.kg}`;
  return {
    hashed: leaves.join("hashed", acorns, { ...keys, how: "full", combine: pair }).collect(),
    streamed: leaves.streamingJoin("streamed", acorns, { ...keys, how: "full", combine: pair }).collect(),
    broadcast: leaves.broadcastJoin("broadcast", acorns, { ...keys, how: "left", combine: pair }).collect(),
    grouped: leaves
      .cogroup("grouped", acorns, {
        ...keys,
        combine: (tree, lefts, rights) => ({
          tree,
          sizes: inOrder(lefts.map(({ size }) => size)),
          kgs: inOrder(rights.map(({ kg }) => kg)),
        }),
        declares: "confluent",
      })
      .collect(),
    neverEqual: leaves.join("never equal", leaves, { left: "tree", right: "size" }).collect(),
    withItself: leaves
      .join("with itself", leaves, { left: "tree", right: "tree", combine: (one, other) => [one.size, other.size] })
      .collect(),
  };
});

const trees = fc.constantFrom("oak", "elm", "ash", "1");
const leafArbitrary = fc.record({ tree: trees, size: fc.nat({ max: 5 }) });
const acornArbitrary = fc.record({ from: fc.option(trees, { nil: null }), kg: fc.nat({ max: 5 }) });

everywhere.property("key functions and combine decide what a pair is, and cogroup takes each key once", {
  flow: combined,
  data: fc.record({
    leaves: fc.array(leafArbitrary, { maxLength: 20 }),
    acorns: fc.array(acornArbitrary, { maxLength: 20 }),
  }),
  manner: manners("objects"),
  check: (outputs, { leaves, acorns }) => {
    const pairs = leaves.flatMap((leaf) => {
      const found = acorns.filter((acorn) => acorn.from === leaf.tree);
      return found.length === 0 ? [`${leaf.size} undefined`] : found.map((acorn) => `${leaf.size} ${acorn.kg}`);
    });
    const alone = acorns.filter((acorn) => !leaves.some((leaf) => leaf.tree === acorn.from));
    const full = [...pairs, ...alone.map(({ kg }) => `undefined ${kg}`)];
    assert.equal(texts(outputs.hashed), texts(full));
    assert.equal(texts(outputs.streamed), texts(full));
    assert.equal(texts(outputs.broadcast), texts(pairs));
    const keys = new Set([...leaves.map(({ tree }) => tree), ...acorns.map(({ from }) => from)]);
    const [sizes, kgs] = [grouped(leaves, ({ tree }) => tree as string | null), grouped(acorns, ({ from }) => from)];
    const groups = [...keys].map((tree) => ({
      tree,
      sizes: inOrder((sizes.get(tree) ?? []).map(({ size }) => size)),
      kgs: inOrder((kgs.get(tree) ?? []).map(({ kg }) => kg)),
    }));
    assert.equal(texts(outputs.grouped.map((group) => plain(group))), texts(groups.map((group) => plain(group))));
    assert.equal(outputs.neverEqual, [], "a text is no number");
    const own = leaves.flatMap((one) =>
      leaves.filter(({ tree }) => tree === one.tree).map((other) => [one.size, other.size]),
    );
    assert.equal(texts(outputs.withItself), texts(own));
  },
});

test.run();
