import type { KeySelector } from "../core/key.ts";
import { QStreamError } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";
import type { Graph, InputNode, StepNode } from "./graph.ts";
import { planGraph } from "./plan-graph.ts";

/** Which steps get how many channels: those named, or, with `true`, all as a fresh run on the same slots would have. */
export type Rescale = true | Readonly<Record<string, number>>;

/**
 * The channels of each step from now on, by step id. Steps whose channels can't change keep their number; one that is named
 * is refused.
 *
 * @throws QStreamError OPTION_INVALID for steps that there aren't, and numbers that can't be; UNSUPPORTED
 */
export function channelsWanted(
  graph: Graph,
  before: Plan,
  slots: readonly SlotPlace[],
  rescale: Rescale,
): ReadonlyMap<string, number> {
  refuseDatasets(graph);
  refuseLoops(graph);
  const named = rescale === true ? undefined : checkNamed(graph, rescale);
  const fresh = named === undefined ? planGraph(graph, { slots }) : undefined;
  const wanted = new Map<string, number>();
  for (const [index, step] of graph.steps.entries()) {
    const now = before.steps[index]?.channels ?? 1;
    const asked = named === undefined ? fresh?.steps[index]?.channels : named[step.id];
    const reason = asked === undefined || asked === now ? undefined : whyFixed(step);
    if (reason !== undefined && named !== undefined) throw fixed(step.id, reason);
    wanted.set(step.id, reason === undefined ? (asked ?? now) : now);
  }
  if (named === undefined) keepTogether(graph, before, wanted);
  return wanted;
}

/** The error for a step whose number of channels can't change. */
export function fixed(step: string, reason: string): QStreamError {
  return new QStreamError("UNSUPPORTED", `the number of channels of "${step}" can't change: ${reason}`, {
    step,
    advice: "Leave it out of rescale; or let rescale: true choose, which keeps the number of such steps",
  });
}

function refuseDatasets(graph: Graph): void {
  const step = graph.steps.find(
    ({ code }) =>
      (code.kind === "reader" && code.reader.locate !== undefined) ||
      (code.kind === "sink" && code.sink.kind === "dataset"),
  );
  if (step === undefined) return;
  throw new QStreamError("UNSUPPORTED", `the channels of a flow with the dataset "${step.id}" can't change`, {
    step: step.id,
    advice: "A dataset lives in the slots of its session: go on without rescale",
  });
}

/** What is on its way in a loop is taken by its end only, and belongs to no channel that could take it over. */
function refuseLoops(graph: Graph): void {
  const step = graph.steps.find(({ loop }) => loop !== undefined);
  if (step === undefined) return;
  throw new QStreamError("UNSUPPORTED", `the channels of a flow with the loop "${step.id}" can't change`, {
    step: step.id,
    advice: "Go on without rescale; or let the loop be a flow of its own, whose results another one reads",
  });
}

function checkNamed(graph: Graph, named: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  for (const [id, channels] of Object.entries(named)) {
    if (!graph.steps.some((step) => step.id === id)) {
      throw new QStreamError("OPTION_INVALID", `rescale: flow "${graph.flow}" has no step "${id}"`, {
        advice: `Its steps are: ${graph.steps.map((step) => step.id).join(", ")}`,
      });
    }
    if (Number.isInteger(channels) && channels >= 1 && channels <= 65536) continue;
    throw new QStreamError("OPTION_INVALID", `rescale: ${channels} channels of "${id}" is no whole number from 1 on`);
  }
  return named;
}

/** A step keeps its channels after all. */
export function keep(graph: Graph, before: Plan, wanted: Map<string, number>, step: string): void {
  wanted.set(step, before.steps[graph.steps.findIndex(({ id }) => id === step)]?.channels ?? 1);
  keepTogether(graph, before, wanted);
}

/** Where objects are passed through on purpose, both sides have as many channels: those that they had, if one side keeps its. */
function keepTogether(graph: Graph, before: Plan, wanted: Map<string, number>): void {
  const channelsOf = (id: string): number =>
    before.steps[graph.steps.findIndex((step) => step.id === id)]?.channels ?? 1;
  for (let changed = true; changed;) {
    changed = false;
    for (const { id, inputs } of graph.steps) {
      for (const { partition, from } of inputs) {
        if (partition?.kind !== "pass-through" || wanted.get(id) === wanted.get(from.step.id)) continue;
        changed = true;
        for (const end of [id, from.step.id]) wanted.set(end, channelsOf(end));
      }
    }
  }
}

/** Why the channels of a step can't change; undefined where they can. */
function whyFixed({ code, dealing, inputs }: StepNode): string | undefined {
  if (code.kind === "sink") return "a sink goes on with what its channels have written";
  if (code.kind === "reader") {
    return code.reader.replayable === false ? "its source can't be read again" : undefined;
  }
  if (dealing?.deal === undefined) return `${dealing?.kind ?? "its operator"} can't deal its state`;
  for (const input of inputs) {
    const reason = whyUndealt(input, dealing.keys?.[input.name as never]);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** @param key - by which the state is kept, if it is by one */
function whyUndealt({ name, partition, after }: InputNode, key: KeySelector<never> | undefined): string | undefined {
  const kind = partition?.kind;
  if (kind === "range" || kind === "custom" || kind === "broadcast") {
    return `input "${name}" gets its objects by ${partition?.label}`;
  }
  if (key === undefined) return undefined;
  const hashed = (partition?.options as { readonly key?: unknown } | undefined)?.key;
  if (kind !== "hash" || !isSameKey(key, hashed)) return `input "${name}" doesn't get its objects by hash of its key`;
  return after.length === 0 ? undefined : `functions on input "${name}" come behind its hash, and may change the key`;
}

/** @param hashed - the names that the partition function was given, or a text that stands for a function */
function isSameKey(key: KeySelector<never>, hashed: unknown): boolean {
  const names: unknown = typeof key === "string" ? [key] : key;
  if (!Array.isArray(names)) return typeof hashed === "string";
  return Array.isArray(hashed) && hashed.length === names.length && names.every((name, at) => name === hashed[at]);
}
