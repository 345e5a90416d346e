import type { Campaign, Coordination } from "../../../core/contracts/coordination.ts";
import type {
  ChannelCommit,
  CommitAnswer,
  FencedChannel,
  LineageStore,
} from "../../../core/contracts/lineage-store.ts";
import type { Clock } from "../../../core/seam/clock.ts";

interface Reign {
  readonly head: string;
  readonly epoch: number;
  untilMs: number;
}

// A call that is done at one moment and was looked at in the next.
const toleranceMs = 1;

/**
 * What has to hold of heads, seen from where they write: one leads at a time, each epoch is one head's, and nothing of another head
 * takes effect meanwhile. It is found out here by itself, and not by what refuses such writes.
 */
export class HeadInvariants {
  readonly #clock: Clock;
  readonly #violated: (what: string) => void;
  #reign: Reign | undefined;
  /** How often somebody began to lead. */
  reigns = 0;
  /** Writes that were refused because another head leads. */
  refused = 0;
  readonly #drivers = new Map<string, number>();
  readonly #ended = new Map<string, string>();

  constructor(clock: Clock, violated: (what: string) => void) {
    this.#clock = clock;
    this.#violated = violated;
  }

  /** The id of the head that leads, as far as its lease lasts. */
  get leader(): string | undefined {
    return this.#reign !== undefined && this.#reign.untilMs > this.#clock.monotonic() ? this.#reign.head : undefined;
  }

  /** Looks at what one head does. */
  watch(head: string, coordination: Coordination): Coordination {
    const written = <T>(what: string, leaseMs: number | undefined, write: Promise<T>): Promise<T> =>
      write.then(
        (value) => {
          this.#wrote(head, what, leaseMs);
          return value;
        },
        (error: unknown) => {
          this.refused++;
          throw error;
        },
      );
    return {
      campaign: async (url, leaseMs, above) => {
        const campaign = await coordination.campaign(url, leaseMs, above);
        this.#campaigned(head, campaign, leaseMs);
        return campaign;
      },
      renew: (leaseMs, machines) => written("renew", leaseMs, coordination.renew(leaseMs, machines)),
      resign: () => written("resign", 0, coordination.resign()),
      machine: (leaseMs, id, description) =>
        written("machine", undefined, coordination.machine(leaseMs, id, description)),
      machineGone: (id) => written("machineGone", undefined, coordination.machineGone(id)),
      putBundle: (hash, bytes) => written("putBundle", undefined, coordination.putBundle(hash, bytes)),
      bundle: (hash) => coordination.bundle(hash),
      submit: (one) => written("submit", undefined, coordination.submit(one)),
      resume: async (one, driver) => {
        const isAgain = await written("resume", undefined, coordination.resume(one, driver));
        if (isAgain) {
          this.#ended.delete(one.execution);
          this.#drives(one.execution, driver);
        }
        return isAgain;
      },
      driver: async (execution, number, begins) => {
        const isNext = await written("driver", undefined, coordination.driver(execution, number, begins));
        if (isNext) this.#drives(execution, number);
        return isNext;
      },
      cancel: (execution, reason) => written("cancel", undefined, coordination.cancel(execution, reason)),
      end: async (execution, driver, status, end, endedAt) => {
        const isEnd = await written("end", undefined, coordination.end(execution, driver, status, end, endedAt));
        if (isEnd) this.#ends(execution, driver, status);
        return isEnd;
      },
      keepMeasures: (flow, measures) => written("keepMeasures", undefined, coordination.keepMeasures(flow, measures)),
      tidied: (execution) => written("tidied", undefined, coordination.tidied(execution)),
      load: (graceMs) => coordination.load(graceMs),
      execution: (execution) => coordination.execution(execution),
      close: () => coordination.close(),
    };
  }

  #campaigned(head: string, campaign: Campaign, leaseMs: number): void {
    const now = this.#clock.monotonic();
    const before = this.#reign;
    if (!campaign.leads) return;
    if (before !== undefined && before.epoch >= campaign.epoch) {
      this.#violated(`head ${head} leads under epoch ${campaign.epoch}, which isn't above ${before.epoch}`);
    }
    if (before !== undefined && before.head !== head && before.untilMs > now + toleranceMs) {
      const leftMs = before.untilMs - now;
      this.#violated(`head ${head} leads though the lease of ${before.head} lasts for ${leftMs.toFixed(0)} ms`);
    }
    this.#reign = { head, epoch: campaign.epoch, untilMs: now + leaseMs };
    this.reigns++;
  }

  #wrote(head: string, what: string, leaseMs: number | undefined): void {
    const reign = this.#reign;
    if (reign?.head !== head) {
      this.#violated(`a write of head ${head} (${what}) took effect while ${reign?.head ?? "nobody"} leads`);
      return;
    }
    if (leaseMs !== undefined) reign.untilMs = this.#clock.monotonic() + leaseMs;
  }

  /** A driver goes on with an execution: never one before the latest, never after the end. */
  #drives(execution: string, number: number): void {
    if (number < (this.#drivers.get(execution) ?? 1)) {
      this.#violated(`driver ${number} of ${execution} goes on though a later one does`);
    }
    if (this.#ended.has(execution)) this.#violated(`driver ${number} of ${execution} goes on after its end`);
    this.#drivers.set(execution, number);
  }

  #ends(execution: string, driver: number, status: string): void {
    const before = this.#ended.get(execution);
    // A head that didn't get the answer says the same once more.
    if (before !== undefined && before !== status) {
      this.#violated(`${execution} ended twice: ${before}, then ${status}`);
    }
    if (driver !== (this.#drivers.get(execution) ?? 1)) {
      this.#violated(`driver ${driver} of ${execution} ended it though a later one goes on with it`);
    }
    this.#ended.set(execution, status);
  }
}

/** What has to hold of lineage, whoever writes it: what was shut out writes nothing any more, and a record never changes. */
export class LineageInvariants {
  readonly #violated: (what: string) => void;
  /** By execution and channel. */
  readonly #generations = new Map<string, number>();
  readonly #records = new Map<string, Uint8Array[]>();
  readonly #dropped = new Set<string>();
  /**
   * Executions that were begun after they had ended and been dropped: by a driver that stood still for so long with its request on
   * its way. Nothing is lost by that but the room for a description.
   */
  readonly late = new Set<string>();
  /** Commits of generations that were shut out, which the store refused. */
  refused = 0;

  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  /** Looks at what a store does. */
  watch(store: LineageStore): LineageStore {
    const own: Partial<LineageStore> = {
      create: async (execution, description, channels, createdAt) => {
        await store.create(execution, description, channels, createdAt);
        if (this.#dropped.has(execution)) this.late.add(execution);
      },
      drop: async (execution) => {
        await store.drop(execution);
        this.#dropped.add(execution);
        this.late.delete(execution);
      },
      commit: async (execution, commits) => {
        const answers = await store.commit(execution, commits);
        commits.forEach((commit, index) => this.#committed(execution, commit, answers[index]));
        return answers;
      },
      fence: async (execution, channels) => {
        const fenced = await store.fence(execution, channels);
        for (const one of fenced) this.#fenced(execution, one);
        return fenced;
      },
    };
    return new Proxy(store, {
      get: (target, name): unknown => {
        const watched: unknown = Reflect.get(own, name);
        if (watched !== undefined) return watched;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }

  #committed(execution: string, commit: ChannelCommit, answer: CommitAnswer | undefined): void {
    const { channel, generation, firstSeq, records } = commit;
    if (answer !== "committed") {
      this.refused++;
      return;
    }
    const key = `${execution} ${channel}`;
    const current = this.#generations.get(key) ?? 0;
    if (generation < current) {
      this.#violated(`channel ${channel} wrote under generation ${generation}, which ${current} has shut out`);
    }
    const known = this.#records.get(key) ?? [];
    this.#records.set(key, known);
    records.forEach((record, offset) => {
      const before = known[firstSeq + offset];
      if (before === undefined) known[firstSeq + offset] = record.slice();
      else if (!Buffer.from(before).equals(record)) {
        this.#violated(`record ${firstSeq + offset} of channel ${channel} was changed`);
      }
    });
  }

  #fenced(execution: string, { channel, generation }: FencedChannel): void {
    const key = `${execution} ${channel}`;
    const before = this.#generations.get(key) ?? 0;
    if (generation <= before) this.#violated(`channel ${channel} was fenced under generation ${generation} again`);
    this.#generations.set(key, generation);
  }
}
