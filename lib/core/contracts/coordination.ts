/** How an execution stands, as a cluster keeps it. What it means is the head's; here it is bytes. */
export interface KeptExecution {
  readonly execution: string;
  readonly status: string;
  readonly flow: string;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  readonly bundle: string;
  readonly submission: Uint8Array;
  /** Why it is to be cancelled. */
  readonly cancel: string | undefined;
  readonly end: Uint8Array;
  /** Number of the driver that runs it. */
  readonly driver: number;
  /** A driver was about to begin: channels of it may have done something. Kept of those that keep no lineage. */
  readonly begun: boolean;
}

/** An execution that begins to be kept. */
export type SubmittedExecution = Pick<KeptExecution, "execution" | "bundle" | "flow" | "submission" | "submittedAt">;

/** What was measured of a flow when it was last done. What it means is the head's. */
export interface KeptMeasures {
  readonly flow: string;
  readonly measures: string;
}

/** What became of an attempt to lead. */
export type Campaign =
  | { readonly leads: true; readonly epoch: number }
  | { readonly leads: false; readonly leader: string };

/** What a head that leads from now on takes over. */
export interface KeptCluster {
  /** Descriptions of machines. */
  readonly machines: readonly string[];
  /** Ids of executions, by the time at which they were submitted. */
  readonly executions: readonly string[];
  /** Executions that are over, whose lineage hasn't been seen to yet. */
  readonly leftovers: readonly string[];
  /** Of flows, by the time at which they were last done. */
  readonly measures: readonly KeptMeasures[];
}

/**
 * What the heads of a cluster share, as one of them sees it: who leads, which machines there are, code and executions. A write counts
 * only while this head leads under the epoch that its last campaign brought, which is looked at in the same step; else it throws
 * HEAD_DEPOSED and leaves all as it was. Times are those of whoever keeps it. All calls may throw STORE_UNAVAILABLE and STORE_LOST.
 */
export interface Coordination {
  /**
   * Leads from now on under the next epoch, unless another head does whose lease hasn't ended.
   *
   * @param above - an epoch that this one has to be above: who keeps this may have lost it. Default: 0
   */
  campaign: (url: string, leaseMs: number, above?: number) => Promise<Campaign>;
  /** Goes on leading, with these machines. Others whose lease ended five leases ago are forgotten. */
  renew: (leaseMs: number, machines: readonly string[]) => Promise<void>;
  /** Another head need not wait for the end of the lease. */
  resign: () => Promise<void>;
  /** Keeps what is to be known of a machine. */
  machine: (leaseMs: number, id: string, description: string) => Promise<void>;
  machineGone: (id: string) => Promise<void>;
  putBundle: (hash: string, bytes: Uint8Array) => Promise<void>;
  /** The bytes of a bundle, or undefined where it isn't here. */
  bundle: (hash: string) => Promise<Uint8Array | undefined>;
  /** Once more changes nothing. @throws QStreamError FLOW_NOT_FOUND where its bundle isn't here (any more) */
  submit: (one: SubmittedExecution) => Promise<void>;
  /**
   * An execution that has ended, or isn't kept any more, runs again, by this driver. Once more changes nothing. False where it runs, or
   * has had a later driver. @throws QStreamError FLOW_NOT_FOUND where its bundle isn't here (any more)
   */
  resume: (one: SubmittedExecution, driver: number) => Promise<boolean>;
  /**
   * A driver goes on with an execution, or is about to begin with its channels. False where it has ended, or a later one does. Once more
   * changes nothing.
   */
  driver: (execution: string, number: number, begins?: boolean) => Promise<boolean>;
  cancel: (execution: string, reason: string) => Promise<void>;
  /** An execution has ended. False where it had ended otherwise, or another driver goes on with it. Once more changes nothing. */
  end: (execution: string, driver: number, status: string, end: Uint8Array, endedAt: number) => Promise<boolean>;
  /** Keeps what was measured of a flow, in place of what was before. Of too many flows the one that was done longest ago goes. */
  keepMeasures: (flow: string, measures: string) => Promise<void>;
  /** The lineage of an execution that has ended is as it is to stay: gone, or there for whoever goes on with it. */
  tidied: (execution: string) => Promise<void>;
  /** Of machines, those whose lease ended more than so many milliseconds ago aren't told. */
  load: (graceMs: number) => Promise<KeptCluster>;
  execution: (execution: string) => Promise<KeptExecution | undefined>;
  close: () => void;
}
