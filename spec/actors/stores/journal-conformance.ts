import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { ActorJournal, JournalEntry } from "../../../lib/core/contracts/actor-journal.ts";
import type { Suite } from "../../kit/suite.ts";
import { refuses } from "./conformance.ts";
import { bytesOf, records } from "./store-under-test.ts";

/** How a journal is made for the tests that all journals have to pass. */
export interface JournalUnderTest {
  /** Opens it: a journal of the same place each time. */
  readonly open: () => Promise<ActorJournal>;
  /** True if what was written is there when it is opened again. */
  readonly survives: boolean;
}

let actors = 0;

/** A name that no other test has used. */
function newActor(): string {
  return `account/${process.pid}-${++actors}`;
}

function entryOf(actor: string, generation: number, firstSeq: number, count: number): JournalEntry {
  return { actor, generation, firstSeq, records: records(count, firstSeq) };
}

async function recordsOf(journal: ActorJournal, actor: string, afterSeq = -1): Promise<[number, Uint8Array][]> {
  const all: [number, Uint8Array][] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one part after the other
    const some = await journal.read(actor, all.at(-1)?.[0] ?? afterSeq);
    if (some.length === 0) return all;
    for (const { seq, record } of some) all.push([seq, new Uint8Array(record)]);
  }
}

function expected(first: number, count: number): [number, Uint8Array][] {
  return records(count, first).map((record, index) => [first + index, record]);
}

/** The tests that every journal has to pass. */
export function testJournal(test: Suite, under: JournalUnderTest): void {
  const withJournal = (body: (journal: ActorJournal, actor: string) => Promise<void>) => async (): Promise<void> => {
    const journal = await under.open();
    try {
      await body(journal, newActor());
    } finally {
      await journal.close();
    }
  };
  testRecords(test, withJournal);
  testSnapshots(test, withJournal);
  testGenerations(test, withJournal, under);
  testAwake(test, withJournal);
  if (under.survives) testReopening(test, under);
  testAgainstModel(test, under);
}

type WithJournal = (body: (journal: ActorJournal, actor: string) => Promise<void>) => () => Promise<void>;

function testRecords(test: Suite, withJournal: WithJournal): void {
  test(
    "an actor that isn't there has no records; what is appended is read in its order",
    withJournal(async (journal, actor) => {
      const [claimed] = await journal.claim([actor]);
      assert.equal(claimed, { generation: 1, lastSeq: -1, snapshot: undefined, isAwake: false });
      assert.equal(await journal.append([entryOf(actor, 1, 0, 3)]), ["committed"]);
      assert.equal(await journal.append([entryOf(actor, 1, 3, 2), entryOf(actor, 1, 5, 4)]), [
        "committed",
        "committed",
      ]);
      assert.equal(await recordsOf(journal, actor), expected(0, 9));
      assert.equal(await recordsOf(journal, actor, 6), expected(7, 2));
      assert.equal(await recordsOf(journal, actor, 8), []);
    }),
  );
  test(
    "an entry that comes again changes nothing, nor does one that comes too late; a gap is refused",
    withJournal(async (journal, actor) => {
      await journal.claim([actor]);
      await journal.append([entryOf(actor, 1, 0, 3)]);
      assert.equal(await journal.append([entryOf(actor, 1, 0, 3)]), ["committed"]);
      await journal.append([{ ...entryOf(actor, 1, 3, 1), isAwake: true }]);
      assert.equal(await journal.append([{ ...entryOf(actor, 1, 0, 3), isAwake: false }]), ["committed"]);
      assert.ok((await journal.awake()).includes(actor));
      await refuses("LINEAGE_REGRESSED", () => journal.append([entryOf(actor, 1, 5, 1)]));
      assert.equal(await recordsOf(journal, actor), expected(0, 4));
    }),
  );
  test(
    "many actors are written together, with records of all sizes",
    withJournal(async (journal, actor) => {
      const names = Array.from({ length: 1500 }, (_, index) => `${actor}-${index}`);
      const claimed = await journal.claim(names);
      assert.is(claimed.length, names.length);
      const large = { actor: names[0] ?? "", generation: 1, firstSeq: 0, records: [bytesOf(3_000_000), bytesOf(10)] };
      await journal.append([large, ...names.slice(1).map((name) => entryOf(name, 1, 0, 2))]);
      assert.equal(await recordsOf(journal, names[1499] ?? ""), expected(0, 2));
      assert.equal(
        (await recordsOf(journal, names[0] ?? "")).map(([, { byteLength }]) => byteLength),
        [3_000_000, 10],
      );
    }),
  );
  test(
    "names of any characters and length are told apart",
    withJournal(async (journal, actor) => {
      const odd = ["é", "\u0000", "\u0001", "😀", " ", "#", "/", "x".repeat(1000), "y".repeat(1000)];
      const names = odd.map((text) => `${actor}/${text}`);
      await journal.claim(names);
      await journal.append(names.map((name, index) => ({ ...entryOf(name, 1, 0, index + 1), isAwake: true })));
      for (const [index, name] of names.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- in order
        assert.is((await recordsOf(journal, name)).length, index + 1, name.slice(0, 40));
      }
      const awake = await journal.awake();
      assert.equal(
        names.filter((name) => !awake.includes(name)),
        [],
      );
    }),
  );
}

function testSnapshots(test: Suite, withJournal: WithJournal): void {
  test(
    "a snapshot takes the place of the records that it stands on, also of those written with it",
    withJournal(async (journal, actor) => {
      await journal.claim([actor]);
      await journal.append([entryOf(actor, 1, 0, 5)]);
      const snapshot = { seq: 6, bytes: bytesOf(100) };
      await journal.append([{ ...entryOf(actor, 1, 5, 4), snapshot }]);
      const [claimed] = await journal.claim([actor]);
      assert.equal(claimed, { generation: 2, lastSeq: 8, snapshot, isAwake: false });
      assert.equal(await recordsOf(journal, actor, 6), expected(7, 2));
      const last = { seq: 8, bytes: bytesOf(200_000, 2) };
      await journal.append([{ ...entryOf(actor, 2, 9, 0), snapshot: last }]);
      const [again] = await journal.claim([actor]);
      assert.equal([again?.lastSeq, again?.snapshot], [8, last]);
      assert.equal(await recordsOf(journal, actor, 8), []);
      assert.equal(await journal.append([entryOf(actor, 3, 9, 1)]), ["committed"]);
    }),
  );
}

function testGenerations(test: Suite, withJournal: WithJournal, under: JournalUnderTest): void {
  test(
    "whoever claims an actor shuts out those before, and only of this actor",
    withJournal(async (journal, actor) => {
      const other = `${actor}-other`;
      await journal.claim([actor, other]);
      await journal.append([entryOf(actor, 1, 0, 1)]);
      const [claimed] = await journal.claim([actor]);
      assert.is(claimed?.generation, 2);
      const snapshot = { seq: 0, bytes: bytesOf(10) };
      const late = { ...entryOf(actor, 1, 1, 1), snapshot, isAwake: true };
      assert.equal(await journal.append([late, entryOf(other, 1, 0, 1)]), ["fenced", "committed"]);
      assert.equal(await recordsOf(journal, actor), expected(0, 1));
      assert.not((await journal.awake()).includes(actor));
      assert.equal(await journal.append([entryOf(actor, 2, 1, 1)]), ["committed"]);
    }),
  );
  if (!under.survives) return;
  test("somebody else who opened it shuts out as well", async () => {
    const [first, second] = [await under.open(), await under.open()];
    try {
      const actor = newActor();
      await first.claim([actor]);
      await first.append([entryOf(actor, 1, 0, 2)]);
      const [claimed] = await second.claim([actor]);
      assert.equal([claimed?.generation, claimed?.lastSeq], [2, 1]);
      assert.equal(await first.append([entryOf(actor, 1, 2, 1)]), ["fenced"]);
      assert.equal(await second.append([entryOf(actor, 2, 2, 1)]), ["committed"]);
      const [back] = await first.claim([actor]);
      assert.equal([back?.generation, back?.lastSeq], [3, 2]);
      assert.equal(await second.append([entryOf(actor, 2, 3, 1)]), ["fenced"]);
    } finally {
      await first.close();
      await second.close();
    }
  });
}

function testAwake(test: Suite, withJournal: WithJournal): void {
  test(
    "actors with something to do are listed until they have nothing more",
    withJournal(async (journal, actor) => {
      await journal.claim([actor]);
      await journal.append([{ ...entryOf(actor, 1, 0, 1), isAwake: true }]);
      await journal.append([entryOf(actor, 1, 1, 1)]);
      assert.ok((await journal.awake()).includes(actor));
      assert.is((await journal.claim([actor]))[0]?.isAwake, true);
      await journal.append([{ ...entryOf(actor, 2, 2, 0), isAwake: false }]);
      assert.not((await journal.awake()).includes(actor));
    }),
  );
}

function testReopening(test: Suite, under: JournalUnderTest): void {
  test("what was written is there when it is opened again", async () => {
    const actor = newActor();
    const journal = await under.open();
    await journal.claim([actor]);
    const snapshot = { seq: 3, bytes: bytesOf(70_000) };
    await journal.append([{ ...entryOf(actor, 1, 0, 10), snapshot, isAwake: true }]);
    await journal.close();
    const again = await under.open();
    const [claimed] = await again.claim([actor]);
    assert.equal(claimed, { generation: 2, lastSeq: 9, snapshot, isAwake: true });
    assert.equal(await recordsOf(again, actor, 3), expected(4, 6));
    await again.close();
  });
}

/** What is asked of a journal. Seqs are told from where the actor stands, so that what is asked is usually possible. */
interface Append {
  readonly actor: number;
  /** Of the generation before. */
  readonly isStale: boolean;
  /** From the next seq: below 0 repeats, above it leaves a gap. */
  readonly offset: number;
  readonly count: number;
  /** How many transitions before the last one the snapshot stands on; undefined for none. */
  readonly snapshot: number | undefined;
  readonly isAwake: boolean | undefined;
}

type Command = { readonly appends: readonly Append[] } | { readonly claims: readonly number[] } | "reopen";

/** The plainest journal of one actor. */
interface Model {
  generation: number;
  last: number;
  readonly records: Map<number, Uint8Array>;
  snapshot: number | undefined;
  isAwake: boolean;
}

const actorCount = 3;
const append: fc.Arbitrary<Append> = fc.record({
  actor: fc.nat(actorCount - 1),
  isStale: fc.nat(9).map((chance) => chance === 0),
  offset: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  count: fc.nat(8),
  snapshot: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(3) }),
  isAwake: fc.constantFrom(undefined, undefined, true, false),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ appends: fc.array(append, { minLength: 1, maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ claims: fc.uniqueArray(fc.nat(actorCount - 1), { minLength: 1 }) }) },
  { weight: 1, arbitrary: fc.constant("reopen" as const) },
);

function testAgainstModel(test: Suite, under: JournalUnderTest): void {
  test("whatever is asked of it, in whatever order, it answers as the plainest journal there is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 30 }), async (commands) => {
        const run = new Run(await under.open());
        await run.claim([0, 1, 2]);
        for (const next of commands) {
          // oxlint-disable-next-line no-await-in-loop -- in order
          if (next === "reopen") await (under.survives ? run.reopen(under) : undefined);
          // oxlint-disable-next-line no-await-in-loop -- see above
          else await ("claims" in next ? run.claim(next.claims) : run.append(next.appends));
        }
        await run.compare();
      }),
      { numRuns: 40 },
    );
  });
}

class Run {
  #journal: ActorJournal;
  readonly #names = Array.from({ length: actorCount }, newActor);
  readonly #models = Array.from({ length: actorCount }, (): Model => {
    return { generation: 0, last: -1, records: new Map(), snapshot: undefined, isAwake: false };
  });

  constructor(journal: ActorJournal) {
    this.#journal = journal;
  }

  async reopen(under: JournalUnderTest): Promise<void> {
    await this.#journal.close();
    this.#journal = await under.open();
  }

  async claim(numbers: readonly number[]): Promise<void> {
    const claimed = await this.#journal.claim(numbers.map((number) => this.#names[number] ?? ""));
    for (const [index, number] of numbers.entries()) {
      const model = this.#models[number] as Model;
      model.generation++;
      const { generation, lastSeq, snapshot, isAwake } = claimed[index] ?? {};
      const found = { generation, lastSeq, snapshot: snapshot?.seq, isAwake };
      const { last, isAwake: awake, snapshot: seq } = model;
      assert.equal(found, { generation: model.generation, lastSeq: last, snapshot: seq, isAwake: awake });
      if (snapshot !== undefined) assert.equal(new Uint8Array(snapshot.bytes), bytesOf(50, snapshot.seq));
    }
  }

  async append(appends: readonly Append[]): Promise<void> {
    for (const one of appends) {
      // One by one: what is written of a call with a gap is up to the journal.
      const { actor, generation, firstSeq, records: added, snapshot, isAwake } = this.#entry(one);
      const model = this.#models[one.actor] as Model;
      const entry = { actor, generation, firstSeq, records: added, snapshot, isAwake };
      if (generation !== model.generation) {
        // oxlint-disable-next-line no-await-in-loop -- in order
        assert.equal(await this.#journal.append([entry]), ["fenced"]);
      } else if (firstSeq > model.last + 1 && added.length > 0) {
        // oxlint-disable-next-line no-await-in-loop -- in order
        await refuses("LINEAGE_REGRESSED", () => this.#journal.append([entry]));
      } else if (firstSeq <= model.last + 1) {
        // oxlint-disable-next-line no-await-in-loop -- in order
        assert.equal(await this.#journal.append([entry, entry]), ["committed", "committed"]);
        this.#apply(model, entry);
      }
    }
  }

  async compare(): Promise<void> {
    const awake = await this.#journal.awake();
    for (const [number, model] of this.#models.entries()) {
      const name = this.#names[number] ?? "";
      // oxlint-disable-next-line no-await-in-loop -- in order
      assert.equal(await recordsOf(this.#journal, name, model.snapshot ?? -1), [...model.records]);
      assert.is(awake.includes(name), model.isAwake);
    }
    await this.#journal.close();
  }

  #entry({ actor, isStale, offset, count, snapshot, isAwake }: Append): JournalEntry {
    const model = this.#models[actor] as Model;
    const firstSeq = model.last + 1 + offset;
    const seq = snapshot === undefined ? -1 : firstSeq + count - 1 - snapshot;
    return {
      actor: this.#names[actor] ?? "",
      generation: model.generation - (isStale ? 1 : 0),
      firstSeq,
      records: records(count, firstSeq),
      snapshot: seq < 0 || seq < (model.snapshot ?? 0) ? undefined : { seq, bytes: bytesOf(50, seq) },
      isAwake,
    };
  }

  #apply(model: Model, { firstSeq, records: added, snapshot, isAwake }: JournalEntry): void {
    for (const [index, record] of added.entries()) model.records.set(firstSeq + index, record);
    model.last = firstSeq + added.length - 1;
    if (isAwake !== undefined) model.isAwake = isAwake;
    if (snapshot === undefined) return;
    model.snapshot = snapshot.seq;
    for (const seq of model.records.keys()) if (seq <= snapshot.seq) model.records.delete(seq);
  }
}
