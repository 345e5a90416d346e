import { NactHost } from "../../actors/hosts/nact-host.ts";
import type { ExecutionEvent, ExecutionMetrics } from "../../actors/scheduler/execution-events.ts";
import { Scheduler } from "../../actors/scheduler/scheduler.ts";
import { encodeArguments } from "../../actors/slot/arguments.ts";
import { launchInlineSlots } from "../../actors/slots/inline-slots.ts";
import type { World } from "../../actors/slots/local-slot.ts";
import { MemoryNetwork } from "../../actors/transport/memory-transport.ts";
import { registerFlow } from "../../lib/core/flow-registry.ts";
import { defaultLimits, type Limits } from "../../lib/core/limits.ts";
import type { Plan } from "../../lib/core/plan.ts";
import { systemClock } from "../../lib/core/seam/clock.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { FlowBuilder, type Sink } from "../../lib/flow/flow-builder.ts";
import { Graph } from "../../lib/flow/graph.ts";
import { nodeOf } from "../../lib/flow/make-step.ts";
import { planGraph } from "../../lib/flow/plan-graph.ts";
import { dealSplits } from "../../lib/flow/splits.ts";
import { automatic } from "../../lib/partition/index.ts";

/** What a flow did in a world of a spec's own. */
export interface ClusterRun {
  readonly plan: Plan;
  readonly events: readonly ExecutionEvent[];
  readonly metrics: ExecutionMetrics;
  /** Parts of each sink, by output. */
  readonly parts: ReadonlyMap<string, readonly unknown[]>;
}

let runs = 0;

/** Runs a flow on two slots in this thread, in a given world: another lineage, another clock. */
export async function runInWorld(
  build: (q: FlowBuilder) => Readonly<Record<string, Sink<unknown>>>,
  world: World,
  limits: Partial<Limits> = {},
): Promise<ClusterRun> {
  const graph = new Graph("cluster");
  const sinks = build(new FlowBuilder(graph));
  for (const [output, sink] of Object.entries(sinks)) graph.name(sink[nodeOf], output);
  const execution = `run-${runs++}`;
  const reference = { module: "spec:cluster", name: execution, load: "spec:cluster" };
  registerFlow(reference.module, reference.name, {
    build: () => graph.program(automatic() as never),
    prepare: () => undefined,
  });
  const control: { scheduler?: Scheduler } = {};
  const launched = launchInlineSlots(
    {
      ids: ["slot-0", "slot-1"],
      client: "client",
      tags: [],
      memoryBytes: undefined,
      files: {},
      stdout: "inherit",
      leaseMs: 10_000,
      onReport: (report) => control.scheduler?.report(report),
      onLost: () => {},
    },
    () => world,
    new MemoryNetwork(),
  );
  const host = new NactHost();
  const scheduler = new Scheduler({ host, clock: systemClock, client: launched.client, slots: () => launched.slots });
  control.scheduler = scheduler;
  const context = { files: openFileSystem({}), signal: new AbortController().signal };
  const dealt = await dealSplits(graph, launched.slots, context);
  const plan = planGraph(graph, { slots: launched.slots, dataSlots: dealt.dataSlots });
  const events: ExecutionEvent[] = [];
  try {
    const args = await encodeArguments({});
    const outcome = await new Promise<{ parts: ReadonlyMap<string, readonly unknown[]>; metrics: ExecutionMetrics }>(
      (resolve, reject) => {
        scheduler.run({
          execution,
          reference,
          args,
          plan,
          limits: { ...defaultLimits, ...limits },
          seed: 1,
          openedAt: 0,
          strict: true,
          recovery:
            world.lineage === undefined
              ? undefined
              : { checkpoints: { everyMs: Infinity, workMs: Infinity }, attempts: 1, outlives: false },
          splits: dealt.byStep(plan),
          onEvent: (event) => void events.push(event),
          resolve,
          reject,
        });
      },
    );
    return { plan, events, ...outcome };
  } finally {
    await launched.close();
    scheduler.close();
    host.close();
  }
}
