import type { ChannelLog, CheckpointPositions, LineageLog } from "../../lib/core/contracts/lineage.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { encodeSnapshot, type ChannelSnapshot } from "./channel-snapshot.ts";

/** How often a channel's state is saved. */
export interface CheckpointPolicy {
  /** Milliseconds between two checkpoints of a channel. */
  readonly everyMs: number;
  /** Milliseconds of work since the last one, after which replay would take too long. */
  readonly workMs: number;
}

/** Decides when a channel's state is saved, and saves it behind the commits that it stands on. */
export class Checkpoints {
  readonly #policy: CheckpointPolicy;
  readonly #clock: Clock;
  readonly #lineage: LineageLog;
  readonly #log: ChannelLog;
  readonly #failed: (error: unknown) => void;
  #lastAt: number;
  #lastSeq = -1;
  #lastWorkMs = 0;
  /** One at a time: a state that takes longer to write than the interval isn't taken again meanwhile. */
  #saving = false;
  #stopped = false;

  constructor(parts: {
    readonly policy: CheckpointPolicy;
    readonly clock: Clock;
    readonly lineage: LineageLog;
    readonly log: ChannelLog;
    readonly failed: (error: unknown) => void;
  }) {
    this.#policy = parts.policy;
    this.#clock = parts.clock;
    this.#lineage = parts.lineage;
    this.#log = parts.log;
    this.#failed = parts.failed;
    this.#lastAt = parts.clock.monotonic();
  }

  /** True if the state after task `seq` should be saved now. */
  due(seq: number, workMs: number): boolean {
    if (!this.#lineage.keeps || this.#saving || seq <= this.#lastSeq) return false;
    return (
      this.#clock.monotonic() - this.#lastAt >= this.#policy.everyMs || workMs - this.#lastWorkMs >= this.#policy.workMs
    );
  }

  /** Saves a snapshot. It is encoded before this returns: the state goes on changing. */
  save(snapshot: ChannelSnapshot, positions: CheckpointPositions, workMs: number): void {
    this.#saving = true;
    this.#lastSeq = snapshot.seq;
    this.#lastAt = this.#clock.monotonic();
    this.#lastWorkMs = workMs;
    this.#lineage.saveCheckpoint(this.#log, snapshot.seq, encodeSnapshot(snapshot), positions).then(
      () => void (this.#saving = false),
      (error: unknown) => {
        if (!this.#stopped) this.#failed(error);
      },
    );
  }

  stop(): void {
    this.#stopped = true;
  }
}
