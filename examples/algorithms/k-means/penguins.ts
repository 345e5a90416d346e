// The table of the example: 344 penguins of the Palmer Archipelago, from the npm package `vega-datasets`.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { jsonArray, type FlowBuilder, type QStream } from "qstream";

interface Row {
  readonly Species: string;
  readonly Island: string;
  readonly "Beak Length (mm)": number | null;
  readonly "Beak Depth (mm)": number | null;
  readonly "Flipper Length (mm)": number | null;
  readonly "Body Mass (g)": number | null;
}

/** A penguin as a point. */
export interface Penguin {
  readonly species: string;
  readonly island: string;
  /** Length and depth of the beak and length of the flipper, in tenths of a millimetre, and mass in grams: whole numbers. */
  readonly measures: readonly number[];
}

/** How many numbers a penguin is. */
export const dimensions = 4;

function penguinsOf(row: Row): readonly Penguin[] {
  const { Species: species, Island: island } = row;
  const [length, depth, flipper] = [row["Beak Length (mm)"], row["Beak Depth (mm)"], row["Flipper Length (mm)"]];
  const mass = row["Body Mass (g)"];
  // Two of them got away before they were measured.
  if (length === null || depth === null || flipper === null || mass === null) return [];
  const measures = [Math.round(length * 10), Math.round(depth * 10), Math.round(flipper * 10), mass];
  return [{ species, island, measures }];
}

const penguinsFile = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data/penguins.json");

export function readPenguins(q: FlowBuilder, path = penguinsFile): QStream<Penguin> {
  return q.read("table", jsonArray(path)).flatMap("penguins", (row) => penguinsOf(row as Row));
}
