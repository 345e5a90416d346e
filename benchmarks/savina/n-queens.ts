import { actor, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface QueensSize {
  readonly workers: number;
  readonly queens: number;
}

/** The row of the queen in each column so far. */
type Board = readonly number[];

// From this many queens on, a worker goes on alone.
const alone = 3;

/** Sets one more queen, and gives the boards back; or counts what a board can become. */
export const solver = actor({
  kind: "solver",
  init: (queens: number) => queens,
  receive: {
    solve(queens, board: Board, ctx) {
      const { sender } = ctx;
      if (board.length >= alone) {
        sender?.tell("done", solutionsOf(board, queens));
        return;
      }
      for (let row = 0; row < queens; row++) if (isSafe(board, row)) sender?.tell("work", [...board, row]);
      sender?.tell("done", 0);
    },
  },
});

interface SolverProtocol {
  solve: (board: Board) => void;
}

interface Master {
  readonly solvers: readonly ActorReference<SolverProtocol>[];
  given: number;
  left: number;
  solutions: number;
  found: Deferred<number> | undefined;
}

/** Deals boards to solvers, and adds up solutions. */
export const queensMaster = actor({
  kind: "queens-master",
  init: (solvers: readonly ActorReference<SolverProtocol>[]): Master => ({
    solvers,
    given: 0,
    left: 0,
    solutions: 0,
    found: undefined,
  }),
  receive: {
    find(state, _nothing: undefined, ctx) {
      const found = ctx.deferred<number>();
      state.found = found;
      ctx.self.tell("work", [] satisfies Board);
      return found;
    },
    work(state, board: Board) {
      state.left++;
      state.solvers[state.given++ % state.solvers.length]?.tell("solve", board);
    },
    done(state, solutions: number) {
      state.solutions += solutions;
      if (--state.left === 0) state.found?.send(state.solutions);
    },
  },
});

/** A search that is split up as it goes, between workers. */
export const nQueens: Program<QueensSize, number> = {
  name: "n-queens",
  run: (system, { workers, queens }) => {
    const solvers = Array.from({ length: workers }, () => system.spawn(solver, queens));
    return system.spawn(queensMaster, solvers).ask("find", undefined, wholeRun);
  },
  plain: ({ queens }) => solutionsOf([], queens),
  small: { workers: 4, queens: 7 },
  large: { workers: 20, queens: 10 },
};

function solutionsOf(board: Board, queens: number): number {
  if (board.length === queens) return 1;
  let solutions = 0;
  for (let row = 0; row < queens; row++) if (isSafe(board, row)) solutions += solutionsOf([...board, row], queens);
  return solutions;
}

function isSafe(board: Board, row: number): boolean {
  return board.every((other, column) => other !== row && Math.abs(other - row) !== board.length - column);
}
