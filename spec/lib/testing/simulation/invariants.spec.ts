import * as assert from "uvu/assert";
import { encodeSnapshot } from "../../../../actors/channel/channel-snapshot.ts";
import { packCheckpoint } from "../../../../actors/lineage/checkpoint-bytes.ts";
import type { ChannelCommit } from "../../../../lib/core/contracts/lineage-store.ts";
import type { TaskRecord } from "../../../../lib/core/contracts/lineage.ts";
import { encodeRecord } from "../../../../lib/core/lineage/record-codec.ts";
import type { Plan } from "../../../../lib/core/plan.ts";
import { Invariants } from "../../../../lib/testing/simulation/invariants.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("invariants");

const step = { what: "it", channels: 1, placement: { kind: "single" }, endless: false } as const;
const plan = {
  flow: "pair",
  fingerprint: "",
  steps: [
    { ...step, id: "numbers", kind: "reader", inputs: [], outputs: [0] },
    { ...step, id: "sink", kind: "sink", inputs: [{ name: "in", edge: 0, stage: 0 }], outputs: [] },
  ],
  edges: [
    {
      from: 0,
      port: "out",
      to: 1,
      input: "in",
      kind: "forward",
      partition: { kind: "hash", label: "" },
      before: [],
      after: [],
      spools: false,
    },
  ],
} as unknown as Plan;

const nothing = { consumed: [], produced: [], taken: 0, more: false, content: undefined, now: undefined } as const;

function read(seq: number, position: number, objects: number): TaskRecord {
  const produced = [{ edge: 0, to: 0, objects, checksum: 0 }];
  return {
    ...nothing,
    seq,
    cause: { kind: "read", split: 0, position, count: objects },
    produced,
    taken: objects,
    more: true,
  };
}

function consume(seq: number, firstSeq: number, lastSeq: number): TaskRecord {
  return {
    ...nothing,
    seq,
    cause: { kind: "parcels", input: "in" },
    consumed: [{ edge: 0, from: 0, firstSeq, lastSeq }],
  };
}

function commitOf(channel: number, records: readonly TaskRecord[], generation = 0): ChannelCommit {
  return {
    channel,
    generation,
    firstSeq: records[0]?.seq ?? 0,
    records: records.map((record) => encodeRecord(record).slice()),
  };
}

/** A state that takes the inputs for ended which are named by their numbers. */
function stateWith(ended: readonly number[], room: number): Uint8Array {
  const inputs = [0].map((input) => ({ done: ended.includes(input), consumed: [] }));
  return encodeSnapshot({ seq: 0, inputs, outputs: [], reading: undefined, state: undefined, counters: {} }, room);
}

class Checked {
  readonly found: string[] = [];
  readonly invariants = new Invariants((what) => this.found.push(what));

  constructor() {
    this.invariants.ordered({ kind: "prepare", plan, channels: [] } as never);
  }

  commit(channel: number, records: readonly TaskRecord[], generation = 0): this {
    this.invariants.committed([commitOf(channel, records, generation)], ["committed"]);
    return this;
  }

  parcel(seq: number, previous: number, rows: number): this {
    const address = { execution: "run", edge: 0, from: 0, to: 0, producer: 0, consumer: 1 };
    const payload = { format: "columns", rows, bytes: new ArrayBuffer(0) } as const;
    this.invariants.sent({ ...address, kind: "parcel", seq, previous, payload });
    return this;
  }

  says(what: string | undefined): void {
    if (what === undefined) assert.equal(this.found, []);
    else
      assert.ok(
        this.found.some((found) => found.includes(what)),
        `${what}, of ${this.found.join("; ")}`,
      );
  }

  saysOnly(what: string): void {
    assert.ok(this.found.length > 0 && this.found.every((found) => found.includes(what)), this.found.join("; "));
  }
}

const produced = [read(0, 0, 5), read(1, 5, 5), read(2, 10, 5)];

test("an execution as it should be violates nothing", () => {
  const checked = new Checked()
    .commit(0, produced)
    .parcel(0, -1, 5)
    .parcel(1, 0, 5)
    .commit(1, [consume(0, 0, 1), consume(1, 2, 2)]);
  checked.commit(1, [{ ...nothing, seq: 2, cause: { kind: "done" } }]).invariants.ended();
  checked.says(undefined);
});

test("a parcel before its record, and one that isn't what was logged", () => {
  new Checked().parcel(0, -1, 5).says("was sent before its task was durable");
  new Checked().commit(0, produced).parcel(1, 0, 4).says("where the log has 5 objects");
  new Checked().commit(0, produced).parcel(1, -1, 5).says("5 objects after -1");
});

test("records that change, jump, or follow the end", () => {
  new Checked()
    .commit(0, produced)
    .commit(0, [read(1, 5, 4)])
    .says("record 1 of channel 0 of numbers was changed");
  new Checked()
    .commit(0, [read(0, 0, 5), { ...read(2, 5, 5), seq: 1 }, read(2, 11, 5)])
    .says("reads split 0 at 11, after 10");
  const done: TaskRecord = { ...nothing, seq: 0, cause: { kind: "done" } };
  new Checked().commit(1, [done, consume(1, 0, 0)]).says("the channel had ended before it");
});

test("parcels that are consumed twice, out of order, or that nobody made", () => {
  new Checked()
    .commit(0, produced)
    .commit(1, [consume(0, 0, 0), consume(1, 0, 0)])
    .says("though 1 was next");
  new Checked()
    .commit(0, produced)
    .commit(1, [consume(0, 1, 1)])
    .says("though 0 was next");
  new Checked()
    .commit(0, produced.slice(0, 1))
    .commit(1, [consume(0, 0, 1)])
    .says("which no committed task had made");
});

test("a generation that was shut out, and one that goes on", () => {
  const fenced = (): Checked => {
    const checked = new Checked();
    checked.invariants.fenced([{ channel: 0, generation: 2, lastSeq: -1, checkpoints: [] }]);
    return checked;
  };
  fenced().commit(0, produced, 1).says("committed as generation 1, after 2 began");
  fenced().commit(0, produced, 2).says(undefined);
});

test("a checkpoint that doesn't stand on its log, and one that is freed too early", () => {
  const made = [{ edge: 0, other: 0, seq: 1 }];
  const save = (
    checked: Checked,
    channel: number,
    seq: number,
    positions: Parameters<typeof packCheckpoint>[0],
  ): Checked => {
    checked.invariants.saved(
      channel,
      seq,
      packCheckpoint(positions, (room) => stateWith([], room)),
      "committed",
    );
    return checked;
  };
  save(new Checked().commit(0, produced), 0, 1, { consumed: [], made: [] }).says("doesn't stand on its log");
  const early = save(new Checked().commit(0, produced), 0, 1, { consumed: [], made });
  early.invariants.freed(0, 1, 1);
  early.says("may need what follows -1");
  const late = save(new Checked().commit(0, produced).commit(1, [consume(0, 0, 1)]), 0, 1, { consumed: [], made });
  save(late, 1, 0, { consumed: [{ edge: 0, other: 0, seq: 1 }], made: [] }).invariants.freed(1, 0, 0);
  late.invariants.freed(0, 1, 1);
  // There is no checkpoint to spare, and that is all.
  late.saysOnly("the checkpoint to spare is freed");
});

test("a checkpoint that takes an input for ended which isn't, or the other way round", () => {
  const [input = ""] = plan.steps[1]?.inputs.map(({ name }) => name) ?? [];
  const end: TaskRecord = { ...nothing, seq: 1, cause: { kind: "input-end", input } };
  const save = (records: readonly TaskRecord[], ended: readonly number[]): Checked => {
    const checked = new Checked().commit(0, produced.slice(0, 1)).commit(1, [consume(0, 0, 0), ...records]);
    const head = { consumed: [{ edge: 0, other: 0, seq: 0 }], made: [], changes: undefined };
    const bytes = packCheckpoint(head, (room) => stateWith(ended, room));
    checked.invariants.saved(1, records.length, bytes, "committed");
    return checked;
  };
  save([], []).says(undefined);
  save([end], [0]).says(undefined);
  save([], [0]).says(`takes input "${input}" for ended, which it isn't`);
  save([end], []).says(`doesn't have it that input "${input}" had ended`);
  // One that wants no more has cleared its inputs.
  save([{ ...nothing, seq: 1, cause: { kind: "stop" } }], [0]).says(undefined);
});

test("a checkpoint of changes that stands on none of its life's, or whose whole one is freed", () => {
  const save = (checked: Checked, seq: number, base: number, previous: number): Checked => {
    const changes = base < 0 ? undefined : { base, previous };
    const head = { consumed: [], made: [{ edge: 0, other: 0, seq }], changes };
    checked.invariants.saved(
      0,
      seq,
      packCheckpoint(head, (room) => stateWith([], room)),
      "committed",
    );
    return checked;
  };
  const begun = (): Checked => new Checked().commit(0, produced);
  save(begun(), 0, 0, 0).says("holds changes, and is the first of its life");
  save(save(save(begun(), 0, -1, -1), 1, -1, -1), 2, 0, 0).says("holds changes since 0, after 1 was saved");
  save(save(save(begun(), 0, -1, -1), 1, 0, 0), 2, 1, 1).says("says that it stands on 1, which is 0");
  const fenced = save(begun(), 0, -1, -1);
  fenced.invariants.fenced([{ channel: 0, generation: 1, lastSeq: 1, checkpoints: [0] }]);
  save(fenced, 1, 0, 0).says("holds changes, and is the first of its life");
  const chain = (): Checked => save(save(begun().commit(1, [consume(0, 0, 1)]), 0, -1, -1), 1, 0, 0);
  const torn = chain();
  torn.invariants.freed(0, 1, 1);
  torn.says("checkpoint 1 holds changes since what is gone");
  const kept = chain();
  const head = { consumed: [{ edge: 0, other: 0, seq: 1 }], made: [] };
  kept.invariants.saved(
    1,
    0,
    packCheckpoint(head, (room) => stateWith([], room)),
    "committed",
  );
  kept.invariants.freed(1, 0, 0);
  kept.invariants.freed(0, 1, 0);
  kept.saysOnly("the checkpoint to spare is freed");
});

test("a consumer that cancels too early, and one that hears two lives", () => {
  const address = { execution: "run", edge: 0, from: 0, to: 0, producer: 0, consumer: 1 };
  const early = new Checked();
  early.invariants.sent({ ...address, kind: "cancel" });
  early.says("cancelled an input before its log had it");
  const two = new Checked();
  const order = { kind: "recover", placed: [{ step: 0, channel: 0, life: 7, slot: "" }], channels: [] };
  two.invariants.ordered(order as never);
  two.invariants.sent({ ...address, producer: 7, kind: "open", after: -1, objects: 1, bytes: 1 });
  two.invariants.sent({ ...address, kind: "credit", objects: 1, bytes: 1 });
  two.says("hears lives 7 and 0 of one producer at a time");
});

test("what was never read, and channels without an end", () => {
  const checked = new Checked()
    .commit(0, produced)
    .commit(1, [consume(0, 0, 0), { ...nothing, seq: 1, cause: { kind: "done" } }]);
  checked.invariants.ended();
  checked.says("2 parcels of link 0, 0>0 were never consumed");
  const open = new Checked();
  open.invariants.ended();
  open.says("channel 0 of sink never ended");
});

test("what isn't needed any more and isn't freed", () => {
  const save = (checked: Checked, channel: number, seq: number, consumed: number, base = seq): void => {
    const positions = channel === 0 ? { consumed: [], made: [{ edge: 0, other: 0, seq }] } : undefined;
    const head = positions ?? { consumed: [{ edge: 0, other: 0, seq: consumed }], made: [] };
    const changes = base === seq ? undefined : { base, previous: seq - 1 };
    const bytes = packCheckpoint({ ...head, changes }, (room) => stateWith([], room));
    checked.invariants.saved(channel, seq, bytes, "committed");
  };
  const nothingMore: ChannelCommit[] = [];
  const taking = (seqs: readonly number[]): Checked =>
    new Checked().commit(0, produced).commit(
      1,
      seqs.map((seq) => consume(seq, seq, seq)),
    );
  // The newest and one to spare are kept, and while a call isn't answered it may still be on its way.
  const kept = taking([0, 1, 2]);
  save(kept, 1, 0, 0);
  kept.invariants.committed(nothingMore, []);
  kept.says(undefined);
  save(kept, 1, 1, 1);
  kept.invariants.asked("free");
  kept.invariants.committed(nothingMore, []);
  kept.says(undefined);
  kept.invariants.answered("free");
  kept.invariants.committed(nothingMore, []);
  kept.says("of channel 0 of sink too little is freed: -1 is kept, though 0 would do");
  const freed = taking([0, 1, 2]);
  save(freed, 1, 0, 0);
  save(freed, 1, 1, 1);
  freed.invariants.freed(1, 0, 0);
  freed.invariants.committed(nothingMore, []);
  freed.says(undefined);
  // Changes stand on what is before them: that is no spare.
  const changes = taking([0, 1, 2]);
  save(changes, 1, 0, 0);
  save(changes, 1, 1, 1, 0);
  changes.invariants.committed(nothingMore, []);
  changes.says(undefined);
  // A process that goes on with an execution begins to free when something is saved.
  const restarted = taking([0, 1, 2]);
  save(restarted, 1, 0, 0);
  save(restarted, 1, 1, 1);
  restarted.invariants.restarted();
  restarted.invariants.committed(nothingMore, []);
  restarted.says(undefined);
});

test("something that is done for a life that is over", () => {
  const round = (number: number, consumer: number): unknown => ({
    kind: "recover",
    round: number,
    placed: [{ step: 1, channel: 0, life: 7, slot: "" }],
    channels: [
      {
        step: 0,
        channel: 0,
        life: 8,
        generation: 0,
        recovery: { checkpoint: -1, through: 0, outputsOnly: true },
        consumers: [{ edge: 0, to: 0, life: consumer, slot: "" }],
      },
    ],
  });
  const fine = new Checked();
  fine.invariants.ordered(round(1, 7) as never);
  fine.invariants.ordered({ kind: "connect", round: 1, links: [{ consumer: 7, edge: 0, from: 0 }] } as never);
  fine.invariants.ordered({ kind: "connect", round: 0, links: [{ consumer: 1, edge: 0, from: 0 }] } as never);
  fine.says(undefined);
  fine.invariants.ordered({ kind: "connect", round: 1, links: [{ consumer: 1, edge: 0, from: 0 }] } as never);
  fine.says("a link is opened for life 1 of channel 0 of sink, which is over");
  const again = new Checked();
  again.invariants.ordered(round(1, 1) as never);
  again.says("outputs are made again for life 1 of channel 0 of sink, which is over");
});

test("a checkpoint that was to be saved and wasn't, or was without its channel hearing that", () => {
  const asked = (changes: { base: number; previous: number } | undefined): Checked => {
    const checked = new Checked().commit(0, produced);
    const head = { consumed: [], made: [{ edge: 0, other: 0, seq: 1 }], changes };
    const request = { kind: "save", number: 0, generation: 0, seq: 1, bytes: new Uint8Array(0), head };
    checked.invariants.reported({ kind: "lineage-call", execution: "run", slot: "slot-0", call: 5, request } as never);
    return checked;
  };
  const answer = (checked: Checked, usable: boolean): Checked => {
    const told = { kind: "lineage-answer", execution: "run", call: 5, answer: { kind: "saved", usable } };
    checked.invariants.ordered(told as never, "slot-0");
    return checked;
  };
  answer(asked(undefined), false).says("checkpoint 1 of channel 0 of numbers was to be saved, and nobody did");
  answer(asked({ base: 0, previous: 0 }), false).says(undefined);
  const saved = (): Checked => {
    const checked = asked(undefined);
    const head = { consumed: [], made: [{ edge: 0, other: 0, seq: 1 }], changes: undefined };
    const bytes = packCheckpoint(head, (room) => stateWith([], room));
    checked.invariants.saved(0, 1, bytes, "committed");
    return checked;
  };
  answer(saved(), true).says(undefined);
  answer(saved(), false).says("was saved, and its channel hears that it wasn't");
});

test.run();
