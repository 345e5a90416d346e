import type { ChannelLog, LineageLog, TaskRecord } from "../../lib/core/contracts/lineage.ts";

/** Keeps records in memory, for specs that look at them; commits when told to, or at once. Nothing can be recovered from it. */
export class MemoryLineage implements LineageLog {
  readonly keeps = true;
  readonly records: { readonly channel: ChannelLog; readonly record: TaskRecord }[] = [];
  readonly #schedule: (commit: () => void) => void;

  /** `schedule` decides when a record becomes durable; at once unless given. Order must be kept. */
  constructor(schedule: (commit: () => void) => void = (commit) => commit()) {
    this.#schedule = schedule;
  }

  append(channel: ChannelLog, record: TaskRecord, committed: () => void): void {
    this.records.push({ channel, record });
    this.#schedule(committed);
  }

  hurry(): void {}

  read(): Promise<readonly TaskRecord[]> {
    return Promise.resolve([]);
  }

  saveCheckpoint(): Promise<boolean> {
    return Promise.resolve(true);
  }

  loadCheckpoint(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  closeLog(): void {}

  close(): void {}
}
