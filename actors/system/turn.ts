import type { Cell } from "./cell.ts";

/** The actor whose handler runs now in this thread: who sends, unless told. */
export const turn: { cell: Cell | undefined } = { cell: undefined };
