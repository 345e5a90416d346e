// Operators of loops that several specs run: connected components of a graph, in rounds and without.
import {
  feedback,
  hash,
  reader,
  type Feedback,
  type FlowBuilder,
  type LoopOperator,
  type Round,
  type Task,
} from "../../lib/index.ts";

export interface Edge {
  readonly from: number;
  readonly to: number;
}

export interface Label {
  readonly to: number;
  readonly label: number;
}

/** A vertex with the smallest number of those that it is connected to; with a number of rounds, where one is asked for. */
export interface Component {
  readonly vertex: number;
  readonly label: number;
}

interface Inputs {
  readonly edges: Edge;
  readonly feedback: Label;
}

interface State {
  readonly near: Map<number, number[]>;
  readonly labels: Map<number, number>;
  readonly changed: Set<number>;
}

/** What both kinds of loops do with an edge and with a label. */
abstract class Spreading {
  protected near = new Map<number, number[]>();
  protected labels = new Map<number, number>();
  protected changed = new Set<number>();

  protected take({ input, objects }: Task<Inputs>): void {
    if (input === "feedback") for (const { to, label } of objects) this.#lower(to, label);
    else for (const { from, to } of objects) this.#connect(from, to);
  }

  *done(): Generator<Component> {
    for (const [vertex, label] of this.labels) yield { vertex, label };
  }

  snapshot(): State {
    return { near: this.near, labels: this.labels, changed: this.changed };
  }

  restore({ near, labels, changed }: State): void {
    this.near = near;
    this.labels = labels;
    this.changed = changed;
  }

  protected *tellNeighbours(): Generator<Feedback<Label>, void> {
    for (const vertex of this.changed) {
      const label = this.labels.get(vertex) as number;
      for (const to of this.near.get(vertex) ?? []) yield feedback({ to, label });
    }
    this.changed.clear();
  }

  #connect(from: number, to: number): void {
    const near = this.near.get(from);
    if (near === undefined) this.near.set(from, [to]);
    else near.push(to);
    if (!this.labels.has(from)) this.labels.set(from, from);
    this.changed.add(from);
    this.#lower(from, Math.min(from, to));
  }

  #lower(vertex: number, label: number): void {
    if ((this.labels.get(vertex) ?? Infinity) <= label) return;
    this.labels.set(vertex, label);
    this.changed.add(vertex);
  }
}

/** In rounds: whoever has got a smaller label tells its neighbours at the end of the round. */
export class LabelRounds extends Spreading implements LoopOperator<Inputs, Component, Label, number> {
  #changes = 0;

  execute(task: Task<Inputs>): void {
    this.take(task);
  }

  round({ before }: Round<number>): Generator<Feedback<Label>, void> {
    // What all channels said of the round before is the same for all of them.
    if (before !== undefined && before.fed > 0 && before.vote === 0) throw new Error("nothing changed, and was told");
    this.#changes = this.changed.size;
    return this.tellNeighbours();
  }

  vote(): number {
    return this.#changes;
  }

  merge(left: number, right: number): number {
    return left + right;
  }
}

/** Without rounds: it is told at once. */
export class LabelsAtOnce extends Spreading implements LoopOperator<Inputs, Component, Label> {
  execute(task: Task<Inputs>): Generator<Feedback<Label>, void> {
    this.take(task);
    return this.tellNeighbours();
  }
}

/** Both directions of the edges of chains of vertices, of which each has a length of its own. */
export function chainEdges(vertex: number, length: number): Edge[] {
  const next = vertex % length === length - 1 ? vertex : vertex + 1;
  return [
    { from: vertex, to: next },
    { from: next, to: vertex },
  ];
}

/** Edges of two splits, in both directions, at whoever has the vertex that they begin at. */
export function bothWays(q: FlowBuilder, edges: readonly Edge[]) {
  return q
    .read("edges", reader({ kind: "given", splits: () => [0, 1], read: (at) => edges.filter((_, n) => n % 2 === at) }))
    .flatMap("both", ({ from, to }) => [
      { from, to },
      { from: to, to: from },
    ])
    .partition(hash("from"));
}

/** The components of edges, by a plain loop. */
export function componentsOf(edges: readonly Edge[]): Map<number, number> {
  const labels = new Map<number, number>();
  for (const { from, to } of edges) for (const vertex of [from, to]) labels.set(vertex, vertex);
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to } of edges) {
      const label = Math.min(labels.get(from) as number, labels.get(to) as number);
      for (const vertex of [from, to]) {
        if (labels.get(vertex) === label) continue;
        labels.set(vertex, label);
        changed = true;
      }
    }
  }
  return labels;
}
