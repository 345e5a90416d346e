import { actor, type ActorReference, type Deferred } from "qstream";
import { mixed, wholeRun, type Program } from "./program.ts";

interface GraphSize {
  readonly nodes: number;
  /** Rows and columns of one actor's block. */
  readonly block: number;
}

/** A row or a column of the distances, as far as a block has it. */
interface Strip {
  readonly node: number;
  readonly kind: "row" | "column";
  readonly distances: readonly number[];
}

interface BlockProtocol {
  begin: (place: Place) => void;
  strip: (strip: Strip) => void;
}

interface PathsProtocol {
  finished: (checksum: number) => void;
}

/** Where a block is, and who is beside it. */
interface Place {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly nodes: number;
  readonly distances: readonly (readonly number[])[];
  readonly sameRows: readonly ActorReference<BlockProtocol>[];
  readonly sameColumns: readonly ActorReference<BlockProtocol>[];
  readonly to: ActorReference<PathsProtocol>;
}

interface Block {
  place: Place | undefined;
  distances: number[][];
  /** The node through which paths are tried now. */
  node: number;
  readonly rows: Map<number, readonly number[]>;
  readonly columns: Map<number, readonly number[]>;
}

/** Keeps a block of the distances. It goes on to the next node when it has that node's row and column. */
export const block = actor({
  kind: "block",
  init: (): Block => ({ place: undefined, distances: [], node: 0, rows: new Map(), columns: new Map() }),
  receive: {
    begin(state, place: Place) {
      state.place = place;
      state.distances = place.distances.map((row) => [...row]);
      tellStrips(state, place);
      goOn(state, place);
    },
    strip(state, { node, kind, distances }: Strip) {
      (kind === "row" ? state.rows : state.columns).set(node, distances);
      if (state.place !== undefined) goOn(state, state.place);
    },
  },
});

interface Paths {
  left: number;
  checksum: number;
  done: Deferred<number> | undefined;
}

/** Deals the blocks of a graph, and adds up their checksums. */
export const paths = actor({
  kind: "paths",
  init: (): Paths => ({ left: 0, checksum: 0, done: undefined }),
  receive: {
    find(state, { blocks, size }: { blocks: readonly ActorReference<BlockProtocol>[]; size: GraphSize }, ctx) {
      const done = ctx.deferred<number>();
      state.left = blocks.length;
      state.done = done;
      deal(blocks, size, ctx.self);
      return done;
    },
    finished(state, checksum: number) {
      state.checksum += checksum;
      if (--state.left === 0) state.done?.send(state.checksum);
    },
  },
});

/** All distances of a graph, by Floyd and Warshall, on blocks that tell each other rows and columns. */
export const shortestPaths: Program<GraphSize, number> = {
  name: "shortest-paths",
  run: (system, size) => {
    const side = size.nodes / size.block;
    const blocks = Array.from({ length: side * side }, () => system.spawn(block));
    return system.spawn(paths).ask("find", { blocks, size }, wholeRun);
  },
  plain: ({ nodes }) => {
    const distances = Array.from({ length: nodes }, (_, row) =>
      Array.from({ length: nodes }, (_unused, column) => weightOf(row, column)),
    );
    for (let node = 0; node < nodes; node++) relax(distances, distances[node] ?? [], column(distances, node));
    return checksumOf(distances, 0, 0, nodes);
  },
  small: { nodes: 24, block: 8 },
  large: { nodes: 240, block: 40 },
};

function deal(
  blocks: readonly ActorReference<BlockProtocol>[],
  size: GraphSize,
  to: ActorReference<PathsProtocol>,
): void {
  const { nodes, block: length } = size;
  const side = nodes / length;
  for (const [index, each] of blocks.entries()) {
    const [blockRow, blockColumn] = [Math.floor(index / side), index % side];
    const [firstRow, firstColumn] = [blockRow * length, blockColumn * length];
    const distances = Array.from({ length }, (_, row) =>
      Array.from({ length }, (_unused, column) => weightOf(firstRow + row, firstColumn + column)),
    );
    const sameRows = blocks.filter((_, other) => Math.floor(other / side) === blockRow);
    const sameColumns = blocks.filter((_, other) => other % side === blockColumn);
    each.tell("begin", { firstRow, firstColumn, nodes, distances, sameRows, sameColumns, to });
  }
}

/** Whoever has the row or the column of the present node tells it to those who need it; itself, too. */
function tellStrips({ node, distances }: Block, { firstRow, firstColumn, sameRows, sameColumns }: Place): void {
  const row = distances[node - firstRow];
  if (row !== undefined) {
    for (const each of sameColumns) each.tell("strip", { node, kind: "row", distances: [...row] });
  }
  if (node < firstColumn || node >= firstColumn + distances.length) return;
  const strip = column(distances, node - firstColumn);
  for (const each of sameRows) each.tell("strip", { node, kind: "column", distances: strip });
}

function goOn(state: Block, place: Place): void {
  for (;;) {
    const row = state.rows.get(state.node);
    const strip = state.columns.get(state.node);
    if (row === undefined || strip === undefined) return;
    relax(state.distances, row, strip);
    state.rows.delete(state.node);
    state.columns.delete(state.node);
    state.node++;
    if (state.node < place.nodes) tellStrips(state, place);
    else place.to.tell("finished", checksumOf(state.distances, place.firstRow, place.firstColumn, place.nodes));
  }
}

function relax(distances: number[][], through: readonly number[], strip: readonly number[]): void {
  for (const [row, ownRow] of distances.entries()) {
    const first = strip[row] ?? Infinity;
    for (let at = 0; at < ownRow.length; at++) {
      const length = first + (through[at] ?? Infinity);
      if (length < (ownRow[at] ?? Infinity)) ownRow[at] = length;
    }
  }
}

function column(distances: readonly (readonly number[])[], at: number): readonly number[] {
  return distances.map((row) => row[at] ?? Infinity);
}

function weightOf(from: number, to: number): number {
  return from === to ? 0 : 1 + (mixed(from, to) % 1000);
}

function checksumOf(distances: readonly number[][], firstRow: number, firstColumn: number, nodes: number): number {
  let sum = 0;
  for (const [row, ownRow] of distances.entries()) {
    for (const [at, length] of ownRow.entries())
      sum += length * (1 + (((firstRow + row) * nodes + firstColumn + at) % 97));
  }
  return sum;
}
