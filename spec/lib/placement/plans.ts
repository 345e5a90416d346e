import type { Plan } from "../../../lib/core/plan.ts";
import type { PlacementStrategy, SlotPlace } from "../../../lib/core/placement-strategy.ts";

export interface StepSketch {
  readonly channels: number;
  readonly placement?: PlacementStrategy;
}

export interface EdgeSketch {
  readonly from: number;
  readonly to: number;
  readonly kind?: string;
}

/** A plan of steps s0, s1, ... and edges, with nothing but what placement looks at. */
export function planOf(steps: readonly StepSketch[], edges: readonly EdgeSketch[]): Plan {
  return {
    flow: "sketch",
    fingerprint: "",
    steps: steps.map(({ channels, placement }, index) => ({
      id: `s${index}`,
      kind: "operator",
      what: "x",
      channels,
      placement: placement ?? (channels === 1 ? { kind: "single" } : { kind: "spread", channels }),
      inputs: edges.flatMap(({ to }, edge) => (to === index ? [{ name: `in${edge}`, edge, stage: 0 }] : [])),
      outputs: edges.flatMap(({ from }, edge) => (from === index ? [edge] : [])),
      endless: false,
    })),
    edges: edges.map(({ from, to, kind = "hash" }, edge) => ({
      from,
      port: "out",
      to,
      input: `in${edge}`,
      kind: "forward",
      partition: { kind, label: kind },
      before: [],
      after: [],
      spools: false,
    })),
  };
}

/** Slots `a0`, `a1`, `b0`, ...: so many of each machine. */
export function slotsOf(perMachine: readonly number[], tags: readonly (readonly string[])[] = []): SlotPlace[] {
  return perMachine.flatMap((count, machine) => {
    const name = String.fromCodePoint(97 + machine);
    return Array.from({ length: count }, (_, index) => ({
      id: `${name}${index}`,
      machine: name,
      tags: tags[machine] ?? [],
    }));
  });
}

/** Bytes between machines: every pair of channels of an edge exchanges as much; passed on, only those of one number. */
export function bytesBetween(
  plan: Plan,
  sizes: readonly number[],
  placed: readonly (readonly string[])[],
  slots: readonly SlotPlace[],
): number {
  const machineOf = new Map(slots.map(({ id, machine }) => [id, machine]));
  let bytes = 0;
  plan.edges.forEach(({ from, to, partition }, edge) => {
    const producers = placed[from] ?? [];
    const consumers = placed[to] ?? [];
    const pairs = producers.flatMap((left, i) =>
      consumers.flatMap((right, j) => (partition.kind === "pass-through" && i !== j ? [] : [[left, right] as const])),
    );
    const away = pairs.filter(([left, right]) => machineOf.get(left) !== machineOf.get(right)).length;
    bytes += ((sizes[edge] ?? 0) * away) / Math.max(1, pairs.length);
  });
  return bytes;
}
