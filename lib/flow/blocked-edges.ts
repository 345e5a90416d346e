/** An edge between steps, with what decides whether its consumer may leave it unread. */
export interface StagedEdge {
  readonly from: number;
  readonly to: number;
  /** Inputs of the consumer with a lower stage are read to their end first. */
  readonly stage: number;
  /** The consumer may refuse an input while it waits for another one, whatever the stages (zip). */
  readonly inStep: boolean;
}

/**
 * The edges that have to spool, so that no flow waits for itself. An edge is left unread until inputs of a lower stage have
 * ended. For that, all steps before those inputs have to work to their end, and so all edges that leave these steps must be
 * read: where that comes back to the edge itself, directly (streams that part and meet again) or over other stages, its
 * producer must be able to go on, and what isn't read waits in the spool. An edge that only a slow consumer holds back is
 * none of them.
 */
export function spoolingEdges(edges: readonly StagedEdge[]): ReadonlySet<number> {
  const graph = new WaitGraph(edges);
  const spooling = new Set<number>();
  for (let edge = 0; edge < edges.length; edge++) if (graph.waitsForItself(edge, spooling)) spooling.add(edge);
  return spooling;
}

/** What has to happen before something else can: an edge is read, or an edge ends. */
class WaitGraph {
  readonly #edges: readonly StagedEdge[];
  readonly #into = new Map<number, number[]>();
  readonly #outOf = new Map<number, number[]>();

  constructor(edges: readonly StagedEdge[]) {
    this.#edges = edges;
    for (const [index, { from, to }] of edges.entries()) {
      listIn(this.#into, to).push(index);
      listIn(this.#outOf, from).push(index);
    }
  }

  /** True if reading an edge needs, in the end, that the same edge is read. Edges that spool take everything. */
  waitsForItself(edge: number, spooling: ReadonlySet<number>): boolean {
    const first = this.#heldBackBy(edge);
    if (first.length === 0) return false;
    const [read, ended] = [new Set<number>(), new Set<number>()];
    const toRead: number[] = [];
    const toEnd = [...first];
    for (;;) {
      const ending = toEnd.pop();
      if (ending !== undefined) {
        if (ended.has(ending)) continue;
        ended.add(ending);
        const step = this.#edges[ending]?.from ?? -1;
        toEnd.push(...(this.#into.get(step) ?? []));
        toRead.push(...(this.#outOf.get(step) ?? []));
        continue;
      }
      const reading = toRead.pop();
      if (reading === undefined) return false;
      if (reading === edge) return true;
      if (read.has(reading) || spooling.has(reading)) continue;
      read.add(reading);
      toRead.push(...(this.#outOf.get(this.#edges[reading]?.to ?? -1) ?? []));
      // An operator that keeps its inputs in step refuses one of them at a time: the one that is ahead.
      const others = this.#heldBackBy(reading);
      toEnd.push(
        ...(this.#edges[reading]?.to === this.#edges[edge]?.to ? others.filter((other) => other !== edge) : others),
      );
    }
  }

  /** The other inputs of the consumer which it may want first. */
  #heldBackBy(edge: number): number[] {
    const own = this.#edges[edge] as StagedEdge;
    return (this.#into.get(own.to) ?? []).filter((other) => {
      if (other === edge) return false;
      return own.inStep || (this.#edges[other]?.stage ?? 0) < own.stage;
    });
  }
}

function listIn(lists: Map<number, number[]>, step: number): number[] {
  const list = lists.get(step) ?? [];
  lists.set(step, list);
  return list;
}
