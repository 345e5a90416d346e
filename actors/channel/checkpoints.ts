import type {
  BlobPlace,
  ChangesSince,
  ChannelLog,
  CheckpointPositions,
  LineageLog,
} from "../../lib/core/contracts/lineage.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { packCheckpoint } from "../lineage/checkpoint-bytes.ts";
import { encodeSnapshot, type ChannelSnapshot } from "./channel-snapshot.ts";

/** When a state is saved whole though its operator could say what has changed in it. */
export interface WholePolicy {
  /** States that took fewer bytes are always saved whole: reading them back from one checkpoint is simpler. */
  readonly belowBytes: number;
  /** Bytes of changes since the last whole one, as a share of its bytes, after which the next one is whole. */
  readonly changesShare: number;
  /** Checkpoints with changes that stand on one another, after which the next one is whole. */
  readonly changesMost: number;
}

/** How often a channel's state is saved, and how much of it. */
export interface CheckpointPolicy {
  /** Milliseconds between two checkpoints of a channel. */
  readonly everyMs: number;
  /** Milliseconds until the first one of a life. Default: as between two. */
  readonly firstMs?: number;
  /** Milliseconds of work since the last one, after which replay would take too long. */
  readonly workMs: number;
  /** Default: below 64 KiB, after half of its bytes, after 32. */
  readonly whole?: WholePolicy | undefined;
  /** Where slots write large ones themselves, so that they don't pass through the lineage actor. */
  readonly blobs?: BlobPlace | undefined;
}

/** A channel works at least so many times as long as it takes to encode its state: else a large one would be all it does. */
const workPerSaving = 10;

const wholeDefault: WholePolicy = { belowBytes: 64 * 1024, changesShare: 0.5, changesMost: 32 };

/** The checkpoints of this life since its last whole one. */
interface Chain {
  readonly base: number;
  readonly baseBytes: number;
  /** Seq of the newest. */
  previous: number;
  changes: number;
  changesBytes: number;
}

/** Decides when a channel's state is saved, and saves it behind the commits that it stands on. */
export class Checkpoints {
  readonly #policy: CheckpointPolicy;
  readonly #whole: WholePolicy;
  readonly #clock: Clock;
  readonly #lineage: LineageLog;
  readonly #log: ChannelLog;
  readonly #failed: (error: unknown) => void;
  #lastAt: number;
  #waitMs: number;
  #lastSeq = -1;
  #lastWorkMs = 0;
  /** How long the newest state took to be encoded. */
  #encodingMs = 0;
  /** The part of that which is over before it is saved. */
  #encodedMs = 0;
  /** Undefined while only a whole one can be the next: at first, since no life goes on with the chain of another. */
  #chain: Chain | undefined;
  /** One at a time: a state that takes longer to write than the interval isn't taken again meanwhile. */
  #saving = false;
  #waiting = false;
  #last: Promise<boolean> = Promise.resolve(true);
  #stopped = false;

  constructor(parts: {
    readonly policy: CheckpointPolicy;
    readonly clock: Clock;
    readonly lineage: LineageLog;
    readonly log: ChannelLog;
    readonly failed: (error: unknown) => void;
  }) {
    this.#policy = parts.policy;
    this.#whole = parts.policy.whole ?? wholeDefault;
    this.#clock = parts.clock;
    this.#lineage = parts.lineage;
    this.#log = parts.log;
    this.#failed = parts.failed;
    this.#lastAt = parts.clock.monotonic();
    this.#waitMs = parts.policy.firstMs ?? parts.policy.everyMs;
  }

  /** True if the state after task `seq` should be saved now. */
  due(seq: number, workMs: number): boolean {
    if (!this.#lineage.keeps || this.isSaving || seq <= this.#lastSeq) return false;
    const sinceMs = this.#clock.monotonic() - this.#lastAt;
    if (sinceMs < workPerSaving * this.#encodingMs) return false;
    return sinceMs >= this.#waitMs || workMs - this.#lastWorkMs >= this.#policy.workMs;
  }

  /** True while a state is on its way to the store, or waits for what belongs to it. */
  get isSaving(): boolean {
    return this.#saving || this.#waiting;
  }

  /**
   * A state was taken, and waits for what belongs to it.
   *
   * @param encodingMs - how long it took to be encoded
   */
  waits(encodingMs: number): void {
    this.#waiting = true;
    this.#encodedMs = encodingMs;
    this.#encodingMs = encodingMs;
    this.postpone();
  }

  /** What belongs to the state is there, or too much. */
  goesOn(): void {
    this.#waiting = false;
  }

  /** It couldn't be saved when it was due: the next time is an interval from now. */
  postpone(): void {
    this.#lastAt = this.#clock.monotonic();
    this.#waitMs = this.#policy.everyMs;
  }

  /** True if changes since the last checkpoint are enough; otherwise the next one has to be whole. */
  get takesChanges(): boolean {
    const chain = this.#chain;
    const { belowBytes, changesShare, changesMost } = this.#whole;
    return (
      chain !== undefined &&
      chain.baseBytes >= belowBytes &&
      chain.changes < changesMost &&
      chain.changesBytes <= chain.baseBytes * changesShare
    );
  }

  /**
   * Saves a snapshot. It is encoded before this returns: the state goes on changing.
   *
   * @param isChanges - the snapshot's state is what has changed since the last checkpoint
   * @returns whether the checkpoint is of use, once it is in the store; not for a channel that was ended while its state was taken, which
   * would be one without inputs
   */
  save(
    snapshot: ChannelSnapshot,
    positions: CheckpointPositions,
    workMs: number,
    isChanges: boolean,
  ): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    const { seq } = snapshot;
    // A store may answer in any order: an older checkpoint that comes after a newer one would take its place.
    const before = this.#saving ? this.#last : undefined;
    this.#saving = true;
    this.#lastSeq = seq;
    this.#lastWorkMs = workMs;
    const startedAt = this.#clock.monotonic();
    const head = { ...positions, changes: isChanges ? this.#changesSince() : undefined };
    const bytes = packCheckpoint(head, (room) => encodeSnapshot(snapshot, room));
    this.#lastAt = this.#clock.monotonic();
    this.#waitMs = this.#policy.everyMs;
    this.#encodingMs = this.#encodedMs + this.#lastAt - startedAt;
    this.#extend(seq, bytes.byteLength, isChanges);
    const save = (): Promise<boolean> => this.#lineage.saveCheckpoint(this.#log, seq, bytes, head);
    const saved = before === undefined ? save() : before.then(save);
    this.#last = saved.then(
      (usable) => {
        this.#saving = false;
        if (!usable) this.#chain = undefined;
        return usable;
      },
      (error: unknown) => {
        if (!this.#stopped) this.#failed(error);
        return false;
      },
    );
    return this.#last;
  }

  stop(): void {
    this.#stopped = true;
  }

  #changesSince(): ChangesSince | undefined {
    const chain = this.#chain;
    return chain === undefined ? undefined : { base: chain.base, previous: chain.previous };
  }

  #extend(seq: number, bytes: number, isChanges: boolean): void {
    const chain = this.#chain;
    if (chain === undefined || !isChanges) {
      this.#chain = { base: seq, baseBytes: bytes, previous: seq, changes: 0, changesBytes: 0 };
      return;
    }
    chain.previous = seq;
    chain.changes++;
    chain.changesBytes += bytes;
  }
}
