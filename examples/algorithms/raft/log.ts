/** What a follower is given: an entry of the log, in the term of the leader that took it in. */
export type Entry = { readonly term: number } & (
  | { readonly kind: "start" }
  | { readonly kind: "command"; readonly client: string; readonly seq: number; readonly operation: Operation }
  | { readonly kind: "members"; readonly members: readonly string[] }
);

export type Operation =
  | { readonly kind: "put"; readonly key: string; readonly value: number }
  | { readonly kind: "swap"; readonly key: string; readonly from: number | undefined; readonly to: number };

/** The state that the log makes: values by key, and for each client the number and result of its last command. */
export interface Applied {
  readonly values: ReadonlyMap<string, number>;
  readonly sessions: ReadonlyMap<string, { readonly seq: number; readonly done: boolean }>;
  readonly members: readonly string[];
}

/** Everything up to `index`, in place of the entries. */
export interface Snapshot extends Applied {
  readonly index: number;
  readonly term: number;
}

/** A log whose beginning a snapshot has taken the place of. Indexes count from 1. */
export class Log {
  snapshot: Snapshot;
  #entries: Entry[];

  constructor(snapshot: Snapshot, entries: readonly Entry[] = []) {
    this.snapshot = snapshot;
    this.#entries = [...entries];
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get lastIndex(): number {
    return this.snapshot.index + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.snapshot.term;
  }

  at(index: number): Entry | undefined {
    return this.#entries[index - this.snapshot.index - 1];
  }

  /** Term of an entry; undefined where there is none, or a snapshot has taken its place. */
  termAt(index: number): number | undefined {
    return index === this.snapshot.index ? this.snapshot.term : this.at(index)?.term;
  }

  after(index: number): readonly Entry[] {
    return this.#entries.slice(index - this.snapshot.index);
  }

  append(entry: Entry): number {
    this.#entries.push(entry);
    return this.lastIndex;
  }

  /** Takes entries that follow an index: what differs from them, and all behind it, goes. What doesn't, stays. */
  take(previous: number, entries: readonly Entry[]): void {
    for (const [offset, entry] of entries.entries()) {
      const index = previous + 1 + offset;
      if (index <= this.snapshot.index || this.termAt(index) === entry.term) continue;
      this.#entries.length = index - this.snapshot.index - 1;
      this.#entries.push(entry);
    }
  }

  /** Puts a snapshot in the place of what is before it. */
  compact(snapshot: Snapshot): void {
    const isPart = this.termAt(snapshot.index) === snapshot.term;
    this.#entries = isPart ? [...this.after(snapshot.index)] : [];
    this.snapshot = snapshot;
  }

  /** The members that count: those of the newest entry that has any, committed or not. */
  get members(): readonly string[] {
    for (let at = this.#entries.length - 1; at >= 0; at--) {
      const entry = this.#entries[at];
      if (entry?.kind === "members") return entry.members;
    }
    return this.snapshot.members;
  }
}

/** The state after one more entry. A command that a client sent again changes nothing. */
export function apply(state: Applied, entry: Entry): Applied {
  if (entry.kind === "members") return { ...state, members: entry.members };
  if (entry.kind === "start" || (state.sessions.get(entry.client)?.seq ?? 0) >= entry.seq) return state;
  const { client, seq, operation } = entry;
  const done = operation.kind === "put" || state.values.get(operation.key) === operation.from;
  const values = new Map(state.values);
  if (done) values.set(operation.key, operation.kind === "put" ? operation.value : operation.to);
  return { ...state, values, sessions: new Map(state.sessions).set(client, { seq, done }) };
}
