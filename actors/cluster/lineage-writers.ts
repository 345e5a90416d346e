import { NactHost } from "../hosts/nact-host.ts";
import { LineageWriter, type LineageAuthority } from "../lineage/lineage-writer.ts";
import type { LineageReport, LineageOrder } from "../lineage/protocol.ts";
import { systemClock } from "../../lib/core/seam/clock.ts";
import type { LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { openStore } from "../stores/open-store.ts";

interface Opened {
  readonly store: LineageStore;
  readonly writer: LineageWriter;
}

/** The lineage writers of a machine: one for each store, with a connection of its own. */
export class LineageWriters {
  readonly #authority: LineageAuthority;
  readonly #order: (slot: string, order: LineageOrder) => void;
  readonly #opened = new Map<string, Promise<Opened>>();
  readonly #byExecution = new Map<string, LineageWriter>();

  constructor(authority: LineageAuthority, order: (slot: string, order: LineageOrder) => void) {
    this.#authority = authority;
    this.#order = order;
  }

  /**
   * An execution is going to write to a store.
   *
   * @throws QStreamError STORE_UNAVAILABLE, STORE_REFUSED
   */
  async open(execution: string, url: string, waitMs: number): Promise<void> {
    let opening = this.#opened.get(url);
    if (opening === undefined) {
      opening = this.#open(url, waitMs);
      this.#opened.set(url, opening);
      opening.catch(() => this.#opened.delete(url));
    }
    const { writer } = await opening;
    writer.open(execution);
    this.#byExecution.set(execution, writer);
  }

  receive(report: LineageReport): void {
    this.#byExecution.get(report.execution)?.receive(report);
  }

  written(execution: string): ReturnType<LineageWriter["written"]> {
    return this.#byExecution.get(execution)?.written(execution);
  }

  close(execution: string, reason: Error): void {
    this.#byExecution.get(execution)?.close(execution, reason);
    this.#byExecution.delete(execution);
  }

  async end(): Promise<void> {
    const all = await Promise.allSettled(this.#opened.values());
    for (const opened of all) {
      if (opened.status === "rejected") continue;
      opened.value.writer.stop();
      // oxlint-disable-next-line no-await-in-loop -- there is one
      await opened.value.store.close();
    }
  }

  async #open(url: string, waitMs: number): Promise<Opened> {
    const store = await openStore(url, {});
    const writer = new LineageWriter({
      host: new NactHost(),
      clock: systemClock,
      store,
      waitMs,
      order: this.#order,
      authority: this.#authority,
    });
    return { store, writer };
  }
}
