import type { RunStep } from "../trace.ts";
import { signRadius } from "./geometry.ts";
import type { Layout } from "./layout.ts";
import { lifeAfter } from "./lives.ts";
import { element, path, textAt } from "./markup.ts";
import { columnWidth, escapeXml, printable, shorten } from "./text.ts";

/** The names of lines and machines, and the heads of the columns beside them. */
export function drawHeads(layout: Layout): string {
  const { headTop, top, gap, lanes } = layout;
  const columns = Math.floor((gap - 12) / columnWidth);
  const parts = [
    textAt("number", layout.numbersEnd, top - 8, "step", { "text-anchor": "end" }),
    textAt("time", layout.timesEnd, top - 8, "ms", { "text-anchor": "end" }),
  ];
  for (const [index, { id }] of lanes.all.entries()) {
    const [whole, x] = [printable(id), layout.laneX(index)];
    const shown = escapeXml(shorten(whole, columns)) + element("title", {}, escapeXml(whole));
    parts.push(element("text", { class: "name", x, y: top - 8, "text-anchor": "middle" }, shown));
  }
  for (const { machine, first, last } of machineRuns(layout)) {
    // The only line of a machine, with its name, says it all.
    if (first === last && lanes.all[first]?.id === machine) continue;
    const [from, to] = [layout.laneX(first) - gap / 2 + 6, layout.laneX(last) + gap / 2 - 6];
    const name = shorten(printable(machine), Math.floor((to - from - 8) / columnWidth));
    parts.push(path("machine", ["M", from, headTop + 22, "v", -4, "H", to, "v", 4]));
    parts.push(textAt("machine-name", (from + to) / 2, headTop + 12, name, { "text-anchor": "middle" }));
  }
  return parts.join("\n");
}

/** The lines themselves: whole while they live, broken off at crashes and stops. */
export function drawLanes(layout: Layout): string {
  return changesByLane(layout)
    .flatMap((changes, lane) =>
      lifeOf(layout, changes).map(({ alive, from, to }) =>
        path(alive ? "lane" : "lane gone", ["M", layout.laneX(lane), from, "V", to]),
      ),
    )
    .join("\n");
}

/** Bands behind the lines of each side while the network is parted. */
export function drawBands(layout: Layout): string {
  const bands: string[] = [];
  for (const { step, from, to } of partitions(layout)) {
    const sides = sidesOf(layout, step);
    for (const [side, lanes] of sides.entries()) {
      for (const { first, last } of runsOf(lanes)) {
        const x = layout.laneX(first) - layout.gap / 2 + 2;
        const width = layout.laneX(last) + layout.gap / 2 - 2 - x;
        bands.push(element("rect", { class: `band side-${side % 3}`, x, y: from, width, height: to - from }));
      }
    }
  }
  return bands.join("\n");
}

interface Life {
  readonly alive: boolean;
  readonly from: number;
  readonly to: number;
}

/** A step that begins or ends the life of a line; its row is negative where it isn't shown. */
interface Change {
  readonly row: number;
  readonly isStart: boolean;
  readonly isAlive: boolean;
}

function changesByLane({ trace, selection, lanes }: Layout): Change[][] {
  const changes: Change[][] = lanes.all.map(() => []);
  for (const [index, { kind, line }] of trace.steps.entries()) {
    const life = lifeAfter[kind];
    if (life === undefined) continue;
    const change = { row: index - selection.first, isStart: kind === "start", isAlive: life === "alive" };
    for (const lane of lanes.meantBy(line)) changes[lane]?.push(change);
  }
  return changes;
}

function lifeOf(layout: Layout, changes: readonly Change[]): Life[] {
  // Who is started in the trace isn't there before.
  let alive = changes[0]?.isStart !== true;
  let from = layout.top;
  const lives: Life[] = [];
  for (const { row, isAlive } of changes) {
    if (row >= layout.selection.steps.length) break;
    if (isAlive === alive) continue;
    if (row >= 0) {
      const to = layout.rowY(row) - (alive ? 0 : signRadius);
      lives.push({ alive, from, to });
      from = layout.rowY(row) + (alive ? signRadius + 2 : 0);
    }
    alive = isAlive;
  }
  return [...lives, { alive, from, to: layout.bottom }];
}

interface Partition {
  readonly step: RunStep;
  readonly from: number;
  readonly to: number;
}

/** Partitions with their extents. One of the whole network ends what was before it; one of a line ends with its line's. */
function partitions({ trace, selection, ...layout }: Layout): Partition[] {
  const open = new Map<string, { readonly step: RunStep; readonly from: number }>();
  const found: Partition[] = [];
  const close = (line: string, to: number): void => {
    for (const [key, { step, from }] of open) {
      if (line !== "" && line !== key) continue;
      if (to > from) found.push({ step, from, to });
      open.delete(key);
    }
  };
  for (const [index, step] of trace.steps.entries()) {
    const row = index - selection.first;
    if (row >= selection.steps.length) break;
    if (step.kind !== "partition" && step.kind !== "heal") continue;
    const y = row < 0 ? layout.top : layout.rowY(row);
    close(step.line, y);
    if (step.kind === "partition") open.set(step.line, { step, from: y });
  }
  close("", layout.bottom);
  return found;
}

/** Lanes of each side of a partition. */
function sidesOf({ lanes }: Layout, { groups, line }: RunStep): number[][] {
  if (groups !== undefined) return groups.map((side) => [...new Set(side.flatMap((name) => lanes.meantBy(name)))]);
  const cut = lanes.meantBy(line);
  return [lanes.all.flatMap((_, lane) => (cut.includes(lane) ? [] : [lane])), [...cut]];
}

interface Run {
  readonly first: number;
  readonly last: number;
}

/** Lanes as runs of neighbours. */
function runsOf(lanes: readonly number[]): Run[] {
  const runs: { first: number; last: number }[] = [];
  for (const lane of lanes.toSorted((one, other) => one - other)) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === lane - 1) run.last = lane;
    else runs.push({ first: lane, last: lane });
  }
  return runs;
}

function machineRuns({ lanes }: Layout): (Run & { readonly machine: string })[] {
  const machines = new Set(lanes.all.flatMap(({ machine }) => machine ?? []));
  return [...machines].map((machine) => {
    const first = lanes.all.findIndex((lane) => lane.machine === machine);
    return { machine, first, last: lanes.all.findLastIndex((lane) => lane.machine === machine) };
  });
}
