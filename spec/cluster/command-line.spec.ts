// specs: waits
// specs: timeout 120 s
// The commands that are clients of a cluster, as a user meets them: words, streams and exit codes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { compiledPath, flowPath, qstream, type CommandOptions, type Ended } from "../lib/cli/command.ts";

const test = suite("command line of clusters");

interface Document {
  readonly execution: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly metrics: { readonly rowsRead: number };
}

interface Listing {
  readonly machines: readonly { readonly slots: readonly string[] }[];
  readonly executions: readonly { readonly execution: string; readonly status: string }[];
}

if (!inSlot && (await hasRedisServer())) {
  const folder = mkdtempSync(join(tmpdir(), "qstream-cluster-cli-"));
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url });
  const at = (...words: string[]): string[] => [...words, "--cluster", machines.url];
  const onCluster = (words: readonly string[], options?: CommandOptions): Promise<Ended> =>
    qstream(at(...words), options);
  const listing = async (): Promise<Listing> => JSON.parse((await onCluster(["ps", "--json"])).stdout) as Listing;
  const statusOf = async (execution: string): Promise<string | undefined> =>
    (await listing()).executions.find((one) => one.execution === execution)?.status;
  const untilStatus = async (execution: string, wanted: string): Promise<void> => {
    for (let turn = 0; turn < 50 && (await statusOf(execution)) !== wanted; turn++) await wait(100);
    assert.is(await statusOf(execution), wanted);
  };
  const detached = async (flow: string): Promise<string> => {
    const ended = await onCluster(["run", flow, "--detach"]);
    assert.is(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, `npx qstream follow ${ended.stdout.trim()} --cluster ${machines.url}`);
    assert.match(ended.stdout, /^run-\w+\n$/);
    return ended.stdout.trim();
  };

  test("run gives the outputs that it gives here, as JSON and as tables", async () => {
    const words = ["run", flowPath("words.ts"), "--arg", "word=sea", "--arg", "times=3"];
    const [there, json, here] = [
      await onCluster(words),
      await onCluster([...words, "--json", "-"]),
      await qstream([...words, "--slots", "2", "--store", "memory"]),
    ];
    assert.is(there.code, 0, there.stderr);
    assert.is(there.stdout.replace("helper was loaded\nthe builder runs\nthe builder runs\n", ""), tablesOf(here));
    assert.match(there.stderr, /3 rows in .*/);
    assert.match(there.stderr, /step +what +channels/);
    const document = JSON.parse(json.stdout) as Document;
    assert.equal(Object.keys(document), ["execution", "outputs", "metrics"]);
    assert.is((document.outputs["words"] as unknown[]).length, 3);
    assert.is(document.metrics.rowsRead, 3);
  });

  /** Standard output without what user code printed in slots, which is on the machines' there. */
  const tablesOf = ({ stdout }: Ended): string => stdout.slice(stdout.indexOf("\nwords\n"));

  test("a flow that fails ends with 1 and the message that it has here, at the user's line", async () => {
    const there = await onCluster(["run", flowPath("failing.ts"), "--quiet"]);
    const here = await qstream(["run", flowPath("failing.ts"), "--quiet", "--slots", "2", "--store", "memory"]);
    assert.is(there.code, 1);
    const [, hint = ""] = /^(To go on with it: .*\n)$/mu.exec(there.stderr) ?? [];
    assert.match(hint, /--resume run-\w+ --cluster ws:/);
    assert.is(there.stderr.replace(hint, ""), here.stderr);
    assert.match(there.stderr, /\[STEP_FAILED\].*dynamite is too much/);
    assert.match(there.stderr, /spec\/lib\/cli\/flows\/failing\.ts:8:/);
  });

  test("Ctrl-C cancels the execution", async () => {
    const flow = `${compiledPath("stuck.js")}#endless`;
    const ended = await onCluster(["run", flow], { signal: "SIGINT", sayUntil: "rows read" });
    assert.is(ended.code, 130, ended.stderr);
    assert.match(ended.stderr, /\[ABORTED\].*interrupted by Ctrl-C/);
    const last = (await listing()).executions.at(-1);
    await untilStatus(last?.execution ?? "", "cancelled");
  });

  test("--detach prints the id and goes; follow gives progress and outputs, as often as one likes", async () => {
    const execution = await detached(`${flowPath("words.ts")}#nothing`);
    const followed = await onCluster(["follow", execution]);
    assert.is(followed.code, 0, followed.stderr);
    assert.match(followed.stdout, "\nnone\n");
    const again = await onCluster(["follow", execution, "--json", "-"]);
    const document = JSON.parse(again.stdout) as Document;
    assert.is(document.execution, execution);
    assert.equal(document.outputs, { none: [] });
  });

  test("who stops following stops nothing; cancel does, and says what there is to cancel", async () => {
    const execution = await detached(`${compiledPath("stuck.js")}#endless`);
    const followed = await onCluster(["follow", execution], { signal: "SIGINT", sayUntil: "rows read" });
    assert.is(followed.code, 130, followed.stderr);
    assert.match(followed.stderr, `${execution} goes on`);
    assert.is(await statusOf(execution), "running");
    const watched = onCluster(["follow", execution, "--quiet"]);
    assert.match((await onCluster(["cancel", execution])).stdout, `${execution} is being cancelled`);
    const ended = await watched;
    assert.is(ended.code, 1);
    assert.match(ended.stderr, /\[ABORTED\].*qstream cancel/);
    assert.match((await onCluster(["cancel", execution])).stdout, `${execution} is cancelled`);
    const unknown = await onCluster(["cancel", "run-none"]);
    assert.is(unknown.code, 1);
    assert.match(unknown.stderr, /\[EXECUTION_UNKNOWN\].*run-none/);
    assert.match((await onCluster(["follow", "run-none"])).stderr, /\[EXECUTION_UNKNOWN\].*qstream ps/);
  });

  test("ps lists machines and executions; top does so each second until Ctrl-C", async () => {
    const listed = await onCluster(["ps"]);
    assert.match(listed.stdout, /^machine +url +slots/m);
    assert.match(listed.stdout, /^run-\w+ +words +done/m);
    assert.equal(
      (await listing()).machines.map(({ slots }) => slots.length),
      [1, 1],
    );
    const top = await onCluster(["top"], { signal: "SIGINT", sayUntil: "2 machines, 0 executions running" });
    assert.is(top.code, 0, top.stderr);
    assert.is(top.stderr, "");
  });

  test("a URL that is none, a head that isn't there, and options that are the machines' own", async () => {
    const flow = `${flowPath("words.ts")}#nothing`;
    for (const words of [["run", flow], ["ps"], ["follow", "run-1"], ["top"], ["cancel", "run-1"]]) {
      const nonsense = await qstream([...words, "--cluster", "http://host/path"]);
      assert.is(nonsense.code, 2, words[0]);
      assert.match(nonsense.stderr, /isn't the URL of a head\. Write ws:\/\/host:port/);
      const away = await qstream([...words, "--cluster", "ws://127.0.0.1:9"]);
      assert.is(away.code, 1, words[0]);
      assert.match(away.stderr, /\[MACHINE_UNREACHABLE\] 127\.0\.0\.1:9 can't be reached/);
      assert.is((await qstream(["help", words[0] ?? ""])).code, 0);
    }
    const refused = await onCluster(["run", flow, "--slots", "2"]);
    assert.is(refused.code, 2);
    assert.match(refused.stderr, /--slots can't be given with --cluster; .*qstream worker --slots/);
  }, 40_000);

  test("a wrong token is refused, and one for looking lets one look", async () => {
    const tokenFile = (name: string, token: string): string => {
      writeFileSync(join(folder, name), `${token}\n`);
      return join(folder, name);
    };
    const right = tokenFile("right", "0123456789abcdef-right");
    const look = tokenFile("look", "0123456789abcdef-look");
    const wrong = tokenFile("wrong", "0123456789abcdef-wrong");
    const headWords = ["--token-file", right, "--read-token-file", look];
    await using closed = await LoopbackCluster.start({
      store: redis.url.replace(/\d+$/u, "5"),
      machines: 0,
      headWords,
    });
    const ask = (words: readonly string[], token: string): Promise<Ended> =>
      qstream([...words, "--cluster", closed.url, "--token-file", token]);
    const refused = await ask(["ps"], wrong);
    assert.is(refused.code, 1);
    assert.match(refused.stderr, /\[MACHINE_REFUSED\].*the token is wrong\. Give the token .*--token-file/);
    assert.not.match(refused.stderr, "0123456789abcdef");
    assert.match((await ask(["ps"], look)).stdout, "no machines\n\nno executions");
    for (const words of [
      ["run", `${flowPath("words.ts")}#nothing`],
      ["cancel", "run-1"],
    ]) {
      const looking = await ask(words, look);
      assert.is(looking.code, 1, words[0]);
      if (words[0] === "run") assert.match(looking.stderr, /\[MACHINE_REFUSED\].*only lets you look/);
    }
  });

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

test.run();
