import type { ChannelCommit, FencedChannel } from "../../lib/core/contracts/lineage-store.ts";

/** What a server has confirmed of a channel. */
export interface Acknowledged {
  readonly execution: string;
  readonly channel: number;
  readonly generation: number;
  readonly lastSeq: number;
}

/** Remembers what a server confirmed, so that one that forgot it is found out. Bounded by the channels of executions that run. */
export class RedisAcknowledged {
  readonly #executions = new Map<string, Map<number, Acknowledged>>();

  committed(execution: string, { channel, generation, firstSeq, records }: ChannelCommit): void {
    this.#raise({ execution, channel, generation, lastSeq: firstSeq + records.length - 1 });
  }

  fenced(execution: string, { channel, generation, lastSeq }: FencedChannel): void {
    this.#raise({ execution, channel, generation, lastSeq });
  }

  /** Seq of the last task that was confirmed, or -1. */
  lastSeq(execution: string, channel: number): number {
    return this.#executions.get(execution)?.get(channel)?.lastSeq ?? -1;
  }

  forget(execution: string): void {
    this.#executions.delete(execution);
  }

  *all(): Iterable<Acknowledged> {
    for (const channels of this.#executions.values()) yield* channels.values();
  }

  #raise({ execution, channel, generation, lastSeq }: Acknowledged): void {
    let channels = this.#executions.get(execution);
    if (channels === undefined) this.#executions.set(execution, (channels = new Map()));
    const known = channels.get(channel);
    channels.set(channel, {
      execution,
      channel,
      generation: Math.max(generation, known?.generation ?? 0),
      lastSeq: Math.max(lastSeq, known?.lastSeq ?? -1),
    });
  }
}
