// A flow that sends text from one machine to another, in either form in which parcels carry objects.

import { apart, defineFlow, reader, run, single, tagged, type Reader } from "qstream";

export interface Texts {
  readonly pieces: number;
  /** Objects of one shape go as columns, those with a map as structured clone. */
  readonly form: "columns" | "clone";
  /** The machine that makes the text has it. Default: any one. */
  readonly tag?: string;
}

const pieceRows = 500;
const words = ["stream", "channel", "machine", "parcel", "payload", "lineage", "credit"];
const wordsOfText = 20;

/** Bytes of text that a piece has at least. */
export const pieceTextBytes = pieceRows * wordsOfText * 6;

interface TextRow {
  readonly key: number;
  readonly text: string;
  readonly more?: ReadonlyMap<string, number>;
}

function texts({ pieces, form }: Omit<Texts, "tag">): Reader<TextRow> {
  return reader({
    kind: "texts",
    options: { pieces, form },
    splits: () => Array.from({ length: pieces }, (_, piece) => piece),
    read(piece) {
      const first = piece * pieceRows;
      return [run(Array.from({ length: pieceRows }, (_, at) => rowOf(first + at, form)))];
    },
  });
}

function rowOf(n: number, form: Texts["form"]): TextRow {
  const text = Array.from({ length: wordsOfText }, (_, at) => words[(n * 31 + at * n) % words.length]).join(" ");
  const row = { key: n % 97, text: `${n} ${text}` };
  return form === "columns" ? row : { ...row, more: new Map([[text.slice(0, 10), n]]) };
}

/** Sums by key, in a slot that makes none of the rows. */
export const textSums = defineFlow(import.meta.url, (q, args: Texts) => ({
  sums: q
    .read("texts", texts(args), { channels: 1, place: args.tag === undefined ? single() : tagged(args.tag) })
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { text, more }) => sum + text.length + Number.parseInt(text, 10) + (more?.get(text.slice(0, 10)) ?? 0),
      { place: apart({ from: "texts", channels: 1, by: "slot" }) },
    )
    .collect(),
}));
