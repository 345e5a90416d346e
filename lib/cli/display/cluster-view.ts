import type { MachineCounts } from "../../../actors/cluster/machine-counts.ts";
import type { ExecutionMetrics } from "../../../actors/scheduler/execution-events.ts";
import { machineOf } from "../../../actors/transport/wire/slots-on-wire.ts";
import type { ClusterListing } from "../../cluster/cluster-session.ts";
import type { ListedExecution, ListedMachine } from "../../cluster/protocol.ts";
import type { ProgressTarget } from "./progress.ts";
import { formatTable } from "./table.ts";
import { formatCount, formatDuration, formatNumber } from "./units.ts";

/** Rows that were counted when a cluster was last looked at: read by executions, and taken by the channels of machines. */
interface Counted {
  readonly atMs: number;
  readonly read: ReadonlyMap<string, number>;
  readonly taken: ReadonlyMap<string, number>;
}

type ExecutionRow = Readonly<Record<"execution" | "flow" | "status" | "time" | "rows read" | "rows/s", string>>;

const endedShown = 10;

/** Draws what a cluster does, look after look: in place on a terminal, else a few lines each time. */
export class ClusterView {
  readonly #target: ProgressTarget;
  #before: Counted | undefined;

  constructor(target: ProgressTarget) {
    this.#target = target;
  }

  /** @param nowMs - milliseconds of a clock that only goes on */
  show(listing: ClusterListing, nowMs: number): void {
    const counted = countRows(listing, nowMs);
    const text =
      this.#target.isTTY === true ? this.#screen(listing, counted) : `${this.#lines(listing, counted).join("\n")}\n`;
    this.#target.write(text);
    this.#before = counted;
  }

  #screen(listing: ClusterListing, counted: Counted): string {
    const { machines, executions } = listing;
    const { columns = 100, rows = 40 } = this.#target;
    const running = executions.filter(({ status }) => status === "running");
    const waiting = executions.filter(({ status }) => status === "waiting");
    const ended = executions.filter(({ status }) => status !== "running" && status !== "waiting").slice(-endedShown);
    const text = [
      `${headline(listing)} (Ctrl-C to leave)`,
      "",
      formatTable(
        machines.map((machine) => ({
          ...this.#machineRow(machine, running, counted),
          ...(machines.some(({ counts }) => counts !== undefined) ? countsRow(machine) : {}),
        })),
        { rowsMax: 200 },
      ),
      formatTable(
        [...running, ...waiting, ...ended.toReversed()].map((execution) => this.#executionRow(execution, counted)),
        { rowsMax: 200 },
      ),
    ].join("\n");
    const lines = text
      .split("\n")
      .slice(0, Math.max(1, rows - 1))
      .map((line) => line.slice(0, columns - 1));
    return `\x1b[H\x1b[2J${lines.join("\n")}\n`;
  }

  #lines(listing: ClusterListing, counted: Counted): string[] {
    const { machines, executions } = listing;
    const running = executions.filter(({ status }) => status === "running");
    return [
      headline(listing),
      ...machines.flatMap(({ id, counts }) => (counts === undefined ? [] : [`${id}: ${wordsOf(counts)}`])),
      ...running.map((execution) => {
        const row = this.#executionRow(execution, counted);
        const each = row["rows/s"] === "" ? "" : `, ${row["rows/s"]}/s`;
        return `${row["execution"]} ${row["flow"]}: ${row["rows read"]} rows read${each}`;
      }),
    ];
  }

  #machineRow(machine: ListedMachine, running: readonly ListedExecution[], counted: Counted): Record<string, unknown> {
    const channels = running.reduce((sum, { metrics }) => sum + channelsOn(machine.id, metrics), 0);
    return {
      machine: machine.id,
      slots: machine.slots.length,
      tags: machine.tags.join(" "),
      channels,
      "rows/s": rate(machine.id, this.#before, counted, "taken"),
    };
  }

  #executionRow(listed: ListedExecution, counted: Counted): ExecutionRow {
    const { execution, flow, status, metrics } = listed;
    return {
      execution,
      flow,
      status,
      time: metrics === undefined ? "" : formatDuration(metrics.elapsedMs),
      "rows read": formatCount(metrics?.rowsRead ?? 0),
      "rows/s": status === "running" ? rate(execution, this.#before, counted, "read") : "",
    };
  }
}

function headline({ machines, executions, refusedConnections }: ClusterListing): string {
  const [running, waiting] = (["running", "waiting"] as const).map(
    (wanted) => executions.filter(({ status }) => status === wanted).length,
  );
  const waits = waiting === 0 ? "" : `, ${waiting} waiting`;
  const refused = refusedConnections === 0 ? "" : `, ${refusedConnections} connections refused by the head`;
  return `${formatNumber(machines.length, "machine")}, ${formatNumber(running ?? 0, "execution")} running${waits}${refused}`;
}

/** What machines count is shown once there is something: mostly there is nothing. */
function countsRow({ counts }: ListedMachine): Record<string, string> {
  return Object.fromEntries(countNames.map(([key, , column]) => [column, formatCount(counts?.[key] ?? 0)]));
}

function wordsOf(counts: MachineCounts): string {
  const counted = countNames.filter(([key]) => counts[key] > 0);
  return counted.map(([key, words]) => `${counts[key]} ${words}`).join(", ");
}

const countNames: readonly (readonly [key: keyof MachineCounts, words: string, column: string])[] = [
  ["refusedConnections", "connections refused", "turned away"],
  ["refusedMessages", "messages refused", "refused"],
  ["late", "late messages dropped", "late"],
  ["resent", "messages sent again", "resent"],
  ["repeated", "messages that came again dropped", "repeated"],
  ["redials", "connections dialled again", "redials"],
];

function channelsOn(machine: string, metrics: ExecutionMetrics | undefined): number {
  return metrics?.channels.filter(({ slot }) => machineOf(slot) === machine).length ?? 0;
}

function countRows({ executions }: ClusterListing, atMs: number): Counted {
  const read = new Map<string, number>();
  const taken = new Map<string, number>();
  for (const { execution, metrics } of executions) {
    if (metrics === undefined) continue;
    read.set(execution, metrics.rowsRead);
    for (const { slot, metrics: channel } of metrics.channels) {
      const machine = machineOf(slot);
      taken.set(machine, (taken.get(machine) ?? 0) + channel.objectsRead + channel.objectsIn);
    }
  }
  return { atMs, read, taken };
}

/** Rows a second since the last look; none at the first, nor where an execution has been forgotten meanwhile. */
function rate(name: string, before: Counted | undefined, now: Counted, which: "read" | "taken"): string {
  if (before === undefined || now.atMs <= before.atMs) return "";
  const rows = Math.max(0, (now[which].get(name) ?? 0) - (before[which].get(name) ?? 0));
  return formatCount((rows / (now.atMs - before.atMs)) * 1000);
}
