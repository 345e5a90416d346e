import * as assert from "uvu/assert";
import { TurnHost } from "../../../actors/hosts/turn-host.ts";
import { packCheckpoint, unpackCheckpoint } from "../../../actors/lineage/checkpoint-bytes.ts";
import { LineageActor } from "../../../actors/lineage/lineage-actor.ts";
import type { LineageAnswer, LineageCall } from "../../../actors/lineage/protocol.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import type { LineageStore } from "../../../lib/core/contracts/lineage-store.ts";
import type { CheckpointHead, TaskRecord } from "../../../lib/core/contracts/lineage.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { encodeRecord } from "../../../lib/core/lineage/record-codec.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import { seededRandom } from "../../../lib/core/seam/random.ts";
import { lineOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("the lineage actor and checkpoints");

// Channel 0 sends to channel 1; only the latter, the sink, saves anything here.
const plan = lineOf([1, 1]);
const all: CheckpointHead = { consumed: [], made: [], changes: undefined };
const since = (base: number, previous: number): CheckpointHead => ({ ...all, changes: { base, previous } });
const call = { kind: "lineage-call", execution: "run", slot: "slot", call: 0 } as const;

/** A process with a lineage actor. */
class Process {
  readonly actor: LineageActor;
  /** Why executions can't go on. */
  readonly failures: string[] = [];
  #answered: (answer: LineageAnswer) => void = () => {};
  #failed: (error: Error) => void = () => {};

  constructor(store: LineageStore, waitMs = 0) {
    this.actor = new LineageActor({
      host: new TurnHost(seededRandom(1), (turns) => setImmediate(turns)),
      clock: systemClock,
      store,
      waitMs,
      order: (_slot, order) => {
        if (order.kind === "lineage-answer") this.#answered(order.answer);
      },
      failed: (_execution, error) => {
        this.failures.push(error.message);
        this.#failed(error);
      },
    });
  }

  ask(request: LineageCall): Promise<LineageAnswer> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.actor.receive({ ...call, request });
    });
  }

  /** Commits tasks of the sink up to one, and saves its state. True if another checkpoint may stand on it. */
  async save(from: number, seq: number, head: CheckpointHead, generation = 0): Promise<boolean> {
    const nothing = { consumed: [], produced: [], taken: 0, more: false, content: undefined, now: undefined };
    const records = Array.from({ length: seq - from + 1 }, (_, at) =>
      encodeRecord({ ...nothing, seq: from + at, cause: { kind: "continue" } } satisfies TaskRecord),
    );
    const lengths = records.map(({ byteLength }) => byteLength);
    const entries = [{ number: 1, generation, firstSeq: from, lengths }];
    const one = new Uint8Array(Buffer.concat(records));
    this.actor.receive({ kind: "lineage-append", execution: "run", slot: "slot", entries, bytes: one });
    const bytes = packCheckpoint(head, (room) => Uint8Array.of(...new Uint8Array(room), seq));
    const answer = await this.ask({ kind: "save", number: 1, generation, seq, bytes, head });
    return answer.kind === "saved" && answer.usable;
  }

  /** The states that the sink's checkpoint is made of, newest first. */
  async load(seq: number): Promise<number[] | undefined> {
    const answer = await this.ask({ kind: "load", number: 1, seq, whole: false });
    if (answer.kind !== "checkpoint" || answer.kept === undefined) return undefined;
    const { state, head } = unpackCheckpoint(answer.kept);
    const previous = head.changes?.previous;
    const rest = previous === undefined ? [] : await this.load(previous);
    return rest === undefined ? undefined : [...state, ...rest];
  }

  async starts(): Promise<number[]> {
    const [fenced] = await this.actor.fence("run", [1]);
    return fenced?.checkpoints.map(({ seq }) => seq) ?? [];
  }
}

/** Two whole checkpoints, after 2 and 5; others on top of the second, after 7 and 9. */
async function begun(store: LineageStore, waitMs = 0): Promise<Process> {
  const process = new Process(store, waitMs);
  await process.actor.open("run", plan, new Uint8Array(0));
  assert.ok(await process.save(0, 2, all));
  assert.ok(await process.save(3, 5, all));
  assert.ok(await process.save(6, 7, since(5, 5)));
  assert.ok(await process.save(8, 9, since(5, 7)));
  return process;
}

/** A store that has lost a checkpoint. */
function without(store: LineageStore, lost: number): LineageStore {
  return new Proxy(store, {
    get: (target, name: keyof LineageStore) => {
      const method = target[name];
      if (typeof method !== "function") return method;
      if (name !== "loadCheckpoint") return method.bind(target);
      return (execution: string, channel: number, seq: number) =>
        seq === lost ? Promise.resolve(undefined) : target.loadCheckpoint(execution, channel, seq);
    },
  });
}

test("a checkpoint is loaded with all that it stands on, also by another process", async () => {
  const store = new MemoryStore();
  const process = await begun(store);
  assert.equal(await process.starts(), [2, 5, 7, 9]);
  assert.equal(await process.load(9), [9, 7, 5]);
  const other = new Process(store);
  other.actor.resume("run", plan);
  assert.equal(await other.starts(), [2, 5, 7, 9]);
  assert.equal(await other.load(9), [9, 7, 5]);
  // The log begins behind 9 now; 5 and 7 are there for what stands on them.
  assert.ok(await other.save(10, 11, all, 2));
  const third = new Process(store);
  third.actor.resume("run", plan);
  assert.equal(await third.starts(), [9, 11]);
  assert.equal(await third.starts(), [9, 11]);
  assert.equal(await third.load(9), [9, 7, 5]);
  assert.ok(await third.save(12, 13, all, 4));
  assert.equal(await third.starts(), [11, 13]);
  assert.is(await third.load(9), undefined);
  assert.is(await third.load(5), undefined);
});

test("what stands on a damaged checkpoint isn't started from, nor gone on with", async () => {
  const store = new MemoryStore();
  await begun(store);
  const resumed = new Process(without(store, 7));
  resumed.actor.resume("run", plan);
  assert.equal(await resumed.starts(), [2, 5]);
  const found = new Process(without(store, 5));
  found.actor.resume("run", plan);
  assert.equal(await found.starts(), [2]);
});

test("a checkpoint that nobody can start from isn't found again, though the store lists it", async () => {
  const store = new MemoryStore();
  await begun(store);
  const resumed = new Process(store);
  resumed.actor.resume("run", plan);
  assert.equal(await resumed.starts(), [2, 5, 7, 9]);
  // It could be loaded, but not restored.
  resumed.actor.forgetCheckpoint("run", 1, 2);
  assert.equal(await resumed.starts(), [5, 7, 9]);
});

/** A store that doesn't list some checkpoints any more when it fences. */
function unlisting(store: LineageStore, gone: readonly number[]): LineageStore {
  return new Proxy(store, {
    get: (target, name: keyof LineageStore) => {
      const method = target[name];
      if (typeof method !== "function") return method;
      if (name !== "fence") return method.bind(target);
      return async (...args: Parameters<LineageStore["fence"]>): ReturnType<LineageStore["fence"]> => {
        const fenced = await target.fence(...args);
        return fenced.map((each) => ({ ...each, checkpoints: each.checkpoints.filter((seq) => !gone.includes(seq)) }));
      };
    },
  });
}

test("nobody starts from a checkpoint that the store lists no more, nor from one that stands on it", async () => {
  assert.equal(await (await begun(unlisting(new MemoryStore(), [2]))).starts(), [5, 7, 9]);
  assert.equal(await (await begun(unlisting(new MemoryStore(), [7]))).starts(), [2, 5]);
});

/** A store that saves checkpoints, and is away when it should say so. */
function silentWhenSaved(store: LineageStore): LineageStore {
  return new Proxy(store, {
    get: (target, name: keyof LineageStore) => {
      const method = target[name];
      if (typeof method !== "function") return method;
      if (name !== "saveCheckpoint") return method.bind(target);
      return async (...args: Parameters<LineageStore["saveCheckpoint"]>): Promise<never> => {
        await target.saveCheckpoint(...args);
        throw new QStreamError("STORE_UNAVAILABLE", "away");
      };
    },
  });
}

test("a checkpoint of which the store couldn't say that it was saved is found by the next life", async () => {
  const store = new MemoryStore();
  const process = new Process(silentWhenSaved(store));
  await process.actor.open("run", plan, new Uint8Array(0));
  for (const seq of [0, 1]) {
    // oxlint-disable-next-line no-await-in-loop -- one life after the other
    assert.not.ok(await process.save(seq, seq, all, seq));
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.equal(await process.starts(), seq === 0 ? [-1, 0] : [0, 1]);
  }
  const progress = await store.fence("run", [1]);
  assert.equal(progress[0]?.checkpoints, [0, 1]);
});

test("a life whose checkpoint turns out to be damaged is told to save all of its state", async () => {
  const store = new MemoryStore();
  const process = await begun(without(store, 5));
  assert.is(await process.load(9), undefined);
  assert.not.ok(await process.save(10, 11, since(5, 9)));
  assert.is(await store.loadCheckpoint("run", 1, 11), undefined);
  assert.ok(await process.save(12, 13, all));
  assert.equal(await process.starts(), [2, 13]);
});

/** A store whose changes of status and removals fail for some times first. */
function awayFor(store: LineageStore, times: number, code: QStreamError["code"] = "STORE_UNAVAILABLE"): LineageStore {
  let left = times;
  return new Proxy(store, {
    get: (target, name: keyof LineageStore) => {
      const method = target[name];
      if (typeof method !== "function") return method;
      if (name !== "setStatus" && name !== "drop") return method.bind(target);
      return async (...args: never[]): Promise<unknown> => {
        if (left-- > 0) throw new QStreamError(code, "away");
        return (method as (...same: never[]) => unknown).apply(target, args);
      };
    },
  });
}

test("a store that is away for a moment hears of the end of an execution all the same", async () => {
  const store = new MemoryStore();
  const failed = await begun(awayFor(store, 2), 5000);
  await failed.actor.close("run", "failed");
  assert.is((await store.find("run"))?.status, "failed");
  await store.drop("run");
  const done = await begun(awayFor(store, 2, "STORE_REFUSED"), 5000);
  await done.actor.close("run", "done");
  assert.is(await store.find("run"), undefined);
});

test("one that goes on isn't said to have failed, and what doesn't get better isn't tried again", async () => {
  const store = new MemoryStore();
  const process = await begun(awayFor(store, 2), 5000);
  const closing = process.actor.close("run", "failed").catch((error: unknown) => error);
  await new Promise((resolve) => setImmediate(resolve));
  process.actor.resume("run", plan);
  assert.is(((await closing) as QStreamError).code, "ABORTED");
  assert.is((await store.find("run"))?.status, "running");
  await store.drop("run");
  const lost = await begun(awayFor(store, 1, "STORE_LOST"));
  const error = await lost.actor.close("run", "done").catch((reason: unknown) => reason);
  assert.is((error as QStreamError).code, "STORE_LOST");
});

/** A store that holds one call back, from then on which it is told to, and ends it as it is told to. */
function heldBack(store: LineageStore, held: "commit" | "saveCheckpoint" | "countFailure") {
  let holds = false;
  let end: (error?: Error) => void = () => {};
  const proxy = new Proxy(store, {
    get: (target, name: keyof LineageStore) => {
      const method = target[name];
      if (typeof method !== "function") return method;
      if (name !== held) return method.bind(target);
      return async (...args: never[]): Promise<unknown> => {
        if (holds) {
          await new Promise<void>((resolve, reject) => {
            end = (error) => (error === undefined ? resolve() : reject(error));
          });
        }
        return (method as (...same: never[]) => unknown).apply(target, args);
      };
    },
  });
  return { store: proxy, hold: () => (holds = true), end: (error?: Error) => end(error) };
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test("what was on its way to the store when an execution was stopped doesn't end who goes on with it in the same session", async () => {
  const { store, hold, end } = heldBack(new MemoryStore(), "commit");
  const process = await begun(store);
  hold();
  process.save(10, 11, all).catch(() => {});
  await moment();
  await process.actor.close("run", "cancelled");
  process.actor.resume("run", plan);
  end(new QStreamError("STORE_UNAVAILABLE", "away"));
  await moment();
  assert.equal(process.failures, []);
});

test("nor does a failed task that was being counted then", async () => {
  const { store, hold, end } = heldBack(new MemoryStore(), "countFailure");
  const process = await begun(store);
  hold();
  let said = false;
  const counted = (): boolean => (said = true);
  process.actor.countFailure("run", 1, 9, "it threw").then(counted, counted);
  await moment();
  await process.actor.close("run", "cancelled");
  process.actor.resume("run", plan);
  end(new QStreamError("STORE_UNAVAILABLE", "away"));
  await moment();
  assert.not.ok(said, "whoever waited for it would end what goes on");
});

test("a checkpoint that was on its way then isn't taken for the oldest by who goes on", async () => {
  const { store, hold, end } = heldBack(new MemoryStore(), "saveCheckpoint");
  const process = await begun(store);
  hold();
  void process.save(10, 11, all);
  await moment();
  await process.actor.close("run", "cancelled");
  process.actor.resume("run", plan);
  end();
  await moment();
  assert.equal(await process.starts(), [2, 5, 7, 9, 11]);
});

test.run();
