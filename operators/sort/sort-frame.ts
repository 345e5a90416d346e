import type { DataFrame } from "nodejs-polars";
import { loadPolars } from "../../lib/core/batch/index.ts";
import type { OrderTerm } from "../order.ts";
import { orderColumns } from "../order.ts";
import { requireColumns } from "../require-columns.ts";

/** Sorts a frame's rows by columns; rows with equal keys keep their order. What is missing comes last. */
export function sortFrame<T>(frame: DataFrame, terms: readonly OrderTerm<T>[], kind: string): DataFrame {
  const columns = orderColumns(terms, kind);
  requireColumns(frame, columns, kind);
  if (frame.height < 2) return frame;
  let lazy = frame.lazy();
  // A sort of nodejs-polars has one direction: runs of terms of one direction are sorted from the last to the first, stably.
  for (let end = terms.length; end > 0;) {
    const descending = terms[end - 1]?.descending === true;
    let start = end - 1;
    while (start > 0 && (terms[start - 1]?.descending === true) === descending) start -= 1;
    const by = columns.slice(start, end).map((column) => loadPolars().col(column));
    lazy = lazy.sort(by, descending, true, true);
    end = start;
  }
  return lazy.collectSync();
}
