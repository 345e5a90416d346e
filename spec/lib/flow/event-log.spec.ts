import * as assert from "uvu/assert";
import { emptyMetrics } from "../../../actors/channel/channel-metrics.ts";
import { EventLog } from "../../../lib/flow/execution.ts";
import type { ExecutionEvent, ExecutionMetrics } from "../../../lib/index.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("event log");

test("who listens from the start hears everything in order, but for progress that is outdated", async () => {
  const log = new EventLog();
  const heard: string[] = [];
  const listening = (async () => {
    for await (const event of log.read()) heard.push(nameOf(event));
  })();
  for (const event of [started, progress(1), lost(0), progress(2), lost(1), progress(3), progress(4), done]) {
    log.add(event);
    // oxlint-disable-next-line no-await-in-loop -- the listener's turn
    if (nameOf(event) !== "progress 3") await new Promise((resolve) => void setImmediate(resolve));
  }
  await listening;
  assert.equal(heard, ["started", "progress 1", "slot-0", "progress 2", "slot-1", "progress 4", "done"]);
});

test("who comes late hears the latest progress, and the latest thousand of what went wrong", async () => {
  const log = new EventLog();
  log.add(started);
  for (let index = 0; index < 3000; index++) {
    log.add(lost(index));
    log.add(progress(index));
  }
  log.add(done);
  const heard: string[] = [];
  for await (const event of log.read()) heard.push(nameOf(event));
  assert.is(heard[0], "started");
  assert.equal(heard.slice(-3), ["slot-2999", "progress 2999", "done"]);
  assert.ok(heard.length <= 1001, `${heard.length} are kept`);
  assert.is(heard.filter((name) => name.startsWith("progress")).length, 1);
});

test.run();

const execution = "e";
const started: ExecutionEvent = { kind: "started", execution };
const done: ExecutionEvent = { kind: "done", execution, metrics: metricsOf(0) };

function progress(rowsRead: number): ExecutionEvent {
  return { kind: "progress", execution, metrics: metricsOf(rowsRead) };
}

function lost(index: number): ExecutionEvent {
  return { kind: "slot-lost", execution, slot: `slot-${index}`, error: new Error("lost") };
}

function nameOf(event: ExecutionEvent): string {
  if (event.kind === "slot-lost") return event.slot;
  return event.kind === "progress" ? `progress ${event.metrics.rowsRead}` : event.kind;
}

function metricsOf(rowsRead: number): ExecutionMetrics {
  const totals = { rowsRead, bytesExchanged: 0, bytesSpooled: 0, memoryBytes: 0, lateMessages: 0, lineage: undefined };
  const step = { step: "s", what: "numbers", channels: 1, channelsDone: 0, metrics: emptyMetrics() };
  return { execution, elapsedMs: rowsRead, steps: [{ ...step, kind: "reader" }], channels: [], ...totals };
}
