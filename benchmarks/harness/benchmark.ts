/** What a benchmark's figure is compared with. */
export type Bar = { readonly atLeast: number } | { readonly atMost: number };

/** What one benchmark measured. */
export interface Measured {
  /** The figure that the bar is about: a ratio of speeds, seconds, bytes or milliseconds. */
  readonly value: number;
  /** What stands behind the figure, for the table and the JSON document. */
  readonly details: Readonly<Record<string, string | number>>;
}

/** One case. It runs in a process of its own. */
export interface Benchmark {
  readonly name: string;
  /** One line: what is done. */
  readonly workload: string;
  readonly bar: Bar;
  readonly unit: "x" | "s" | "MB" | "ms" | "/s" | "bytes";
  readonly measure: () => Promise<Measured>;
}

export function meets(bar: Bar, value: number): boolean {
  return "atLeast" in bar ? value >= bar.atLeast : value <= bar.atMost;
}
