import * as assert from "uvu/assert";
import type { AwaitedTask } from "../../../actors/scheduler/execution-record.ts";
import type { ExecutionEvent, SlowTask } from "../../../actors/scheduler/execution-events.ts";
import { SlowTasks } from "../../../actors/scheduler/slow-tasks.ts";
import { defineFlow, iterable, numbers } from "../../../lib/index.ts";
import { sessionOnVirtualClock } from "../../../lib/testing/virtual-session.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("slow tasks");

/** An execution whose slots report ten times a second. */
function given() {
  const slow = new SlowTasks();
  const state = { pulse: 0, tasks: [] as AwaitedTask[] };
  const record = { pulse: () => state.pulse, awaited: () => state.tasks };
  let now = 0;
  const pass = (ms: number, slots: readonly string[] = ["a", "b"]): SlowTask[] => {
    const told: SlowTask[] = [];
    for (const end = now + ms; now < end; now += 100) {
      for (const slot of slots) told.push(...slow.look(slot, record, now).fresh);
    }
    return told;
  };
  const shown = (): readonly SlowTask[] => slow.look("a", record, now).tasks;
  return { state, pass, shown };
}

const task = (seq: number, slot = "a"): AwaitedTask => ({ step: "x", channel: 0, slot, task: seq });

test("a task is told once, when nothing has ended for ten seconds, and shown as long as that lasts", () => {
  const { state, pass, shown } = given();
  state.tasks = [task(17)];
  assert.equal(pass(9900), []);
  assert.equal(pass(300), [{ step: "x", channel: 0, slot: "a", seq: 17, waitMs: 10_000 }]);
  assert.equal(pass(5000), []);
  assert.equal(shown(), [{ step: "x", channel: 0, slot: "a", seq: 17, waitMs: 15_200 }]);
  state.pulse++;
  assert.equal(shown(), []);
  // It is the same one, whatever else has ended meanwhile.
  assert.equal(pass(11_000), []);
  assert.ok((shown()[0]?.waitMs ?? 0) > 26_000);
  state.pulse++;
  state.tasks = [task(18)];
  assert.equal(
    pass(11_000).map(({ seq }) => seq),
    [18],
  );
});

test("while anything ends anywhere, nothing is slow", () => {
  const { state, pass } = given();
  state.tasks = [task(17)];
  for (let at = 0; at < 5; at++) {
    assert.equal(pass(9000), []);
    state.pulse++;
  }
});

test("of a slot that doesn't report it isn't known what it is at, and nobody looked in a recovery", () => {
  const { state, pass } = given();
  state.tasks = [task(17, "b")];
  assert.equal(pass(100), []);
  assert.equal(pass(12_000, ["a"]), []);
  const other = given();
  other.state.tasks = [task(17)];
  other.pass(5000);
  other.pass(8000, []);
  assert.equal(other.pass(9900), []);
  assert.is(other.pass(300).length, 1);
});

test("where open is waited for, there is no task", () => {
  const { state, pass } = given();
  state.tasks = [task(-1)];
  assert.equal(pass(10_200), [{ step: "x", channel: 0, slot: "a", waitMs: 10_000 }]);
});

interface Gate {
  readonly promise: Promise<void>;
  readonly open: () => void;
}

function gate(): Gate {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

const gates = { task: gate(), open: gate() };

const awaiting = defineFlow(import.meta.url, (q) => ({
  rows: q
    .read("numbers", numbers(0, 3), { channels: 1 })
    .apply(
      "call",
      () => ({
        async open() {
          await gates.open.promise;
        },
        async execute({ objects }: { readonly objects: readonly number[] }) {
          if (objects.includes(2)) await gates.task.promise;
          return objects;
        },
      }),
      { channels: 1 },
    )
    .collect(),
}));

test("an await that isn't settled for long is told of, and so is one in open; then the flow goes on", async () => {
  const { session, until } = await sessionOnVirtualClock();
  const told: string[] = [];
  const shown = new Set<number>();
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "progress") for (const { waitMs } of event.metrics.slowTasks ?? []) shown.add(waitMs);
    if (event.kind !== "task-slow") return;
    told.push(`${event.step} ${event.channel} ${event.seq ?? "open"}`);
    const { open } = event.seq === undefined ? gates.open : gates.task;
    setImmediate(open);
  };
  const { rows } = await until(awaiting.run({}, { on: session, onEvent, limits: { parcelObjects: 1 } }));
  assert.equal(rows, [0, 1, 2]);
  assert.is(told.length, 2);
  assert.is(told[0], "call 0 open");
  assert.match(told[1] ?? "", /^call 0 \d$/);
  assert.ok(shown.size > 1);
  await until(session.close());
});

test("a source without an end may have nothing to give", async () => {
  const { session, until } = await sessionOnVirtualClock({ store: "none" });
  const told: ExecutionEvent[] = [];
  const enough = gate();
  const live = defineFlow(import.meta.url, (q) => ({
    rows: q
      .read(
        "live",
        iterable(
          async function* () {
            yield 1;
            await enough.promise;
            yield 2;
          },
          { endless: true },
        ),
      )
      .limit("two", 2)
      .collect(),
  }));
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "task-slow") told.push(event);
    if (event.kind === "progress" && event.metrics.elapsedMs > 30_000) enough.open();
  };
  assert.equal((await until(live.run({}, { on: session, onEvent }))).rows, [1, 2]);
  assert.equal(told, []);
  await until(session.close());
});

test.run();
