import type { LineageLog, TaskRecord } from "../../lib/core/contracts/lineage.ts";

/** Keeps records in memory, for specs and simulation; commits when told to, or at once. */
export class MemoryLineage implements LineageLog {
  readonly keeps = true;
  readonly records: TaskRecord[] = [];
  readonly #schedule: (commit: () => void) => void;

  /** `schedule` decides when a record becomes durable; at once unless given. Order must be kept. */
  constructor(schedule: (commit: () => void) => void = (commit) => commit()) {
    this.#schedule = schedule;
  }

  append(record: TaskRecord, committed: () => void): void {
    this.records.push(record);
    this.#schedule(committed);
  }
}
