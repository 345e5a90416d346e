// States that are saved by what has changed in them, on every topology: after a failure, channels go on from a whole state and the
// changes on top of it.

import { appendFileSync, existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import {
  defineFlow,
  hash,
  numbers,
  reader,
  run,
  type ExecutionEvent,
  type Incremental,
  type Operator,
  type Reader,
  type Stateful,
  type Task,
} from "../../lib/index.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { Everywhere } from "./everywhere.ts";
import { texts } from "./given.ts";

const checkpointEveryMs = 5;
const test = suite("states with changes on every topology");
const everywhere = new Everywhere(test, { store: "memory", checkpointEveryMs });
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-spec-changes-"));
test.after(() => rm(folder, { recursive: true, force: true }));

type Entry = { readonly key: number; readonly text: string };
type Counts = Map<number, { readonly text: string; readonly count: number }>;

const keys = 6000;
// The state is large after the first pieces; then little of it changes with each.
const largePieces = 6;
const smallPieces = 400;
const smallPiece = 10;
const total = keys + smallPieces * smallPiece;
const entryOf = (n: number): Entry => ({ key: n % keys, text: `a text of some length, which is that of ${n % keys}` });

/** Entries in pieces; small ones take their time until a channel has gone on from changes, so that states are saved meanwhile. */
function paced(applied: string): Reader<Entry> {
  return reader({
    kind: "paced",
    splits: () => [0],
    async *read() {
      for (let from = 0; from < total;) {
        const small = from >= keys;
        if (small && !existsSync(applied)) await wait(10);
        const size = small ? smallPiece : keys / largePieces;
        yield run(Array.from({ length: size }, (_, at) => entryOf(from + at)));
        from += size;
      }
    },
  });
}

/** Fails where the file isn't there, which is there from then on: in one channel, though several come to it at once. */
function failOnce(file: string): void {
  try {
    writeFileSync(file, "", { flag: "wx" });
  } catch {
    return;
  }
  throw new Error("not at the first time");
}

/** Counts. Once it was asked for its changes twice, so that some may be saved, it fails, until there is one that has been given changes. */
class Tally implements Operator<{ in: Entry }, string>, Stateful<Counts>, Incremental<Counts> {
  #counts: Counts = new Map();
  #changed: Counts = new Map();
  #asked = 0;
  /** Is there once changes have been applied. */
  readonly #applied: string;

  constructor(applied: string) {
    this.#applied = applied;
  }

  execute({ objects }: Task<{ in: Entry }>): void {
    if (this.#asked > 1 && !existsSync(this.#applied)) throw new Error("not before changes were applied");
    for (const { key, text } of objects) {
      const counted = { text, count: (this.#counts.get(key)?.count ?? 0) + 1 };
      this.#counts.set(key, counted);
      this.#changed.set(key, counted);
    }
  }

  done(): readonly string[] {
    return [...this.#counts].map(([key, { text, count }]) => `${key} ${text} ${count}`);
  }

  snapshot(): Counts {
    this.#changed = new Map();
    return this.#counts;
  }

  restore(counts: Counts): void {
    this.#counts = counts;
  }

  changes(): Counts {
    this.#asked++;
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }

  apply(changed: Counts): void {
    if (changed.size > 0) appendFileSync(this.#applied, "");
    for (const [key, counted] of changed) this.#counts.set(key, counted);
  }
}

const counted = defineFlow(import.meta.url, (q, { target }: { target: string }) => {
  const entries = q.read("paced", paced(join(target, "applied")));
  const failing = (step: string): void => {
    if (existsSync(join(target, "applied"))) failOnce(join(target, `failed-${step}`));
  };
  return {
    tally: entries
      .partition(hash("key"))
      .apply("tally", () => new Tally(join(target, "applied")), { channels: 2 })
      .collect(),
    sums: entries
      .reduceByKey(
        "sums",
        ({ key }) => key,
        () => "",
        (_, { text }) => {
          failing("sums");
          return text;
        },
      )
      .collect(),
    joined: entries
      .streamingJoin(
        "joined",
        q.read("few", numbers(0, keys, { step: 60 })).map("row", (key) => ({ key })),
        {
          left: "key",
          right: "key",
          combine: ({ text }) => {
            failing("joined");
            return text;
          },
        },
      )
      .collect(),
  };
});

everywhere.each("a channel that fails goes on from its state and the changes that were saved", async (on) => {
  const target = join(folder, "run");
  await mkdir(target);
  const failed = new Set<string>();
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "task-failed") failed.add(event.step);
  };
  const { tally, sums, joined } = await counted.run({ target }, { on, checkpointEveryMs, onEvent });
  assert.equal([...failed].toSorted(), ["joined", "sums", "tally"]);
  assert.ok(existsSync(join(target, "applied")), "changes were restored");
  const all = Array.from({ length: total }, (_, n) => entryOf(n));
  const once = all.slice(0, keys);
  const count = (key: number): number => (key < total - keys ? 2 : 1);
  assert.equal(texts(tally), texts(once.map(({ key, text }) => `${key} ${text} ${count(key)}`)));
  assert.equal(texts(sums), texts(once.map(({ key, text }) => ({ key, value: text }))));
  assert.equal(texts(joined), texts(all.filter(({ key }) => key % 60 === 0).map(({ text }) => text)));
  await rm(target, { recursive: true });
});

test.run();
