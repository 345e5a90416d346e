// specs: timeout 120 s
// Ctrl-C: within a second where user code yields, after two seconds where it doesn't.
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { compiledPath, qstream, type CommandOptions, type Ended } from "./command.ts";

const test = suite("command line: stopping");

const stop = (flow: string, words: readonly string[], options: CommandOptions = {}): Promise<Ended> =>
  qstream(["run", `${compiledPath("stuck.js")}#${flow}`, "--quiet", "--slots", "2", ...words], {
    signal: "SIGINT",
    sayUntil: "running",
    ...options,
  });

for (const isolation of ["thread", "process"]) {
  test(`Ctrl-C ends a flow whose code yields within a second (${isolation})`, async () => {
    const ended = await stop("endless", ["--isolation", isolation]);
    assert.is(ended.code, 130, ended.stderr);
    assert.ok(ended.afterSignal < 1000, `${ended.afterSignal} ms`);
    assert.match(ended.stderr, "stopping; press Ctrl-C again");
    assert.match(ended.stderr, /\[ABORTED\].*interrupted by Ctrl-C/);
  });
}

for (const isolation of ["thread", "process"]) {
  test(`a slot in an endless loop gets two seconds (${isolation})`, async () => {
    const ended = await stop("busy", ["--isolation", isolation]);
    assert.is(ended.code, 130, ended.stderr);
    assert.ok(ended.afterSignal > 1500 && ended.afterSignal < 4000, `${ended.afterSignal} ms`);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`where all is one thread, ${signal} ends even an endless loop at once`, async () => {
    const ended = await stop("busy", ["--isolation", "none"], { signal });
    assert.is(ended.code, null);
    assert.ok(ended.afterSignal < 1000, `${ended.afterSignal} ms`);
  });
}

test("the end of the terminal stops like SIGTERM, with its own exit code", async () => {
  const ended = await stop("endless", ["--isolation", "process"], { signal: "SIGHUP" });
  assert.is(ended.code, 129, ended.stderr);
  assert.match(ended.stderr, "ended by SIGHUP");
});

test("SIGTERM stops too, with its own exit code", async () => {
  const ended = await stop("endless", [], { signal: "SIGTERM" });
  assert.is(ended.code, 143, ended.stderr);
  assert.match(ended.stderr, "ended by SIGTERM");
});

test("with --json - an interrupted execution prints no document", async () => {
  const ended = await stop("endless", ["--json", "-"]);
  assert.equal([ended.code, ended.stdout], [130, ""]);
});

test.run();
