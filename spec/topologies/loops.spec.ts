// specs: timeout 120 s
// Loops on every topology: what is fed back stays in its slot, or goes to others and other processes.
import fc from "fast-check";
import * as assert from "uvu/assert";
import { defineFlow, hash, numbers } from "../../lib/index.ts";
import { chainEdges, LabelRounds, LabelsAtOnce, type Component } from "../kit/loops.ts";
import { suite } from "../kit/suite.ts";
import { Everywhere } from "./everywhere.ts";
import type { Manner } from "./given.ts";

const test = suite("loops on every topology");
const everywhere = new Everywhere(test);

interface Chains {
  readonly upTo: number;
  readonly length: number;
}

const components = defineFlow(import.meta.url, (q, { upTo, length }: Chains & Manner) => {
  const edges = q.read("numbers", numbers(0, upTo)).flatMap("edges", (n) => chainEdges(n, length));
  const inRounds = q.iterate("in rounds", { edges: edges.partition(hash("from")) }, () => new LabelRounds(), {
    feedback: hash("to"),
    channels: 3,
  });
  const atOnce = q.iterate("at once", { edges: edges.partition(hash("from")) }, () => new LabelsAtOnce(), {
    feedback: hash("to"),
    rounds: false,
    channels: 2,
  });
  return { inRounds: inRounds.collect(), atOnce: atOnce.collect() };
});

function assertRight(labels: readonly Component[], { upTo, length }: Chains): void {
  assert.is(new Set(labels.map(({ vertex }) => vertex)).size, labels.length);
  for (const { vertex, label } of labels) assert.is(label, vertex - (vertex % length), `of ${upTo}`);
}

everywhere.property("components of chains are found in rounds and without", {
  flow: components,
  data: fc.record({ upTo: fc.integer({ min: 0, max: 120 }), length: fc.integer({ min: 1, max: 9 }) }),
  check: ({ inRounds, atOnce }, data) => {
    assertRight(inRounds, data);
    assertRight(atOnce, data);
    assert.is(inRounds.length, atOnce.length);
  },
});

test.run();
