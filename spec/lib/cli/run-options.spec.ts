import * as assert from "uvu/assert";
import { parseRunOptions } from "../../../lib/cli/run-options.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("run options");

test("a flow alone has the defaults", () => {
  assert.equal(parseRunOptions(["flow.ts"]), {
    flow: "flow.ts",
    args: [],
    slots: undefined,
    isolation: "thread",
    memoryBytes: undefined,
    turnMs: undefined,
    leaseMs: undefined,
    verifyReplay: undefined,
    // Specs are run with QSTREAM_STORE=none.
    store: process.env["QSTREAM_STORE"] ?? "lmdb:.qstream",
    checkpoints: undefined,
    checkpointEveryMs: undefined,
    attempts: undefined,
    storeWaitMs: undefined,
    resume: undefined,
    upgrade: false,
    rescale: undefined,
    json: undefined,
    explain: undefined,
    quiet: false,
    cluster: undefined,
    detach: false,
    help: false,
  });
});

test("a cluster is named by its head's URL, and can be left alone with the flow", () => {
  const { cluster, detach } = parseRunOptions(["flow.ts", "--cluster", "ws://head:7420", "--detach"]);
  assert.equal(cluster, { url: "ws://head:7420", detach: true });
  const words = ["flow.ts", "--cluster", "ws://head:7420", "--resume", "run-1", "--upgrade", "--rescale", "sums=2"];
  const { resume, upgrade, rescale } = parseRunOptions(words);
  assert.equal({ resume, upgrade, rescale }, { resume: "run-1", upgrade: true, rescale: { sums: 2 } });
  assert.ok(detach);
});

test("options may stand anywhere, and arguments be repeated", () => {
  const options = parseRunOptions([
    "--arg",
    "a=1",
    "flow.ts",
    "--arg=b=2=3",
    "--slots",
    "4",
    "--quiet",
    "--json",
    "-",
    "--isolation=process",
  ]);
  assert.equal(options.args, ["a=1", "b=2=3"]);
  assert.is(options.flow, "flow.ts");
  assert.is(options.slots, 4);
  assert.is(options.json, "-");
  assert.is(options.isolation, "process");
  assert.ok(options.quiet);
});

test("--explain alone is text, and takes no word away", () => {
  assert.is(parseRunOptions(["--explain", "flow.ts"]).explain, "text");
  assert.is(parseRunOptions(["flow.ts", "--explain"]).explain, "text");
  assert.is(parseRunOptions(["flow.ts", "--explain=dot"]).explain, "dot");
  assert.is(parseRunOptions(["flow.ts", "--explain=mermaid"]).explain, "mermaid");
});

test("--verify-replay takes a share if one follows, and no other word", () => {
  const shareOf = (...words: string[]): unknown => parseRunOptions(words).verifyReplay;
  assert.is(shareOf("--verify-replay", "flow.ts"), true);
  assert.is(shareOf("flow.ts", "--verify-replay"), true);
  assert.equal(shareOf("--verify-replay", "0.5", "flow.ts"), { share: 0.5 });
  assert.equal(shareOf("flow.ts", "--verify-replay=1"), { share: 1 });
  for (const share of ["0", "1.5", "much"]) {
    assert.throws(() => shareOf("flow.ts", `--verify-replay=${share}`), /a part of all tasks is wanted/);
  }
});

test("--rescale alone is for all steps, and takes STEP=N if that follows", () => {
  const rescaleOf = (...words: string[]): unknown => parseRunOptions([...words, "--resume", "run-1"]).rescale;
  assert.is(rescaleOf("--rescale", "flow.ts"), true);
  assert.is(rescaleOf("flow.ts", "--rescale"), true);
  assert.is(rescaleOf("flow.ts", "--rescale", "--quiet"), true);
  assert.equal(rescaleOf("flow.ts", "--rescale", "sums=4"), { sums: 4 });
  assert.equal(rescaleOf("--rescale=sums=4", "flow.ts", "--rescale", "a=b=65536"), { sums: 4, "a=b": 65_536 });
  assert.equal(Object.entries(rescaleOf("flow.ts", "--rescale", "__proto__=2") as object), [["__proto__", 2]]);
});

test("--turn-ms is a number of milliseconds, and 0 for no limit", () => {
  assert.is(parseRunOptions(["flow.ts", "--turn-ms", "0"]).turnMs, 0);
  assert.is(parseRunOptions(["flow.ts", "--turn-ms=1500"]).turnMs, 1500);
  assert.throws(() => parseRunOptions(["flow.ts", "--turn-ms", "soon"]), /--turn-ms soon: a whole number/);
  assert.throws(() => parseRunOptions(["flow.ts", "--turn-ms", "5", "--isolation", "none"]), /there are none/);
});

test("how lineage is kept can be set, on a cluster as far as that is the run's own", () => {
  const kept = ["--attempts", "5", "--checkpoint-every-ms", "500"];
  const here = parseRunOptions(["flow.ts", "--store", "memory", ...kept, "--store-wait-ms=0"]);
  assert.equal([here.attempts, here.checkpointEveryMs, here.storeWaitMs], [5, 500, 0]);
  const there = parseRunOptions(["flow.ts", "--cluster", "h:1", ...kept]);
  assert.equal([there.attempts, there.checkpointEveryMs, there.storeWaitMs], [5, 500, undefined]);
  const resumed = parseRunOptions(["flow.ts", "--store", "lmdb:x", "--resume", "r", "--store-wait-ms", "250", ...kept]);
  assert.equal([resumed.attempts, resumed.checkpointEveryMs, resumed.storeWaitMs], [5, 500, 250]);
  assert.is(parseRunOptions(["flow.ts", "--isolation", "process", "--lease-ms", "1000"]).leaseMs, 1000);
});

test("memory has units", () => {
  const bytesOf = (text: string): number | undefined => parseRunOptions(["f", "--memory", text]).memoryBytes;
  assert.is(bytesOf("536870912"), 536_870_912);
  assert.is(bytesOf("512MB"), 512e6);
  assert.is(bytesOf("1.5 GiB"), 1.5 * 2 ** 30);
  assert.is(bytesOf("2gb"), 2e9);
});

test("--help needs no flow, and no store", () => {
  assert.ok(parseRunOptions(["-h"]).help);
  assert.ok(parseRunOptions(["-h", "--store", "sqlite:x"]).help);
});

test("checkpoints may be kept in a folder or a bucket", () => {
  for (const place of ["blobs", "/var/blobs", "file:///var/blobs", "s3://bucket", "s3://my.bucket-1/a/b"]) {
    assert.is(parseRunOptions(["flow.ts", "--checkpoints", place]).checkpoints, place);
  }
});

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /which flow/],
  [["a.ts", "b.ts"], /one flow at a time, not a.ts and b.ts/],
  [["a.ts", "--explain", "dot"], /--explain=dot/],
  [["a.ts", "--explain=png"], /text, mermaid, dot/],
  [["a.ts", "--slots", "0"], /--slots 0: a whole number from 1 to 1024/],
  [["a.ts", "--slots", "1e2"], /--slots 1e2/],
  [["a.ts", "--slots", "4096"], /1024/],
  [["a.ts", "--slots"], /--slots/],
  [["a.ts", "--isolation", "fiber"], /thread, process, none/],
  [["a.ts", "--memory", "12"], /16 MiB/],
  [["a.ts", "--memory", "2 toString"], /--memory 2 toString/],
  [["a.ts", "--memory", "-1"], /--memory/],
  [["a.ts", "--memory", "99999999GB"], /--memory 99999999GB: from 16 MiB to 16,384 GiB/],
  [["a.ts", "--slots", ""], /--slots has an empty value/],
  [["a.ts", "--isolation", ""], /--isolation has an empty value/],
  [["a.ts", "--store", "sqlite:x"], /there is no store "sqlite:x"\. One of memory, lmdb:<folder>.*, none/],
  [["a.ts", "--store", "none", "--resume", "r"], /--resume goes on with what a store keeps, and "none" keeps nothing/],
  [["a.ts", "--slots", "2", "--slots=3"], /--slots is given twice, with 2 and 3: give it once/],
  [["a.ts", "--store", ""], /--store has an empty value: is a variable of the shell not set/],
  [["a.ts", "--store", "lmdb:"], /names no folder\. Write lmdb:\.qstream/],
  [["a.ts", "--store", "lmdb:x?flush=yes"], /lmdb:<folder>\?flush=true/],
  [["a.ts", "--store", "redis://host:99999"], /Write redis:\/\/\[user:password@\]host:port\/db/],
  [["a.ts", "--checkpoints", ""], /--checkpoints has an empty value/],
  [["a.ts", "--checkpoints", "a*b"], /checkpoints: "a\*b" is not/],
  [["a.ts", "--checkpoints", "s3://"], /checkpoints: "s3:\/\/" is not/],
  [["a.ts", "--checkpoints", "http://x/y"], /checkpoints: "http:\/\/x\/y" is not/],
  [["a.ts", "--colour"], /--colour/],
  [["a.ts", "--quiet=yes"], /--quiet/],
  [["a.ts", "--json", "-", "--explain"], /--json .* --explain/],
  [["a.ts", "--store", "memory", "--attempts", "0"], /--attempts 0: a whole number from 1 to 1000/],
  [["a.ts", "--store", "memory", "--checkpoint-every-ms", "2s"], /--checkpoint-every-ms 2s: a whole number from 1/],
  [["a.ts", "--store", "memory", "--store-wait-ms", "-1"], /--store-wait-ms wants a value|a whole number from 0/],
  [["a.ts", "--store", "memory", "--store-wait", "1"], /did you mean --store-wait-ms\?/],
  [["a.ts", "--store", "none", "--attempts", "2"], /--attempts is for runs with a store/],
  [["a.ts", "--isolation", "none", "--store-wait-ms", "2"], /--store-wait-ms is for runs with a store/],
  [["a.ts", "--lease-ms", "2000"], /--lease-ms watches processes: give --isolation process/],
  [["a.ts", "--isolation", "process", "--lease-ms", "999"], /--lease-ms 999: a whole number from 1000/],
  [["a.ts", "--cluster", "h:1", "--store-wait-ms", "5"], /--store-wait-ms can't be .* qstream head --lease-ms/],
  [["a.ts", "--cluster", "h:1", "--lease-ms", "5000"], /--lease-ms can't be .* qstream head --lease-ms/],
  [["a.ts", "--memory", "1GB", "--isolation", "none"], /--memory .* none/],
  [["a.ts", "--cluster", "http://head/path"], /isn't the URL of a head/],
  [["a.ts", "--cluster", "h:1", "--slots", "2"], /--slots can't be given with --cluster; .* qstream worker --slots/],
  [["a.ts", "--cluster", "h:1", "--isolation", "process"], /--isolation can't be given with --cluster/],
  [["a.ts", "--cluster", "h:1", "--memory", "1GB"], /--memory can't be .* qstream worker --memory/],
  [["a.ts", "--cluster", "h:1", "--turn-ms", "5"], /--turn-ms can't be .* qstream worker --turn-ms/],
  [["a.ts", "--cluster", "h:1", "--store", "memory"], /--store can't be .* qstream head --store/],
  [["a.ts", "--cluster", "h:1", "--checkpoints", "x"], /--checkpoints can't be/],
  [["a.ts", "--cluster", "h:1", "--resume", "run-1", "--arg", "a=1"], /--resume goes on with the arguments/],
  [["a.ts", "--cluster", "h:1", "--explain"], /--explain can't be/],
  [["a.ts", "--cluster", "h:1", "--token-file", "not-there"], /--token-file not-there: it can't be read/],
  [["a.ts", "--cluster", "h:1", "--tls-cert", "not-there"], /--tls-cert and --tls-key belong together/],
  [["a.ts", "--cluster", "h:1", "--detach", "--json", "-"], /--detach doesn't wait .* qstream follow/],
  [["a.ts", "--cluster", "h:1", "--rescale"], /--rescale says with how many channels --resume goes on/],
  [["a.ts", "--rescale"], /--rescale says with how many channels --resume goes on/],
  [["a.ts", "--rescale", "sums=2"], /--rescale says with how many channels --resume goes on/],
  ...["0", "-1", "1.5", "65537", "many", ""].map(
    (number) =>
      [["a.ts", "--resume", "r", "--rescale", `sums=${number}`], /--rescale sums .*: a whole number/] as const,
  ),
  [["a.ts", "--resume", "r", "--rescale=sums"], /--rescale sums: STEP=N is wanted/],
  [["a.ts", "--resume", "r", "--rescale", "=2"], /one flow at a time|STEP=N is wanted/],
  [["a.ts", "--resume", "r", "--rescale", "--rescale", "sums=2"], /--rescale all: alone it is for all steps/],
  [["a.ts", "--resume", "r", "--rescale", "sums=2", "--rescale", "sums=3"], /"sums" is given twice/],
  [["a.ts", "--detach"], /--detach is for a cluster/],
  [["a.ts", "--token-file", "token"], /--token-file is for a cluster/],
];

for (const [words, message] of wrong) {
  test(`refused: ${words.join(" ") || "nothing"}`, () => {
    assert.throws(
      () => parseRunOptions(words),
      (error: { readonly code?: string; readonly message: string }) =>
        error.code === "OPTION_INVALID" && message.test(error.message),
    );
  });
}

test.run();
