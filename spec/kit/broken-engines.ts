import type { FaultKind } from "../../lib/testing/simulation/index.ts";
import type { FlowName } from "../lib/testing/simulation/check-flows.ts";
import type { Patch } from "./mutating-loader.ts";

/** Changes of at most ten lines to compiled files of the engine, each of which takes away something that recovery stands on. */
export const brokenEngines: Readonly<Record<string, readonly Patch[]>> = {
  "pushes before its lineage is durable": [
    {
      file: "actors/channel/tasks.js",
      search: "this.#append(task, produced, taken, more, () => this.#send(outgoing));",
      replace: "this.#append(task, produced, taken, more, () => {}); this.#send(outgoing);",
    },
  ],
  "sinks are told of a task before its lineage is durable": [
    {
      file: "actors/channel/tasks.js",
      search: "lineage.append(log, { seq, cause, consumed, produced, taken, more, now, content }, () => {",
      replace:
        "this.#committed(seq, userSeq); lineage.append(log, { seq, cause, consumed, produced, taken, more, now, content }, () => {",
    },
  ],
  "a state that was taken while its channel was ended is saved": [
    {
      file: "actors/channel/checkpoints.js",
      search: "if (this.#stopped)\n            return Promise.resolve(false);",
      replace: "",
    },
  ],
  "a generation that was shut out goes on committing": [
    { file: "actors/stores/memory-store.js", search: "if (generation !== found.generation)", replace: "if (false)" },
    {
      file: "actors/stores/memory-store.js",
      search: 'if (generation !== kept.generation)\n        return "fenced";\n    for',
      replace: "for",
    },
  ],
  "the newest checkpoint is restored blindly": [
    {
      file: "actors/scheduler/plan-recovery.js",
      search:
        "checkpoints.findLast(({ made }) => needs.every(({ edge, to, after }) => positionOf(made, edge, to) <= after));",
      replace: "checkpoints.at(-1);",
    },
  ],
  "records are freed that a consumer may need": [
    {
      file: "actors/lineage/retention.js",
      search: "const keep = spareOf(known, known.findLastIndex((checkpoint) => makesAll(checkpoint, wants)));",
      replace: "const keep = known.length - 1;",
    },
  ],
  "the channels of a loop start from states that don't fit together": [
    {
      file: "actors/lineage/fitting-checkpoints.js",
      search: "return other === undefined ||",
      replace: "return other !== undefined ||",
    },
  ],
  "a loop without rounds ends while something is on its way": [
    {
      file: "actors/channel/loop.js",
      search: "return end.fed === 0 && marks.every",
      replace: "return marks.every",
    },
  ],
  "what is on its way isn't saved with the state of a loop": [
    { file: "actors/channel/saved-loop.js", search: "waiting: parcels.map(encoded)", replace: "waiting: []" },
  ],
  "what comes early in a loop is taken in the round before": [
    {
      file: "actors/channel/feedback-queue.js",
      search: "this.#later.push(parcel);\n            return false;",
      replace: "return true;",
    },
  ],
  "no checkpoint is spared": [
    {
      file: "actors/lineage/retention.js",
      search: "const spareCheckpoints = 1;",
      replace: "const spareCheckpoints = 0;",
    },
  ],
  "what changes stand on is freed": [
    {
      file: "actors/lineage/retention.js",
      search: "checkpointsBefore: oldest.members[0] ?? oldest.seq",
      replace: "checkpointsBefore: oldest.seq",
    },
  ],
  "only the newest changes are restored": [
    {
      file: "actors/channel/saved-state.js",
      search: "for (const each of changes)\n            apply(",
      replace: "for (const each of changes.slice(-1))\n            apply(",
    },
  ],
  "a checkpoint holds no timers": [
    {
      file: "actors/channel/saved-state.js",
      search: "timers: takeTimers(parts, isChanges),",
      replace: "timers: undefined,",
    },
  ],
  "changes of timers aren't restored": [
    { file: "actors/channel/saved-state.js", search: "ctx.changeTimers(timers);", replace: "void 0;" },
  ],
  "what a consumer has is sent again, and taken again": [
    {
      file: "actors/channel/outgoing-link.js",
      search: "if (this.closed || parcel.seq <= this.#skipThrough)",
      replace: "if (this.closed)",
    },
    {
      file: "actors/channel/inputs.js",
      search: "if (parcel.seq <= link.received)\n            return false;",
      replace: "",
    },
    {
      file: "actors/channel/inputs.js",
      search: "invariant(parcel.previous === link.received,",
      replace: "invariant(true,",
    },
  ],
  "a sink's checkpoint is restored, and what follows isn't written again": [
    {
      file: "actors/channel/channel.js",
      search: "this.#replay = new Replay(recovery, log, lineage);",
      replace:
        "this.#replay = new Replay(parts.work instanceof SinkWork && recovery.checkpoint >= 0 ? { ...recovery, through: recovery.checkpoint } : recovery, log, lineage);",
    },
  ],
  "producers are cancelled before the log has it that the channel stops": [
    {
      file: "actors/channel/channel.js",
      search: "this.#tasks.logStop(() => resolve(this.#stopInputs()))",
      replace: "{ resolve(this.#stopInputs()); this.#tasks.logStop(() => {}); }",
    },
  ],
  "parcels of a life that is over are accepted, and sent on under its own name": [
    { file: "actors/slot/links.js", search: "if (source?.life === address.producer)", replace: "if (hosted)" },
    { file: "actors/slot/slot-execution.js", search: "void channel.giveUp(reason);", replace: "" },
  ],
  "a checkpoint is saved before the records that it stands on": [
    {
      file: "actors/lineage/lineage-writer.js",
      search: 'if (report.kind === "lineage-call" && report.request.kind !== "save")',
      replace: 'if (report.kind === "lineage-call")',
    },
  ],
  "a checkpoint holds what no task has consumed": [
    {
      file: "actors/channel/inputs.js",
      search: ".map(([from, link]) => [from, link.consumed])",
      replace: ".map(([from, link]) => [from, link.received])",
    },
  ],
  "what a producer doesn't hold any more isn't made again": [
    { file: "actors/scheduler/plan-recovery.js", search: "if (need.after < held)", replace: "if (false)" },
  ],
  "a spool says that it holds what has left it": [
    {
      file: "actors/channel/outgoing-link.js",
      search: "return this.spool?.heldAfter ?? this.#waiting[0]?.previous ?? this.#sentSeq;",
      replace: "return -1;",
    },
  ],
  "logged tasks take whatever came first": [
    {
      file: "actors/channel/inputs.js",
      search: "removeExactly(input, consumed)",
      replace: "takeParcels(input, consumed.length)",
    },
  ],
  "a replayed task looks at the clock": [
    {
      file: "actors/channel/tasks.js",
      search: "this.#parts.ctx.begin(this.seq, this.#logged?.now);",
      replace: "this.#parts.ctx.begin(this.seq);",
    },
  ],
  "user code that ran before draws anew": [
    { file: "actors/channel/channel-context.js", search: "this.#generator(~this.seq)", replace: "Math.random" },
  ],
  "a split that is gone on with is read at another time": [
    { file: "actors/channel/reader-work.js", search: "this.next(ctx, place.now)", replace: "this.next(ctx)" },
  ],
  "behind a mark is drawn what another life doesn't draw": [
    { file: "actors/channel/reader-work.js", search: "this.#ctx?.drawAnew(", replace: "void (" },
  ],
  "operators are opened at another time": [
    {
      file: "actors/channel/channel-context.js",
      search: "this.#now = parts.openedAt;",
      replace: "this.#now = parts.clock.now();",
    },
  ],
  "a store that is away is given up at once": [
    {
      file: "actors/stores/repeat-while-away.js",
      search: "if (!isAway(error, waiting) || clock.monotonic() - startedAt >= waitMs)",
      replace: "if (true)",
    },
  ],
};

/** The same, of what only shows where faults strike that an execution needn't survive; with the flow in which they show soonest. */
export const brokenBeyondRepair: Readonly<
  Record<string, { readonly patches: readonly Patch[]; readonly flow: FlowName; readonly faults: readonly FaultKind[] }>
> = {
  "a log that ends before what survivors consumed isn't noticed": {
    patches: [
      {
        file: "actors/scheduler/recovering.js",
        search: "this.#refuseRegress(round, round.fenced);",
        replace: "",
      },
    ],
    flow: "live",
    faults: ["store-forgets", "kill"],
  },
};
