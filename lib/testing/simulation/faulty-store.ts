import type {
  ChannelCommit,
  ChannelProgress,
  CommitAnswer,
  ExecutionStatus,
  FencedChannel,
  LineageStore,
  StoredExecution,
} from "../../core/contracts/lineage-store.ts";
import { QStreamError } from "../../core/errors.ts";
import { delay, type Clock } from "../../core/seam/clock.ts";
import type { Random } from "../../core/seam/random.ts";
import type { Trace } from "./trace.ts";

export interface FaultyStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Makes an empty store that holds everything in memory. */
  readonly make: () => LineageStore;
  readonly trace?: Trace | undefined;
  /** Milliseconds that a call takes at most. */
  readonly mostMs?: number;
  /** Milliseconds after which a call that isn't answered ends in STORE_UNAVAILABLE. */
  readonly timeoutMs?: number;
  /** Called as soon as a call is made, and when its answer is about to leave the store. */
  readonly onCall?: (name: StoreCall, moment: "begun" | "answered") => void;
  /** Who sees what the store has done for an execution, at the moment at which it is done. */
  readonly observerOf?: ((execution: string) => StoreObserver | undefined) | undefined;
  /** Another process can go on with what is in it: what sinks have written isn't removed where an execution ends. Default false. */
  readonly outlives?: boolean;
  /** The store is what it was earlier: nothing that was seen before need hold. */
  readonly onForgotten?: () => void;
}

/** Who sees what a simulated store does for an execution. */
export interface StoreObserver {
  committed: (commits: readonly ChannelCommit[], answers: readonly CommitAnswer[]) => void;
  read: (channel: number, records: readonly { readonly seq: number; readonly record: Uint8Array }[]) => void;
  saved: (channel: number, seq: number, bytes: Uint8Array, answer: CommitAnswer) => void;
  fenced: (channels: readonly FencedChannel[]) => void;
  freed: (channel: number, recordsThrough: number, checkpointsBefore: number) => void;
  /** A checkpoint of a channel is damaged. */
  damaged: (channel: number) => void;
  /** A checkpoint is being saved, or something freed: what that leads to isn't over until it is answered. */
  asked: (what: string) => void;
  answered: (what: string) => void;
}

export type StoreCall = Exclude<keyof LineageStore, "kind" | "close">;

/** Between whoever calls and the store. */
interface Connection {
  open: boolean;
}

interface KeptCheckpoint {
  readonly execution: string;
  readonly channel: number;
  readonly seq: number;
}

interface Write {
  readonly atMs: number;
  readonly apply: (store: LineageStore) => Promise<unknown>;
}

const mostMsDefault = 2;
const timeoutMsDefault = 100;
// A bound on what is kept to make the store again as it was.
const writesMax = 1_000_000;

/**
 * A lineage store in the simulated world. Calls take a while, one after the other as on one connection; they can time out
 * with or without having been done (or be done later), the store can be away, and it can forget what it was told last.
 */
export class FaultyStore implements LineageStore {
  readonly kind: string;
  readonly #options: FaultyStoreOptions;
  #store: LineageStore;
  #writes: Write[] = [];
  #timeouts = 0;
  #away = false;
  #connection: Connection = { open: true };
  #lastMs = 0;
  #followedCalls = 0;
  /** Executions that were removed, or are being removed. */
  readonly #dropped = new Set<string>();
  /** How often the store forgot something. */
  #forgotten = 0;
  /** Those that were to be, and may still be there: nobody was told that they aren't, or the store has forgotten it. */
  readonly #remaining = new Set<string>();
  /** Newest checkpoint of each channel, by execution and number. */
  readonly #newest = new Map<string, KeptCheckpoint>();
  /** The checkpoint of each channel that is damaged: one at most, as the engine keeps one to spare. */
  readonly #damaged = new Map<string, number>();

  constructor(options: FaultyStoreOptions) {
    this.#options = options;
    this.kind = options.outlives === true ? "simulated" : "memory";
    this.#store = options.make();
  }

  /** The next calls time out. Chance decides whether each is done, isn't, or is done after its caller has given up. */
  timeOut(calls: number): void {
    this.#timeouts += calls;
  }

  /** Calls end in STORE_UNAVAILABLE until it is back. */
  leave(): void {
    this.#away = true;
  }

  comeBack(): void {
    this.#away = false;
  }

  /** Whoever calls is dead: no call is answered any more, and what the store hasn't begun isn't done. */
  disconnect(): void {
    this.#connection.open = false;
  }

  /** Somebody else calls from now on. */
  connect(): void {
    this.#connection = { open: true };
  }

  /** An execution was to be removed, and may still be there. */
  get mayRemain(): boolean {
    return this.#remaining.size > 0;
  }

  /** The newest checkpoint of a channel can't be loaded any more. Returns which, or undefined where there is none yet. */
  damageCheckpoint(chance: number): { readonly channel: number; readonly seq: number } | undefined {
    const candidates = [...this.#newest].filter(([key]) => !this.#damaged.has(key));
    const chosen = candidates[Math.floor(chance * candidates.length)];
    if (chosen === undefined) return undefined;
    const [key, { execution, channel, seq }] = chosen;
    this.#damaged.set(key, seq);
    this.#observer(execution)?.damaged(channel);
    return { channel, seq };
  }

  heal(): void {
    this.#away = false;
    this.#timeouts = 0;
  }

  /** The store is again what it was some milliseconds ago. Returns how many writes are forgotten. */
  async forget(ms: number): Promise<number> {
    const until = this.#options.clock.monotonic() - ms;
    const kept = this.#writes.filter(({ atMs }) => atMs <= until);
    const forgotten = this.#writes.length - kept.length;
    const store = this.#options.make();
    // Everything is in memory: this is over before any time passes.
    this.#writes = kept;
    this.#store = store;
    this.#forgotten++;
    for (const execution of this.#dropped) this.#remaining.add(execution);
    this.#options.onForgotten?.();
    for (const { apply } of kept) {
      // oxlint-disable-next-line no-await-in-loop -- in the order in which it was written; what failed fails again
      await apply(store).catch(() => {});
    }
    return forgotten;
  }

  create(execution: string, description: Uint8Array, channels: number, createdAt: number): Promise<void> {
    return this.#write("create", (store) => store.create(execution, description, channels, createdAt));
  }

  find(execution: string): Promise<StoredExecution | undefined> {
    return this.#read("find", (store) => store.find(execution));
  }

  list(): Promise<readonly StoredExecution[]> {
    return this.#read("list", (store) => store.list());
  }

  setStatus(execution: string, status: ExecutionStatus): Promise<void> {
    return this.#write("setStatus", (store) => store.setStatus(execution, status));
  }

  async drop(execution: string): Promise<void> {
    this.#remaining.add(execution);
    this.#dropped.add(execution);
    const forgotten = this.#forgotten;
    await this.#write("drop", (store) => store.drop(execution));
    // Where the store has forgotten something since, that may have been it.
    if (forgotten === this.#forgotten) this.#remaining.delete(execution);
  }

  commit(execution: string, commits: readonly ChannelCommit[]): Promise<readonly CommitAnswer[]> {
    const own = structuredClone(commits);
    return this.#write("commit", async (store) => {
      const answers = await store.commit(execution, own);
      this.#observer(execution)?.committed(own, answers);
      return answers;
    });
  }

  read(
    execution: string,
    channel: number,
    afterSeq: number,
    max: number,
  ): Promise<readonly { readonly seq: number; readonly record: Uint8Array }[]> {
    return this.#read("read", async (store) => {
      const records = await store.read(execution, channel, afterSeq, max);
      this.#observer(execution)?.read(channel, records);
      return records;
    });
  }

  saveCheckpoint(
    execution: string,
    channel: number,
    generation: number,
    seq: number,
    bytes: Uint8Array,
  ): Promise<CommitAnswer> {
    const own = bytes.slice();
    return this.#followed(execution, `checkpoint ${channel}:${seq}`, "saveCheckpoint", async (store) => {
      const answer = await store.saveCheckpoint(execution, channel, generation, seq, own);
      this.#observer(execution)?.saved(channel, seq, own, answer);
      if (answer === "committed") this.#newest.set(keyOf(execution, channel), { execution, channel, seq });
      return answer;
    });
  }

  loadCheckpoint(execution: string, channel: number, seq: number): Promise<Uint8Array | undefined> {
    return this.#read("loadCheckpoint", async (store) =>
      this.#damaged.get(keyOf(execution, channel)) === seq ? undefined : store.loadCheckpoint(execution, channel, seq),
    );
  }

  fence(execution: string, channels: readonly number[]): Promise<readonly FencedChannel[]> {
    const own = [...channels];
    return this.#write("fence", async (store) => {
      const fenced = await store.fence(execution, own);
      this.#observer(execution)?.fenced(fenced);
      return fenced;
    });
  }

  free(execution: string, channel: number, recordsThrough: number, checkpointsBefore: number): Promise<void> {
    const what = `free ${channel}:${recordsThrough}:${checkpointsBefore}`;
    return this.#followed(execution, what, "free", async (store) => {
      await store.free(execution, channel, recordsThrough, checkpointsBefore);
      this.#observer(execution)?.freed(channel, recordsThrough, checkpointsBefore);
    });
  }

  countFailure(execution: string, channel: number, seq: number, cause: string): Promise<number> {
    return this.#write("countFailure", (store) => store.countFailure(execution, channel, seq, cause));
  }

  progress(execution: string, channel: number): Promise<ChannelProgress> {
    return this.#read("progress", (store) => store.progress(execution, channel));
  }

  bytesHeld(): Promise<number> {
    return this.#read("bytesHeld", (store) => store.bytesHeld());
  }

  /** What it holds can still be looked at. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What the store holds, without any time passing: for whoever looks after a simulation. */
  look(): Promise<readonly StoredExecution[]> {
    return this.#store.list();
  }

  #read<T>(name: StoreCall, action: (store: LineageStore) => Promise<T>): Promise<T> {
    return this.#call(name, () => action(this.#store));
  }

  /** A call that is repeated until it is answered. */
  async #followed<T>(
    execution: string,
    what: string,
    name: StoreCall,
    action: (store: LineageStore) => Promise<T>,
  ): Promise<T> {
    const observer = this.#observer(execution);
    // Another life may ask for the same.
    const call = `${what}, call ${++this.#followedCalls}`;
    observer?.asked(call);
    const answer = await this.#write(name, action);
    observer?.answered(call);
    return answer;
  }

  #observer(execution: string): StoreObserver | undefined {
    return this.#options.observerOf?.(execution);
  }

  #write<T>(name: StoreCall, action: (store: LineageStore) => Promise<T>): Promise<T> {
    return this.#call(name, () => {
      if (this.#writes.length >= writesMax) {
        throw new QStreamError("LIMIT_EXCEEDED", `the simulated store keeps at most ${writesMax} writes`);
      }
      this.#writes.push({ atMs: this.#options.clock.monotonic(), apply: action });
      return action(this.#store);
    });
  }

  async #call<T>(name: StoreCall, action: () => Promise<T>): Promise<T> {
    const { clock, random, timeoutMs = timeoutMsDefault } = this.#options;
    const connection = this.#connection;
    if (connection.open) this.#options.onCall?.(name, "begun");
    if (!connection.open) return never();
    if (this.#timeouts > 0) {
      this.#timeouts--;
      return this.#timedOut(name, action, timeoutMs, connection);
    }
    await delay(clock, this.#turnMs());
    if (!connection.open) return never();
    this.#refuseAway(name);
    const answer = await action();
    this.#note(name);
    await delay(clock, random() * (this.#options.mostMs ?? mostMsDefault) * 0.5);
    if (!connection.open) return never();
    // It was done, and the answer doesn't come.
    this.#refuseAway(name);
    this.#options.onCall?.(name, "answered");
    return answer;
  }

  async #timedOut(
    name: StoreCall,
    action: () => Promise<unknown>,
    timeoutMs: number,
    connection: Connection,
  ): Promise<never> {
    const { clock, random } = this.#options;
    const chance = Math.floor(random() * 3);
    const laterMs = timeoutMs * (1 + random());
    // A fence that is done after the one that repeats it, or after that of who goes on in the same session, would pass for another
    // process's: the contract has no remedy. So it is done in its turn, or not at all.
    const inTurnMs = name === "fence" && chance < 2 ? this.#turnMs() : undefined;
    const doneAfterMs = name === "fence" ? inTurnMs : [timeoutMs / 2, laterMs][chance];
    if (doneAfterMs !== undefined) {
      clock.after(doneAfterMs, () => {
        if (!connection.open) return;
        this.#note(`${name}, of which its caller doesn't hear`);
        // Nobody waits for it any more, whatever becomes of it.
        if (!this.#away) action().catch(() => {});
      });
    }
    await delay(clock, timeoutMs);
    if (!connection.open) return never();
    this.#note(`${name} timed out`);
    throw unavailable(`${name} wasn't answered within ${timeoutMs} ms`);
  }

  /** Milliseconds until it is the call's turn: none overtakes another. */
  #turnMs(): number {
    const { clock, random, mostMs = mostMsDefault } = this.#options;
    const now = clock.monotonic();
    this.#lastMs = Math.max(this.#lastMs, now + random() ** 2 * mostMs);
    // A little apart, so that no two are done at one time, in any order.
    this.#lastMs += apartMs;
    return this.#lastMs - now;
  }

  #refuseAway(name: StoreCall): void {
    if (!this.#away) return;
    this.#note(`${name}: away`);
    throw unavailable("it is away");
  }

  #note(what: string): void {
    this.#options.trace?.add(this.#options.clock.monotonic(), "store", what);
  }
}

const apartMs = 0.001;

/** What nobody lives to hear. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function unavailable(why: string): QStreamError {
  return new QStreamError("STORE_UNAVAILABLE", `the simulated store can't be reached: ${why}`);
}

function keyOf(execution: string, channel: number): string {
  return `${execution} ${channel}`;
}
