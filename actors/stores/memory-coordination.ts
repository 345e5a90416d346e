import type {
  Campaign,
  Coordination,
  KeptCluster,
  KeptExecution,
  SubmittedExecution,
} from "../../lib/core/contracts/coordination.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { bundleGone, headDeposed } from "./cluster-errors.ts";

interface Leader {
  readonly head: string;
  readonly url: string;
  readonly epoch: number;
  untilMs: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What is kept of ended executions. */
const endedMax = 100;
const endBytesMax = 256 << 20;
const measuredMax = 256;
/** Of bundles, in such pieces. */
const piecesMax = 512;
const pieceBytes = 1 << 20;
const bundleKeptMs = 600_000;
// Heads aren't told of machines that ended two leases ago, and know those that they were told of for two more.
const forgottenLeases = 5;
const nothing = new Uint8Array();

/** What the heads of one cluster share, in the memory of a process. */
export class CoordinationBoard {
  readonly clock: Clock;
  leader: Leader | undefined;
  readonly machines = new Map<string, { description: string; untilMs: number }>();
  readonly executions = new Map<string, Mutable<KeptExecution>>();
  /** When each of those that are over ended. */
  readonly ended = new Map<string, number>();
  readonly leftovers = new Set<string>();
  /** The flow that was done last is the last. */
  readonly measures = new Map<string, string>();
  readonly bundles = new Map<string, { readonly bytes: Uint8Array; usedMs: number }>();

  constructor(clock: Clock) {
    this.clock = clock;
  }
}

/**
 * One head's access to what heads share, for heads in one process: what holds of it holds of the one in Redis, by one suite of
 * specs. Each call is done at once.
 */
export class MemoryCoordination implements Coordination {
  readonly #board: CoordinationBoard;
  readonly #head: string;
  #epoch = 0;

  /** @param head - a name that no other head, and no other life of this one, has */
  constructor(board: CoordinationBoard, head: string) {
    this.#board = board;
    this.#head = head;
  }

  async campaign(url: string, leaseMs: number, above = 0): Promise<Campaign> {
    const { leader } = this.#board;
    if (leader !== undefined && leader.head !== this.#head && leader.untilMs > this.#now) {
      return { leads: false, leader: leader.url };
    }
    this.#epoch = Math.max(leader?.epoch ?? 0, above) + 1;
    this.#board.leader = { head: this.#head, url, epoch: this.#epoch, untilMs: this.#now + leaseMs };
    return { leads: true, epoch: this.#epoch };
  }

  async renew(leaseMs: number, machines: readonly string[]): Promise<void> {
    this.#lead().untilMs = this.#now + leaseMs;
    for (const id of machines) {
      const machine = this.#board.machines.get(id);
      if (machine !== undefined) machine.untilMs = this.#now + leaseMs;
    }
    for (const [id, { untilMs }] of this.#board.machines) {
      if (untilMs <= this.#now - forgottenLeases * leaseMs) this.#board.machines.delete(id);
    }
  }

  async resign(): Promise<void> {
    this.#lead().untilMs = 0;
  }

  async machine(leaseMs: number, id: string, description: string): Promise<void> {
    this.#lead();
    this.#board.machines.set(id, { description, untilMs: this.#now + leaseMs });
  }

  async machineGone(id: string): Promise<void> {
    this.#lead();
    this.#board.machines.delete(id);
  }

  async putBundle(hash: string, bytes: Uint8Array): Promise<void> {
    this.#lead();
    const { bundles } = this.#board;
    bundles.delete(hash);
    bundles.set(hash, { bytes: bytes.slice(), usedMs: this.#now });
    const used = this.#usedBundles();
    const newestFirst = [...bundles].toReversed().toSorted(([, left], [, right]) => right.usedMs - left.usedMs);
    let pieces = 0;
    for (const [other, kept] of newestFirst) {
      pieces += Math.max(1, Math.ceil(kept.bytes.byteLength / pieceBytes));
      if (pieces > piecesMax && other !== hash && !used.has(other)) bundles.delete(other);
    }
  }

  async bundle(hash: string): Promise<Uint8Array | undefined> {
    return this.#board.bundles.get(hash)?.bytes.slice();
  }

  async submit(one: SubmittedExecution): Promise<void> {
    this.#lead();
    const { executions, bundles } = this.#board;
    const bundle = bundles.get(one.bundle);
    if (bundle === undefined) throw bundleGone();
    if (executions.has(one.execution)) return;
    const submission = one.submission.slice();
    const begun = { status: "running", cancel: undefined, end: nothing, driver: 1, begun: false };
    executions.set(one.execution, { ...one, submission, ...begun });
    bundle.usedMs = this.#now;
  }

  async resume(one: SubmittedExecution, driver: number): Promise<boolean> {
    this.#lead();
    const { executions, bundles, ended, leftovers } = this.#board;
    const bundle = bundles.get(one.bundle);
    if (bundle === undefined) throw bundleGone();
    const kept = executions.get(one.execution);
    if (kept?.status === "running") return kept.driver === driver;
    if (kept !== undefined && kept.driver >= driver) return false;
    const submission = one.submission.slice();
    const again = { status: "running", cancel: undefined, end: nothing, driver, begun: false };
    executions.set(one.execution, { ...one, submission, ...again });
    bundle.usedMs = this.#now;
    ended.delete(one.execution);
    leftovers.delete(one.execution);
    return true;
  }

  async driver(execution: string, number: number, begins = false): Promise<boolean> {
    const kept = this.#running(execution);
    if (kept === undefined || kept.driver > number) return false;
    kept.driver = number;
    if (begins) kept.begun = true;
    return true;
  }

  async cancel(execution: string, reason: string): Promise<void> {
    const kept = this.#running(execution);
    if (kept !== undefined) kept.cancel = reason;
  }

  async end(execution: string, driver: number, status: string, end: Uint8Array, endedAt: number): Promise<boolean> {
    const kept = this.#running(execution);
    if (kept === undefined) return this.#hasEnded(execution, driver, status, end);
    if (kept.driver !== driver) return false;
    Object.assign(kept, { status, end: end.slice(), submission: nothing, cancel: undefined });
    this.#board.leftovers.add(execution);
    this.#board.ended.set(execution, endedAt);
    this.#forgetEnded();
    this.#forgetBundles();
    return true;
  }

  /** Whoever didn't get the answer asks again. */
  #hasEnded(execution: string, driver: number, status: string, end: Uint8Array): boolean {
    const kept = this.#board.executions.get(execution);
    return kept?.driver === driver && kept.status === status && Buffer.compare(kept.end, end) === 0;
  }

  async keepMeasures(flow: string, measures: string): Promise<void> {
    this.#lead();
    const { measures: kept } = this.#board;
    kept.delete(flow);
    kept.set(flow, measures);
    for (const oldest of kept.keys()) {
      if (kept.size <= measuredMax) return;
      kept.delete(oldest);
    }
  }

  async tidied(execution: string): Promise<void> {
    this.#lead();
    this.#board.leftovers.delete(execution);
  }

  async load(graceMs: number): Promise<KeptCluster> {
    const { machines, executions, leftovers, measures } = this.#board;
    const from = this.#now - graceMs;
    return {
      machines: [...machines.values()]
        .filter(({ untilMs }) => untilMs >= from)
        .toSorted((left, right) => left.untilMs - right.untilMs)
        .map(({ description }) => description),
      executions: [...executions.values()]
        .toSorted((left, right) => left.submittedAt - right.submittedAt || compare(left.execution, right.execution))
        .map(({ execution }) => execution),
      leftovers: [...leftovers],
      measures: [...measures].map(([flow, kept]) => ({ flow, measures: kept })),
    };
  }

  async execution(execution: string): Promise<KeptExecution | undefined> {
    const kept = this.#board.executions.get(execution);
    return kept === undefined ? undefined : { ...kept };
  }

  close(): void {}

  get #now(): number {
    return this.#board.clock.now();
  }

  /** @throws QStreamError HEAD_DEPOSED */
  #lead(): Leader {
    const { leader } = this.#board;
    if (leader?.head !== this.#head || leader.epoch !== this.#epoch) throw headDeposed();
    return leader;
  }

  /** An execution that this head may write to, as long as it isn't over. */
  #running(execution: string): Mutable<KeptExecution> | undefined {
    this.#lead();
    const kept = this.#board.executions.get(execution);
    return kept?.status === "running" ? kept : undefined;
  }

  /** The latest end stays, however large it is. */
  #forgetEnded(): void {
    const { ended, executions } = this.#board;
    const newestFirst = [...ended].toSorted((left, right) => right[1] - left[1] || compare(right[0], left[0]));
    let bytes = 0;
    newestFirst.forEach(([execution], index) => {
      bytes += executions.get(execution)?.end.byteLength ?? 0;
      if (index === 0 || (index < endedMax && bytes <= endBytesMax)) return;
      executions.delete(execution);
      ended.delete(execution);
    });
  }

  #usedBundles(): ReadonlySet<string> {
    const { executions } = this.#board;
    return new Set([...executions.values()].flatMap((kept) => (kept.status === "running" ? [kept.bundle] : [])));
  }

  #forgetBundles(): void {
    const { bundles } = this.#board;
    const used = this.#usedBundles();
    for (const [hash, { usedMs }] of bundles) {
      if (usedMs <= this.#now - bundleKeptMs && !used.has(hash)) bundles.delete(hash);
    }
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
