// Timers as the tasks of a channel see them: what they are in the log, when they go off, and when not.

import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import {
  defineFlow,
  numbers,
  reader,
  type ExecutionMetrics,
  type Flow,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type RunOptions,
  type Task,
} from "../../../lib/index.ts";
import { sessionOnVirtualClock } from "../../../lib/testing/index.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { runInWorld } from "../../kit/cluster.ts";
import { failure } from "../../kit/failure.ts";
import { MemoryLineage } from "../../kit/memory-lineage.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("timers and tasks");

type In = { in: number };

/** A single-channel operator of these methods, which may refuse its input now and then. */
function operator<Out>(create: () => Operator<In, Out>): OperatorDefinition<In, Out> {
  const kind = "own";
  return {
    kind,
    declares: "order-sensitive",
    parallelism: "single",
    representations: ["objects"],
    mayBlock: true,
    create,
  };
}

/** Runs a flow on a virtual clock. */
async function onVirtualClock<Outs extends Record<string, unknown>>(
  flow: Flow<object, Outs>,
  options: RunOptions = {},
): Promise<{ outputs: Outs; elapsedMs: number; metrics: ExecutionMetrics | undefined }> {
  const { session, until, elapsedMs } = await sessionOnVirtualClock();
  try {
    const execution = await until(flow.start({}, { ...options, on: session } as never));
    const outputs = await until(execution.outputs);
    return { outputs, elapsedMs: elapsedMs(), metrics: execution.metrics };
  } finally {
    await until(session.close());
  }
}

/** Some numbers, and after a while some more. */
const bursts = reader<number, number>({
  kind: "bursts",
  splits: () => [0],
  async *read() {
    for (const first of [0, 10, 20]) {
      yield* Array.from({ length: 5 }, (_, at) => first + at);
      await wait(30);
    }
  },
});

test("a timer that goes off is a task of its own, logged with its name and its time", async () => {
  const lineage = new MemoryLineage();
  const dueAt: number[] = [];
  const seen: number[] = [];
  const { plan } = await runInWorld(
    (q) => ({
      out: q
        .read("bursts", bursts)
        .apply(
          "hold",
          () => {
            let held: number[] = [];
            return {
              execute({ objects }: Task<In>, ctx: OperatorContext) {
                held.push(...objects);
                ctx.timers.set("a b", 5);
                dueAt.push(ctx.now() + 5);
              },
              *onTimer(name: string, ctx: OperatorContext) {
                seen.push(ctx.now());
                yield { name, held };
                held = [];
              },
            };
          },
          { channels: 1 },
        )
        .to(collect()),
    }),
    { lineage },
  );
  const step = plan.steps.findIndex(({ id }) => id === "hold");
  const number = plan.steps.slice(0, step).reduce((sum, { channels }) => sum + channels, 0);
  const records = lineage.records.flatMap(({ channel, record }) => (channel.number === number ? [record] : []));
  const timers = records.filter(({ cause }) => cause.kind === "timer");
  assert.ok(timers.length >= 2, "silence was noticed");
  assert.equal(
    records.map(({ seq }) => seq),
    records.map((_, index) => index),
  );
  for (const [index, { cause, consumed, produced, taken, now }] of timers.entries()) {
    assert.equal(cause, { kind: "timer", name: "a b" });
    assert.equal([consumed, taken, produced.map(({ objects }) => objects)], [[], 1, [1]]);
    assert.is(now, seen[index]);
    assert.ok(
      dueAt.some((due) => due <= (now ?? 0)),
      "none is early",
    );
  }
});

test("none goes off once all inputs have ended; done is called, and may give something", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("numbers", numbers(0, 10), { channels: 1 })
      .apply(
        "hold",
        operator(() => ({
          execute: (_task, ctx) => ctx.timers.set("late", 60_000),
          onTimer: () => ["went off"],
          done: (ctx) => {
            const had = ctx.timers.has("late");
            ctx.timers.set("later", 0);
            return [had ? "pending" : "dropped"];
          },
        })),
      )
      .collect(),
  }));
  const { outputs, elapsedMs } = await onVirtualClock(flow);
  assert.equal(outputs.out, ["dropped"]);
  assert.ok(elapsedMs < 10_000, `${elapsedMs} ms`);
});

test("none goes off after ctx.stop(), which a timer may call", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("numbers", numbers(0, 2 ** 40), { channels: 1 })
      .apply(
        "stops",
        operator(() => ({
          open: (ctx) => ctx.timers.set("enough", 50),
          execute: () => {},
          onTimer: (name, ctx) => {
            ctx.timers.set("again", 0);
            ctx.stop();
            return [name];
          },
        })),
      )
      .collect(),
  }));
  const { outputs, elapsedMs } = await onVirtualClock(flow, { limits: { parcelObjects: 4, inputObjects: 16 } });
  assert.equal(outputs.out, ["enough"]);
  assert.ok(elapsedMs >= 50);
});

test("timers without delay and inputs take turns", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("numbers", numbers(0, 2000), { channels: 1 })
      .apply(
        "busy",
        operator(() => {
          let went = 0;
          return {
            execute: ({ objects }, ctx) => {
              ctx.timers.set("at once", 0);
              return objects;
            },
            onTimer: (name, ctx) => {
              went++;
              ctx.timers.set(name, 0);
            },
            done: () => [-went],
          };
        }),
      )
      .collect(),
  }));
  const { outputs } = await onVirtualClock(flow, { limits: { parcelObjects: 8 } });
  const went = outputs.out.find((value) => value < 0) ?? 0;
  assert.is(outputs.out.filter((value) => value >= 0).length, 2000);
  assert.ok(-went > 20, `${-went} went off`);
});

test("an operator that takes its input by a timer isn't stuck, however long that is", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("numbers", numbers(0, 40), { channels: 1 })
      .apply(
        "slow",
        operator(() => {
          let open = true;
          return {
            accepts: () => open,
            execute: ({ objects }, ctx) => {
              open = false;
              ctx.timers.set("open", 30_000);
              return objects;
            },
            onTimer: async () => {
              await Promise.resolve();
              open = true;
            },
          };
        }),
      )
      .collect(),
  }));
  const { outputs, elapsedMs } = await onVirtualClock(flow, { limits: { parcelObjects: 10, inputObjects: 10 } });
  assert.is(outputs.out.length, 40);
  assert.ok(elapsedMs > 60_000, `${elapsedMs} ms`);
});

test("none goes off while its channel has no credit", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("numbers", numbers(0, 2 ** 40), { channels: 1 })
      .apply(
        "ticks",
        operator(() => ({
          accepts: () => false,
          open: (ctx) => ctx.timers.set("tick", 1),
          execute: () => {},
          onTimer: (name, ctx) => {
            ctx.timers.set(name, 1);
            return [ctx.now()];
          },
        })),
      )
      .apply(
        "holds back",
        operator(() => {
          let open = false;
          let left = 40;
          return {
            open: (ctx) => ctx.timers.set("open", 1000),
            accepts: () => open,
            onTimer: () => {
              open = true;
            },
            execute: ({ objects }, ctx) => {
              left -= objects.length;
              if (left <= 0) ctx.stop();
              return objects;
            },
          };
        }),
      )
      .collect(),
  }));
  const limits = { parcelObjects: 4, inputObjects: 8, spoolMemoryBytes: 0, spoolDiskBytes: 0 };
  const { outputs } = await onVirtualClock(flow, { limits });
  const pauses = outputs.out.slice(1).map((at, index) => at - (outputs.out[index] ?? 0));
  assert.ok(Math.max(...pauses) > 500, pauses.join());
});

for (const [what, methods, code, message] of [
  [
    "without onTimer",
    { execute: (_: Task<In>, ctx: OperatorContext) => ctx.timers.set("x", 1) },
    "OPTION_INVALID",
    /Give the operator onTimer/u,
  ],
  [
    "beyond the limit",
    {
      execute: ({ objects }: Task<In>, ctx: OperatorContext): void => {
        for (const n of objects) ctx.timers.set(`key ${n}`, 1);
      },
      onTimer: (): void => {},
    },
    "LIMIT_EXCEEDED",
    /"key 3" is one too many: 3 are pending/u,
  ],
] as const) {
  test(`a timer ${what} fails the execution, and says where`, async () => {
    const flow = defineFlow(import.meta.url, (q) => ({
      out: q
        .read("numbers", numbers(0, 10), { channels: 1 })
        .apply("own", () => methods, { channels: 1 })
        .collect(),
    }));
    const error = await failure(() => onVirtualClock(flow, { limits: { timers: 3 } }), code, {
      step: "own",
      channel: 0,
    });
    assert.match(error.message, message);
  });
}

test("a timer that is set between two tasks is refused", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("numbers", numbers(0, 100), { channels: 1 })
      .apply(
        "own",
        operator(() => {
          let last: OperatorContext | undefined;
          return {
            execute: (_task, ctx) => void (last = ctx),
            accepts: () => {
              last?.timers.set("x", 1);
              return true;
            },
            onTimer: () => {},
          };
        }),
      )
      .collect(),
  }));
  const error = await failure(() => onVirtualClock(flow, { limits: { parcelObjects: 4 } }), "UNSUPPORTED");
  assert.match(error.message, /between two tasks/u);
});

// What no step may depend on.
let calls = 0;

/** Fails when its timer goes off, or sets it to a time that replay wouldn't. */
class Wrong implements Operator<In, number, number> {
  readonly #fault: string;
  #seen = 0;

  constructor(fault: string) {
    this.#fault = fault;
  }

  execute({ objects }: Task<In>, ctx: OperatorContext): void {
    this.#seen += objects.length;
    ctx.timers.set("flush", this.#fault === "time" ? ++calls : 1);
    if (this.#fault === "more" && ++calls % 2 === 0) ctx.timers.set("other", 1);
  }

  onTimer(): readonly number[] {
    if (this.#fault === "throw") throw new Error("the timer's fault");
    return [this.#seen];
  }

  snapshot(): number {
    return this.#seen;
  }

  restore(seen: number): void {
    this.#seen = seen;
  }
}

const wrong = (fault: string): Flow<object, { out: number[] }> =>
  defineFlow(import.meta.url, (q) => ({
    out: q
      .read("bursts", bursts)
      .apply("wrong", () => new Wrong(fault), { channels: 1 })
      .collect(),
  })) as never;

test("an error names the timer that it came from", async () => {
  const options = { slots: 1, isolation: "none" } as const;
  const error = await failure(() => wrong("throw").run({}, options), "STEP_FAILED", { step: "wrong", timer: "flush" });
  assert.match(error.message, /the timer's fault .*timer "flush"/u);
});

test("tasks of timers are run twice, and timers that differ are found", async () => {
  const options = { slots: 1, isolation: "none", verifyReplay: { share: 1 } } as const;
  const time = await failure(() => wrong("time").run({}, options), "NONDETERMINISTIC", { step: "wrong" });
  assert.match(time.message, /left the timer "flush" set for .*; the first time, it left the timer "flush" set for/u);
  const more = await failure(() => wrong("more").run({}, options), "NONDETERMINISTIC");
  assert.match(more.message, /left (no further timer|the timer "other")/u);
  const execution = await wrong("none").start({}, options);
  assert.ok((await execution.outputs).out.length >= 2);
  const { metrics } = execution.metrics?.steps.find(({ step }) => step === "wrong") ?? {};
  assert.ok((metrics?.tasksVerified ?? 0) >= 5, String(metrics?.tasksVerified));
});

test.run();
