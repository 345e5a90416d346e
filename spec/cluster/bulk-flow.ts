// A flow with so many bytes on one link that nothing else decides how long it takes.

import { appendFileSync } from "node:fs";
import { apart, defineFlow, reader, run, single, type Reader } from "qstream";

export interface Bulk {
  readonly pieces: number;
  /** Gets a byte with each piece that is made. */
  readonly made: string;
}

const pieceRows = 250;
const textLength = 1000;
const keys = 97;

/** Bytes that a piece has at least, however it is sent. */
export const pieceBytes = pieceRows * textLength;

interface BulkRow {
  readonly key: number;
  readonly text: string;
}

function bulk({ pieces, made }: Bulk): Reader<BulkRow> {
  return reader({
    kind: "bulk",
    options: { pieces },
    splits: () => Array.from({ length: pieces }, (_, piece) => piece),
    read(piece) {
      appendFileSync(made, ".");
      const first = piece * pieceRows;
      return [run(Array.from({ length: pieceRows }, (_, at) => rowOf(first + at)))];
    },
  });
}

function rowOf(n: number): BulkRow {
  return { key: n % keys, text: String(n).padStart(textLength, "-") };
}

/** Sums by key, in a slot that makes none of the rows. */
export const bulkSums = defineFlow(import.meta.url, (q, args: Bulk) => ({
  sums: q
    .read("bulk", bulk(args), { channels: 1, place: single() })
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { text }) => sum + text.length + Number(text.slice(-10).replaceAll("-", "")),
      { place: apart({ from: "bulk", channels: 1, by: "slot" }) },
    )
    .collect(),
}));
