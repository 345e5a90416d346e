// What becomes of runs that failed, as a user meets it: gone on with, with other channels, or given up.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { flowPath, qstream, type Ended } from "./command.ts";

const test = suite("runs that failed, on the command line");
const folder = mkdtempSync(join(tmpdir(), "qstream-resume-spec-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const flow = flowPath("fragile.ts");

const marker = join(folder, "marker");

/** Runs a flow until it fails. Returns the execution's id. */
async function failed(of: string, store: string, ...args: string[]): Promise<string> {
  const marked = ["--arg", `marker=${marker}`, ...args];
  const ended = await qstream(["run", of, ...marked, "--store", store, "--slots", "1", "--quiet"]);
  assert.is(ended.code, 1, ended.stderr);
  return hintOf(ended);
}

/** The execution that the printed command goes on with. */
function hintOf({ stderr }: Ended): string {
  return /^To go on with it: .* --resume (?<id>[\w-]+) /mu.exec(stderr)?.groups?.["id"] ?? stderr;
}

test("--rescale goes on under another id, which is printed and is in the next command", async () => {
  const store = `lmdb:${join(folder, "rescaled")}`;
  const resume = (id: string, ...words: string[]): Promise<Ended> =>
    qstream(["run", flow, "--resume", id, "--store", store, "--slots", "2", ...words]);
  const first = await failed(flow, store);
  const again = await resume(first, "--rescale", "sums=3");
  assert.is(again.code, 1);
  assert.match(again.stderr, `Execution ${first} goes on as ${first}-r1, with other channels\n`);
  assert.is(hintOf(again), `${first}-r1`);
  assert.not.match(again.stderr.split("To go on with it")[1] ?? "", "--rescale");
  writeFileSync(marker, "");
  const same = await resume(`${first}-r1`, "--rescale", "sums=3", "--json", "-");
  assert.is(same.code, 0, same.stderr);
  const { execution, outputs } = JSON.parse(same.stdout) as {
    readonly execution: string;
    readonly outputs: { readonly sums: readonly (readonly [key: number, sum: number])[] };
  };
  assert.is(execution, `${first}-r1`);
  assert.is(outputs.sums.length, 10);
  rmSync(marker);
});

test("executions remove says which hidden files may be left, and where", async () => {
  const [store, out] = [`lmdb:${join(folder, "removed")}`, join(folder, "out")];
  const writing = (): Promise<string> => failed(`${flow}#writing`, store, "--arg", `out=${out}`);
  const [first, second] = await Promise.all([writing(), writing()]);
  const removed = await qstream(["executions", "remove", first, "--store", store]);
  assert.is(removed.code, 0, removed.stderr);
  assert.match(removed.stdout, `removed ${first}\n`);
  assert.match(removed.stdout, `\n  .${first}.* in the folder of "written" (json-lines)\n`);
  assert.match(removed.stdout, "fragile.ts");
  assert.match(removed.stdout, JSON.stringify(out));
  const asJson = await qstream(["executions", "remove", second, "--store", store, "--json"]);
  const { mayBeLeft, ...rest } = JSON.parse(asJson.stdout) as Record<string, unknown>;
  assert.equal(rest, { removed: second });
  assert.equal((mayBeLeft as { readonly sinks: unknown }).sinks, [{ step: "written", kind: "json-lines" }]);
  assert.is((mayBeLeft as { readonly files: unknown }).files, `.${second}.*`);
});

test.run();
