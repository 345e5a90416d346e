import type { RunStep, RunTrace } from "../trace.ts";

/** A line of a diagram. */
export interface Lane {
  readonly id: string;
  readonly machine: string | undefined;
}

/** The lines of a trace side by side, those of a machine together. */
export class Lanes {
  readonly all: readonly Lane[];
  readonly #byId: ReadonlyMap<string, number>;
  readonly #byMachine: ReadonlyMap<string, readonly number[]>;

  constructor(trace: RunTrace) {
    this.all = laneOrder(trace);
    this.#byId = new Map(this.all.map(({ id }, index) => [id, index]));
    const byMachine = new Map<string, number[]>();
    for (const [index, { machine }] of this.all.entries()) {
      if (machine !== undefined) byMachine.set(machine, [...(byMachine.get(machine) ?? []), index]);
    }
    this.#byMachine = byMachine;
  }

  /** Index of a line. */
  indexOf(id: string): number | undefined {
    return this.#byId.get(id);
  }

  /** Indices of what a step's `line` means: one line, those of a machine, or none for all of the run. */
  meantBy(name: string): readonly number[] {
    const index = this.#byId.get(name);
    return index === undefined ? (this.#byMachine.get(name) ?? []) : [index];
  }
}

/** Lines in their order, machines in that of their first line, and behind them who only sends or is sent to. */
function laneOrder(trace: RunTrace): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const { id, machine } of trace.lines) if (!lanes.has(id)) lanes.set(id, { id, machine });
  const machines = new Set(trace.lines.flatMap(({ machine }) => machine ?? []));
  for (const step of trace.steps) {
    for (const id of namesIn(step)) {
      if (id !== "" && !lanes.has(id) && !machines.has(id)) lanes.set(id, { id, machine: undefined });
    }
  }
  const groups = new Map<string, Lane[]>();
  for (const lane of lanes.values()) {
    // A line without a machine is a group by itself: no machine's name begins with this character.
    const group = lane.machine === undefined ? `\u0000${lane.id}` : lane.machine;
    groups.set(group, [...(groups.get(group) ?? []), lane]);
  }
  return [...groups.values()].flat();
}

function namesIn(step: RunStep): string[] {
  return [
    step.line,
    ...(step.message === undefined ? [] : [step.message.from]),
    ...(step.sends ?? []).map(({ to }) => to),
    ...(step.lost ?? []).flatMap(({ from, to }) => [from, to]),
  ];
}
