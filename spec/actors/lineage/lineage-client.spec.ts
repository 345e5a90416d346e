import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { pointerIn } from "../../../actors/stores/blob-pointer.ts";
import { packCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import { LineageClient } from "../../../actors/lineage/lineage-client.ts";
import type { LineageCall } from "../../../actors/lineage/protocol.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("lineage client");
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-spec-lineage-client-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const head = { consumed: [], made: [{ edge: 0, other: 1, seq: 7 }] };

/** A client whose lineage actor keeps one checkpoint, as it came. */
class Kept {
  readonly calls: LineageCall[] = [];
  readonly log;
  kept: Uint8Array | undefined;
  readonly client = new LineageClient({
    slot: "slot-0",
    clock: systemClock,
    files: openFileSystem({}),
    report: (report) => {
      if (report.kind !== "lineage-call") return;
      const { request, call, execution } = report;
      this.calls.push(request);
      if (request.kind === "save") this.kept = request.bytes;
      const found = request.kind === "load" && request.whole ? undefined : this.kept;
      const answer =
        request.kind === "save"
          ? { kind: "saved" as const, usable: true }
          : ({ kind: "checkpoint", kept: found } as const);
      queueMicrotask(() => this.client.follow({ kind: "lineage-answer", execution, call, answer }));
    },
  });

  constructor(path: string, storeBytesMax: number) {
    this.log = { execution: "run", number: 3, generation: 2, blobs: { path, storeBytesMax } };
  }

  save(state: Uint8Array): Promise<boolean> {
    const bytes = packCheckpoint(head, (room) => {
      const whole = new Uint8Array(room + state.byteLength);
      whole.set(state, room);
      return whole;
    });
    return this.client.saveCheckpoint(this.log, 5, bytes, head);
  }
}

const state = Uint8Array.from({ length: 5000 }, (_, at) => at % 251);

test("a large checkpoint is written by the slot, and its pointer goes to the store", async () => {
  const path = join(folder, "large");
  const world = new Kept(path, 1000);
  assert.ok(await world.save(state));
  const pointer = pointerIn(world.kept ?? new Uint8Array(0));
  assert.match(pointer?.name ?? "", /^[0-9a-f]{32}\/3\/5-2-[0-9a-f]+-\d+$/u);
  const loaded = await world.client.loadCheckpoint(world.log, 5);
  assert.equal(loaded, { state, previous: undefined });
  assert.equal(
    world.calls.map(({ kind }) => kind),
    ["save", "load"],
  );
});

test("a small one goes to the store itself", async () => {
  const path = join(folder, "small");
  const world = new Kept(path, 100_000);
  assert.ok(await world.save(state));
  assert.is(pointerIn(world.kept ?? new Uint8Array(0)), undefined);
  assert.equal((await world.client.loadCheckpoint(world.log, 5))?.state, state);
});

test("one that is damaged is asked of the store, which then knows of it", async () => {
  const path = join(folder, "damaged");
  const world = new Kept(path, 1000);
  await world.save(state);
  const [name = ""] = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  truncateSync(name, 100);
  assert.is(await world.client.loadCheckpoint(world.log, 5), undefined);
  assert.equal(world.calls.at(-1), { kind: "load", number: 3, seq: 5, whole: true });
});

test("where the place can't be written, the store gets the bytes, and says why it can't have them", async () => {
  const world = new Kept("/proc/nowhere", 1000);
  assert.ok(await world.save(state));
  assert.is(pointerIn(world.kept ?? new Uint8Array(0)), undefined);
});

test("records are gathered, but not while a channel waits for what it appended", async () => {
  let now = 0;
  let turns: (() => void)[] = [];
  const sent: number[] = [];
  const client = new LineageClient({
    slot: "slot-0",
    clock: { ...systemClock, monotonic: () => now, soon: (turn) => void turns.push(turn), after: () => () => {} },
    files: openFileSystem({}),
    report: (report) => report.kind === "lineage-append" && sent.push(report.entries[0]?.lengths.length ?? 0),
  });
  const log = { execution: "run", number: 0, generation: 1, blobs: undefined };
  const record = { consumed: [], produced: [], taken: 0, more: false, content: undefined, now: undefined };
  const append = (seq: number): void => client.append(log, { ...record, seq, cause: { kind: "continue" } }, () => {});
  const turn = (): void => {
    const due = turns;
    turns = [];
    for (const run of due) run();
  };
  append(0);
  turn();
  assert.equal(sent, [1], "after a while of nothing it goes at once");
  now = 1;
  append(1);
  append(2);
  turn();
  assert.equal(sent, [1], "more may come");
  client.hurry("another");
  turn();
  assert.equal(sent, [1]);
  client.hurry("run");
  turn();
  assert.equal(sent, [1, 2]);
  client.hurry("run");
  turn();
  assert.equal(sent, [1, 2], "nothing is left");
});

test.run();
