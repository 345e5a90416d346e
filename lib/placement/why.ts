import type { Plan } from "../core/plan.ts";
import type { EdgeSizes } from "../core/placement-strategy.ts";
import { count } from "./missing.ts";

/** Why the channels of a step are where they are, for people. */
export function whyThere(plan: Plan, step: number, sizes: EdgeSizes | undefined): string {
  const planned = plan.steps[step];
  if (planned === undefined) return "";
  const { placement, channels } = planned;
  switch (placement.kind) {
    case "client":
      return "in the client's own thread";
    case "with-data":
      return "where the data is that it reads";
    case "with-step":
      return `where "${plan.steps[placement.step]?.id}" is: what passes between them stays in its slot`;
    case "per-slot":
      return `${count(placement.channels, "channel")} on each slot`;
    case "per-machine":
      return `${count(placement.channels, "channel")} on each machine`;
    case "tagged":
      return `on slots with the tag "${placement.tag}"`;
    case "near-files":
      return "near the files that it reads: on which machines they are is known when it runs";
    case "apart": {
      const others = placement.from.map((id) => `"${id}"`).join(", ");
      return others === "" ? `each on a ${placement.by} of its own` : `on no ${placement.by} that has ${others}`;
    }
    case "single":
    case "spread": {
      const how = channels === 1 ? "on any slot" : "dealt to the slots";
      const partner = partnerOf(plan, step, sizes);
      return partner === undefined ? how : `${how}, near "${partner.id}": ${formatBytes(partner.bytes)} were measured`;
    }
  }
}

/** The step that most is exchanged with. */
function partnerOf(plan: Plan, step: number, sizes: EdgeSizes | undefined): { id: string; bytes: number } | undefined {
  let most: { id: string; bytes: number } | undefined;
  for (const [edge, { from, to }] of plan.edges.entries()) {
    const bytes = sizes?.[edge] ?? 0;
    if ((from !== step && to !== step) || bytes <= (most?.bytes ?? 0)) continue;
    const other = plan.steps[from === step ? to : from];
    // The client's thread is near to nobody.
    if (other !== undefined && other.placement.kind !== "client") most = { id: other.id, bytes };
  }
  return most;
}

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 2 ** (10 * power)).toPrecision(3))} ${units[power]}`;
}
