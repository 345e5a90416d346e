import { actor, type ActorReference, type AnyReference, type Deferred } from "qstream";
import { mixed, wholeRun, type Program } from "./program.ts";

interface DictionarySize {
  readonly workers: number;
  /** Reads and writes of each. */
  readonly operations: number;
}

interface DictionaryProtocol {
  add: (entry: Entry) => void;
  read: (key: number) => void;
  checksum: () => number;
}

interface Entry {
  readonly key: number;
  readonly amount: number;
}

const keys = 512;

/** Numbers by key. Answers with messages. */
export const dictionary = actor({
  kind: "dictionary",
  init: () => new Map<number, number>(),
  receive: {
    add(entries, { key, amount }: Entry, ctx) {
      const value = (entries.get(key) ?? 0) + amount;
      entries.set(key, value);
      ctx.sender?.tell("value", value);
    },
    read(entries, key: number, ctx) {
      ctx.sender?.tell("value", entries.get(key) ?? 0);
    },
    checksum: (entries) => checksumOf(entries),
  },
});

interface Reader {
  readonly number: number;
  readonly dictionary: ActorReference<DictionaryProtocol>;
  readonly to: AnyReference;
  done: number;
  readonly operations: number;
}

/** Reads mostly, and writes every fifth time; each time when the last answer is there. */
export const client = actor({
  kind: "client",
  init: (reader: Omit<Reader, "done">): Reader => ({ ...reader, done: 0 }),
  receive: {
    value(state, _value: number, ctx) {
      if (state.done === state.operations) {
        state.to.tell("finished");
        ctx.stop();
        return;
      }
      const drawn = mixed(state.number, state.done++);
      if (isWrite(drawn)) state.dictionary.tell("add", entryOf(drawn));
      else state.dictionary.tell("read", drawn % keys);
    },
  },
});

interface Library {
  left: number;
  readonly dictionary: ActorReference<DictionaryProtocol>;
  done: Deferred<number> | undefined;
}

/** Waits for all clients, and asks for what is in the dictionary then. */
export const librarian = actor({
  kind: "librarian",
  init: ({ clients, entries }: { clients: number; entries: ActorReference<DictionaryProtocol> }): Library => ({
    left: clients,
    dictionary: entries,
    done: undefined,
  }),
  receive: {
    wait(state, _nothing: undefined, ctx) {
      const done = ctx.deferred<number>();
      state.done = done;
      return done;
    },
    async finished(state) {
      if (--state.left === 0) state.done?.send(await state.dictionary.ask("checksum", undefined, wholeRun));
    },
  },
});

/** Many clients of one actor that keeps a dictionary. */
export const concurrentDictionary: Program<DictionarySize, number> = {
  name: "concurrent-dictionary",
  run: (system, { workers, operations }) => {
    const entries = system.spawn(dictionary);
    const waiting = system.spawn(librarian, { clients: workers, entries });
    const done = waiting.ask("wait", undefined, wholeRun);
    for (let number = 0; number < workers; number++) {
      system.spawn(client, { number, dictionary: entries, to: waiting, operations }).tell("value", 0);
    }
    return done;
  },
  plain: ({ workers, operations }) => {
    const entries = new Map<number, number>();
    for (let number = 0; number < workers; number++) {
      for (let operation = 0; operation < operations; operation++) {
        const drawn = mixed(number, operation);
        const { key, amount } = entryOf(drawn);
        if (isWrite(drawn)) entries.set(key, (entries.get(key) ?? 0) + amount);
      }
    }
    return checksumOf(entries);
  },
  small: { workers: 20, operations: 100 },
  large: { workers: 20, operations: 20_000 },
};

function isWrite(drawn: number): boolean {
  return drawn % 5 === 0;
}

function entryOf(drawn: number): Entry {
  return { key: drawn % keys, amount: drawn & 0xff };
}

function checksumOf(entries: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const [key, value] of entries) sum += (key + 1) * value;
  return sum;
}
