import * as assert from "uvu/assert";
import type { ExecutionMetrics, StepSummary, TaskFailed } from "../../../actors/scheduler/execution-events.ts";
import { emptyMetrics } from "../../../actors/channel/channel-metrics.ts";
import { progressLines, showProgress } from "../../../lib/cli/display/progress.ts";
import { formatPlacement, formatSteps, formatSummary } from "../../../lib/cli/display/summary.ts";
import { formatTable } from "../../../lib/cli/display/table.ts";
import { formatBytes, formatCount, formatDuration } from "../../../lib/cli/display/units.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("command line: display");

test("bytes, counts and durations have units that suit them, also where they round up", () => {
  assert.equal([0, 999, 1000, 12_345, 999_950, 1e6, 2.5e9, 7e15].map(formatBytes), [
    "0 B",
    "999 B",
    "1.00 kB",
    "12.3 kB",
    "1.00 MB",
    "1.00 MB",
    "2.50 GB",
    "7.00 PB",
  ]);
  assert.equal([0, 1234.4, 99_999, 100_000, 999_999, 1e7, 5e9].map(formatCount), [
    "0",
    "1,234",
    "99,999",
    "100 k",
    "1.00 M",
    "10.0 M",
    "5.00 G",
  ]);
  assert.equal([0, 999.4, 999.6, 9999, 12_345, 119_999, 239_900].map(formatDuration), [
    "0 ms",
    "999 ms",
    "1.00 s",
    "10.0 s",
    "12.3 s",
    "2 min 0 s",
    "4 min 0 s",
  ]);
});

test("a table has a column for each property, numbers to the right", () => {
  const rows = [
    { word: "whale", count: 1150, share: 0.12345, day: new Date(0) },
    { word: "sea", count: 7n, more: null },
  ];
  assert.is(
    formatTable(rows),
    [
      "word   count  share  day                       more",
      "-----  -----  -----  ------------------------  ----",
      "whale  1,150  0.123  1970-01-01T00:00:00.000Z",
      "sea        7",
      "",
    ].join("\n"),
  );
});

test("values that are no rows are one column", () => {
  assert.is(formatTable([1, 20]), "value\n-----\n    1\n   20\n");
  assert.is(formatTable([new Map([["a", 1]])]), "value\n-------------------\nMap(1) { 'a' => 1 }\n");
  assert.match(formatTable([[1, 2]]), "[ 1, 2 ]");
  assert.match(formatTable([undefined]), "value");
  assert.is(formatTable([]), "(no rows)\n");
});

test("what doesn't fit is counted, not dropped", () => {
  const rows = Array.from({ length: 1500 }, (_, n) => ({ n }));
  assert.match(formatTable(rows, { rowsMax: 3 }), /\n {2}2\n|\n2\n/);
  assert.match(formatTable(rows, { rowsMax: 3 }), "... and 1,497 more\n");
  assert.match(formatTable(rows.slice(0, 2), { rowsAll: 10 }), "... and 8 more\n");
  const wide = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`c${n}`, n]));
  assert.match(formatTable([wide]), "... and 5 more columns\n");
  assert.match(formatTable([{ text: "x".repeat(100) }]), `${"x".repeat(39)}…\n`);
  const whole = { text: "x".repeat(1000) };
  assert.match(formatTable([whole], { widthMax: Number.POSITIVE_INFINITY }), `${whole.text}\n`);
  assert.match(formatTable([{ ["y".repeat(99)]: [whole.text] }], { widthMax: 2000 }), `[ '${whole.text}' ]\n`);
});

test("user data can't steer the terminal or break the table", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const text = formatTable([{ a: "red\u001b[31m\nnew line", b: circular, c: new Date(Number.NaN) }]);
  assert.not.match(text, "\u001b");
  assert.is(text.split("\n").length, 4);
  assert.match(text, "invalid date");
});

test("wide characters take two columns", () => {
  const lines = formatTable([
    { word: "鯨", n: 1 },
    { word: "ab", n: 2 },
  ]).split("\n");
  assert.equal(lines.slice(2, 4), ["鯨    1", "ab    2"]);
});

test("placement is a row a step and a column a slot", () => {
  const place = (step: string, channel: number, slot: string): { step: string; channel: number; slot: string } => ({
    step,
    channel,
    slot,
  });
  const text = formatPlacement([
    ...[0, 1, 2, 5].map((channel) => place("read", channel, "slot-2")),
    place("read", 3, "slot-10"),
    place("sink", 0, "client"),
  ]);
  const lines = text.split("\n").map((line) => line.split(/ {2,}/));
  assert.equal(lines[0], ["step", "client", "slot-2", "slot-10"]);
  assert.match(text, "0-2, 5");
});

test("the summary says what was stored of lineage", () => {
  const lineage = { records: 10, recordBytes: 2000, checkpoints: 2, checkpointBytes: 3_000_000 };
  assert.match(formatSummary(metricsOf([], { lineage })), "2.00 kB of lineage and 2 checkpoints of 3.00 MB stored");
  assert.match(formatSummary(metricsOf([], { lineage: { ...lineage, checkpoints: 0 } })), "2.00 kB of lineage stored");
  assert.not.match(formatSummary(metricsOf([])), "lineage");
});

test("the summary says rows, time, rate, exchange and memory", () => {
  const text = formatSummary(
    metricsOf([], { rowsRead: 1_000_000, elapsedMs: 2000, bytesExchanged: 5e6, memoryBytes: 3e8 }),
  );
  assert.is(
    text,
    "1,000,000 rows in 2.00 s, 500 k rows/s, 5.00 MB exchanged between slots, 300 MB of memory at most\n",
  );
  assert.match(formatSummary(metricsOf([], { bytesSpooled: 1e6 })), "1.00 MB spooled to disk");
  assert.not.match(formatSummary(metricsOf([])), "memory");
  assert.match(formatSummary(metricsOf([], { lateMessages: 1 })), ", 1 late message refused");
  assert.match(formatSummary(metricsOf([], { lateMessages: 1234 })), ", 1,234 late messages refused");
  assert.not.match(formatSummary(metricsOf([])), "late");
});

test("the summary of a run that was gone on with says that it doesn't count what was before", () => {
  assert.match(formatSummary(metricsOf([], { resumed: true })), "\nCounted since it was gone on with: ");
  assert.not.match(formatSummary(metricsOf([])), "Counted since");
});

test("the table of steps has what each did", () => {
  const text = formatSteps(metricsOf([stepOf("read", { objectsOut: 12_000, tasks: 3, busyMs: 1500 })]));
  assert.match(text, /read +reader +2 +0 +12,000 +3 +1.50 s/);
});

test("progress is drawn in place on a terminal, and what was drawn is cleared when the execution fails", () => {
  const { target, written } = fakeTerminal(true);
  const show = showProgress(target);
  const metrics = metricsOf([
    stepOf("read", { splits: 4, splitsDone: 2, objectsRead: 500 }),
    stepOf("sink", {}, "sink"),
  ]);
  show({ kind: "placed", execution: "e", placement: [] });
  show({ kind: "progress", execution: "e", metrics });
  assert.is(written.length, 1);
  assert.match(written[0] ?? "", /^read █{12}░{12} +500 rows/);
  show({ kind: "progress", execution: "e", metrics });
  assert.is(written[1], "\x1b[2A\x1b[0J");
  show({ kind: "failed", execution: "e", error: new Error("x"), metrics });
  assert.is(written.at(-1), "\x1b[2A\x1b[0J");
});

test("what was lost and lives again is said in lines of their own", () => {
  const { target, written } = fakeTerminal(false);
  const show = showProgress(target);
  const live = (channel: number, slot: string) => ({ step: "sum", channel, slot, checkpoint: -1 });
  show({ kind: "recovered", execution: "e", channels: [live(0, "slot-1")], replays: 1 });
  show({ kind: "recovered", execution: "e", channels: [live(0, "slot-1"), live(1, "slot-0")], replays: 2 });
  show({ kind: "recovered", execution: "e", channels: [live(0, "slot-1"), live(1, "slot-1")], replays: 0 });
  assert.equal(written, [
    "1 channel goes on in slot-1; 1 other makes its outputs again\n",
    "2 channels go on in slot-1, slot-0; 2 others make their outputs again\n",
    "2 channels go on in slot-1\n",
  ]);
});

test("what fails and is tried again is said, without what would steer the terminal", () => {
  const { target, written } = fakeTerminal(false);
  const show = showProgress(target);
  show(failedTask({ attempt: 1, error: new Error('no\u001b[31m\n row (step "sum")') }));
  show(failedTask({ attempt: 3, next: "pass-over", error: new Error("Give it up.") }));
  assert.equal(written, [
    'Attempt 1 of 3 failed: no�[31m row (step "sum"). It is tried again.\n',
    "Attempt 3 of 3 failed: Give it up. What the task had taken is passed over.\n",
  ]);
});

test("code that is waited for is told once, and shown for as long as that lasts", () => {
  const slow = { step: "call", channel: 1, slot: "slot-0", seq: 17, waitMs: 12_000 };
  const { target, written } = fakeTerminal(true, { columns: 60 });
  const show = showProgress(target);
  const metrics = metricsOf([stepOf("call", {}, "operator")]);
  const { seq: _seq, ...opening } = slow;
  show({ kind: "task-slow", execution: "e", ...slow });
  const many = [slow, slow, { ...opening, waitMs: 150_000 }, slow];
  show({ kind: "progress", execution: "e", metrics: { ...metrics, slowTasks: many } });
  assert.is(written[0], 'Waits for the code of "call", channel 1, task 17: 12.0 s by now.\n');
  const lines = (written[1] ?? "").trimEnd().split("\n");
  assert.is(lines.length, 5);
  assert.is(lines[3], 'Waits for the code of "call", channel 1, its open: 2 min 30');
  assert.is(lines[4], "... and for 1 more task");
  show({ kind: "progress", execution: "e", metrics });
  assert.is(written[2], "\x1b[5A\x1b[0J");
  for (let seq = 18; seq < 40; seq++) show({ kind: "task-slow", execution: "e", ...slow, seq });
  assert.is(written.filter((text) => text.startsWith("Waits for")).length, 10);
  assert.is(written.at(-1), '"call" goes on being slow: no more is told of that.\n');
});

test("a step that goes on failing is told a few times", () => {
  const { target, written } = fakeTerminal(false);
  const show = showProgress(target);
  const recovered = (step: string): void =>
    show({
      kind: "recovered",
      execution: "e",
      channels: [{ step, channel: 0, slot: "slot-1", checkpoint: 3 }],
      replays: 0,
    });
  for (let time = 0; time < 30; time++) {
    show(failedTask({}));
    recovered("sum");
  }
  assert.is(written.length, 21);
  assert.is(written.at(-1), '"sum" goes on failing: no more is told of that.\n');
  recovered("count");
  show(failedTask({ step: "count" }));
  assert.is(written.length, 23);
});

test("what is verified is said, and what isn't", () => {
  const { target, written } = fakeTerminal(true);
  const show = showProgress(target);
  show({ kind: "verifying", execution: "e", share: 1, unverified: [] });
  show({ kind: "progress", execution: "e", metrics: metricsOf([stepOf("read", {})]) });
  const unverified = [
    { step: "sum", why: "it has no snapshot" },
    { step: "out", why: "a sink" },
  ];
  show({ kind: "verifying", execution: "e", share: 0.05, unverified });
  assert.is(written[0], "All tasks are run twice\n");
  assert.equal(written.slice(2), [
    "\x1b[1A\x1b[0J",
    "The first task of each channel and 5 % of the others are run twice, but for sum (it has no snapshot), out (a sink)\n",
  ]);
});

test("the summary and the table of steps say what was passed over", () => {
  const steps = [
    stepOf("rows", { counters: { badRows: 1200 } }),
    stepOf("root", { counters: { "passed over": 1, others: 5 } }, "operator"),
  ];
  assert.match(formatSummary(metricsOf(steps)), '1 object passed over in "root", 1,200 bad rows in "rows"');
  assert.match(formatSteps(metricsOf(steps)), /passed over[^]+root.* 1 /u);
  assert.not.match(formatSteps(metricsOf([stepOf("rows", {})])), /passed over/u);
});

test("done leaves full bars, and lines fit the terminal", () => {
  const { target, written } = fakeTerminal(true, { columns: 50, rows: 6 });
  const show = showProgress(target);
  const steps = Array.from({ length: 20 }, (_, index) => stepOf(`step-${index}`, {}));
  show({ kind: "done", execution: "e", metrics: metricsOf(steps) });
  const lines = (written.at(-1) ?? "").trimEnd().split("\n");
  assert.is(lines.length, 4);
  assert.ok(lines.every((line) => line.length < 50));
  assert.match(lines[0] ?? "", "█".repeat(24));
  assert.is(lines[3], "... and 17 more steps");
});

test("off a terminal there is a line every two seconds, without control characters", () => {
  const { target, written } = fakeTerminal(false);
  const show = showProgress(target);
  for (let elapsedMs = 0; elapsedMs < 5000; elapsedMs += 100) {
    show({
      kind: "progress",
      execution: "e",
      metrics: metricsOf([stepOf("read", { splits: 4, splitsDone: 1 })], { elapsedMs }),
    });
  }
  assert.is(written.length, 3);
  assert.is(written[1], "2.00 s: 0 rows read, 1 of 4 splits, 0 B exchanged\n");
});

test("off a terminal the line says in which rounds loops are", () => {
  const { target, written } = fakeTerminal(false);
  const show = showProgress(target);
  const steps = ["first", "second", "third", "fourth", "fifth"].map((step, at) =>
    stepOf(step, { round: 1200 + at }, "operator"),
  );
  const plain = [stepOf("read", {}), stepOf("sum", {}, "operator")];
  const after = [stepOf("read", {}), ...steps.slice(1, 3)];
  for (const [at, shown] of [plain, after, steps].entries()) {
    show({ kind: "progress", execution: "e", metrics: metricsOf(shown, { elapsedMs: 2000 * (at + 1) }) });
  }
  const told = written.map((line) => line.slice(line.indexOf("exchanged")));
  assert.equal(told, [
    "exchanged\n",
    'exchanged, "second" in round 1,201, "third" in round 1,202\n',
    'exchanged, "first" in round 1,200, "second" in round 1,201, "third" in round 1,202, 2 more loops\n',
  ]);
});

test("off a terminal the last line has what it all came to, if there was one before", () => {
  const { target, written } = fakeTerminal(false);
  const [before, after] = [stepOf("read", {}), stepOf("read", { splits: 4, splitsDone: 4 })];
  const show = showProgress(target);
  show({ kind: "progress", execution: "e", metrics: metricsOf([before], { elapsedMs: 700 }) });
  show({ kind: "done", execution: "e", metrics: metricsOf([after], { elapsedMs: 900 }) });
  assert.equal(written, [
    "700 ms: 0 rows read, 0 of 0 splits, 0 B exchanged\n",
    "900 ms: 0 rows read, 4 of 4 splits, 0 B exchanged\n",
  ]);
  showProgress(target)({ kind: "done", execution: "e", metrics: metricsOf([after]) });
  assert.is(written.length, 2, "a short run needs none");
});

test("a step of which nothing tells how far it is has dots", () => {
  const [line] = progressLines(metricsOf([stepOf("work", {}, "operator")]), false, 100);
  assert.match(line ?? "", "·".repeat(24));
});

test.run();

function failedTask(parts: Partial<TaskFailed>): TaskFailed {
  const place = { step: "sum", channel: 0, seq: 7, attempt: 1, attempts: 3 };
  return { kind: "task-failed", execution: "e", next: "try-again", error: new Error("no"), ...place, ...parts };
}

function stepOf(
  step: string,
  metrics: Partial<StepSummary["metrics"]>,
  kind: StepSummary["kind"] = "reader",
): StepSummary {
  return { step, kind, what: kind, channels: 2, channelsDone: 0, metrics: { ...emptyMetrics(), ...metrics } };
}

function metricsOf(steps: readonly StepSummary[], totals: Partial<ExecutionMetrics> = {}): ExecutionMetrics {
  return {
    execution: "e",
    elapsedMs: 1000,
    steps,
    channels: [],
    rowsRead: 0,
    bytesExchanged: 0,
    bytesSpooled: 0,
    lineage: undefined,
    memoryBytes: 0,
    lateMessages: 0,
    ...totals,
  };
}

function fakeTerminal(isTTY: boolean, size: { columns?: number; rows?: number } = {}) {
  const written: string[] = [];
  return { written, target: { isTTY, ...size, write: (text: string) => written.push(text) } };
}
