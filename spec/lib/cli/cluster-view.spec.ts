import * as assert from "uvu/assert";
import type { ExecutionMetrics } from "../../../actors/scheduler/execution-events.ts";
import { ClusterView } from "../../../lib/cli/display/cluster-view.ts";
import type { ClusterListing } from "../../../lib/cluster/cluster-session.ts";
import type { ListedExecution } from "../../../lib/cluster/protocol.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("the view of a cluster");

const machine = (id: string): ClusterListing["machines"][number] => ({
  id,
  url: `http://${id}`,
  slots: [`${id}/slot-0`, `${id}/slot-1`],
  tags: ["gpu"],
  host: id,
  memoryBytes: undefined,
  joinedAt: 0,
});

function running(execution: string, rows: Readonly<Record<string, number>>): ListedExecution {
  const channels = Object.entries(rows).map(([slot, objectsIn]) => ({ slot, metrics: { objectsIn, objectsRead: 0 } }));
  const rowsRead = Object.values(rows).reduce((sum, each) => sum + each, 0);
  const metrics = { elapsedMs: 2000, rowsRead, channels } as unknown as ExecutionMetrics;
  return { execution, flow: "wordcount", status: "running", submittedAt: 0, metrics };
}

const ended: ListedExecution = { execution: "run-0", flow: "old", status: "done", submittedAt: 0 };

function show(view: ClusterView, listing: Omit<ClusterListing, "refusedConnections">, nowMs: number): void {
  view.show({ refusedConnections: 0, ...listing }, nowMs);
}

function drawn(terminal: boolean): string[] {
  const written: string[] = [];
  const view = new ClusterView({ isTTY: terminal, columns: 120, rows: 30, write: (text) => written.push(text) });
  const machines = [machine("a"), machine("b")];
  show(view, { machines, executions: [ended, running("run-1", { "a/slot-0": 1000, "b/slot-0": 500 })] }, 10_000);
  show(view, { machines, executions: [ended, running("run-1", { "a/slot-0": 3000, "b/slot-0": 500 })] }, 12_000);
  return written;
}

test("on a terminal, machines and executions are drawn in place with their rates since the last look", () => {
  const [first = "", second = ""] = drawn(true);
  assert.ok(second.startsWith("\x1b[H\x1b[2J2 machines, 1 execution running"));
  assert.match(first, /^run-1 +wordcount +running +2\.00 s +1,500 *$/m);
  assert.match(second, /^a +2 +gpu +1 +1,000$/m);
  assert.match(second, /^b +2 +gpu +1 +0$/m);
  assert.match(second, /^run-1 +wordcount +running +2\.00 s +3,500 +1,000$/m);
  assert.match(second, /^run-0 +old +done/m);
});

test("elsewhere each look is a line for the cluster, and one for each execution that runs", () => {
  const [first = "", second = ""] = drawn(false);
  assert.is(first, "2 machines, 1 execution running\nrun-1 wordcount: 1,500 rows read\n");
  assert.is(second, "2 machines, 1 execution running\nrun-1 wordcount: 3,500 rows read, 1,000/s\n");
});

const counts = { refusedConnections: 2, refusedMessages: 0, late: 1234, resent: 3, repeated: 0, redials: 1 };

test("what machines have refused, dropped and sent again is shown once there is something, and who waits", () => {
  const machines = [{ ...machine("a"), counts }, machine("b")];
  const executions: ListedExecution[] = [{ execution: "run-2", flow: "next", status: "waiting", submittedAt: 0 }];
  const [onTerminal, elsewhere] = [true, false].map((isTTY) => {
    let text = "";
    const view = new ClusterView({ isTTY, columns: 200, rows: 30, write: (more) => void (text += more) });
    view.show({ machines, executions, refusedConnections: 7 }, 0);
    return text;
  });
  const headline = "2 machines, 0 executions running, 1 waiting, 7 connections refused by the head";
  assert.ok(onTerminal?.startsWith(`\x1b[H\x1b[2J${headline}`));
  assert.match(onTerminal ?? "", /turned away +refused +late +resent +repeated +redials/);
  assert.match(onTerminal ?? "", /^a +2 +gpu +0 +2 +0 +1,234 +3 +0 +1$/m);
  assert.match(onTerminal ?? "", /^b +2 +gpu +0 +0 +0 +0 +0 +0 +0$/m);
  assert.match(onTerminal ?? "", /^run-2 +next +waiting/m);
  const counted =
    "2 connections refused, 1234 late messages dropped, 3 messages sent again, 1 connections dialled again";
  assert.is(elsewhere, `${headline}\na: ${counted}\n`);
});

test("no more lines are drawn than the terminal has", () => {
  const written: string[] = [];
  const view = new ClusterView({ isTTY: true, columns: 40, rows: 10, write: (text) => written.push(text) });
  const machines = Array.from({ length: 50 }, (_, n) => machine(`machine-${n}`));
  show(view, { machines, executions: [] }, 0);
  const lines = (written[0] ?? "").split("\n");
  assert.ok(lines.length <= 10, String(lines.length));
  assert.ok(lines.slice(1).every((line) => line.length < 40));
});

test.run();
