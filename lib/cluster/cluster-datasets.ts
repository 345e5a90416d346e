import { Dataset, type DatasetKeeper, type DatasetReference } from "../core/dataset.ts";
import type { FlowSession } from "../flow/session-contract.ts";

/** The datasets that a client of a cluster holds: they are in the memory of the machines' slots. */
export class ClusterDatasets implements DatasetKeeper {
  readonly #session: FlowSession;
  readonly #free: (datasets: readonly string[]) => void;
  /** Those that end with the session. */
  readonly #own = new Set<string>();

  /** @param free - tells the cluster that nobody needs datasets any more */
  constructor(session: FlowSession, free: (datasets: readonly string[]) => void) {
    this.#session = session;
    this.#free = free;
  }

  /**
   * Outputs of an execution as its client gets them: datasets among them can be read and released here.
   *
   * @param own - it was submitted by this session, and what it keeps ends with that
   */
  join(outputs: Readonly<Record<string, unknown>>, own: boolean): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(outputs).map(([name, output]) => {
        if (!(output instanceof Dataset)) return [name, output];
        if (own) this.#own.add(output.id);
        return [name, new Dataset(output, this)];
      }),
    );
  }

  async read(reference: DatasetReference, as: "objects" | "arrow" | "polars"): Promise<unknown> {
    const { readBack } = await import("../flow/read-back.ts");
    return readBack(new Dataset(reference, undefined), as, this.#session);
  }

  release(dataset: string): void {
    this.#own.delete(dataset);
    this.#free([dataset]);
  }

  /** Frees what the session has made. */
  releaseAll(): void {
    if (this.#own.size > 0) this.#free([...this.#own]);
    this.#own.clear();
  }
}
