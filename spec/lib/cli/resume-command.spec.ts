// What becomes of runs that failed, as a user meets it: gone on with, with other channels, or given up.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
  const shown = await qstream(["executions", "show", `${first}-r1`, "--store", store]);
  assert.match(shown.stdout, new RegExp(`^earlier +${first}$`, "m"));
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

/** What a run that was killed leaves in a sink's folder, and what isn't its own. */
function leave(
  out: string,
  execution: string,
): { readonly own: readonly string[]; readonly others: readonly string[] } {
  const own = [`.${execution}.written.0.part-00000.jsonl.0`, `..${execution}.written.0.part-00000.jsonl.rows-0-9.0`];
  const others = [
    `.${execution}0.written.0.part-00000.jsonl.0`,
    `.${execution}-r1.written.0.x`,
    ".hidden",
    "part-00000.jsonl",
  ];
  mkdirSync(out, { recursive: true });
  for (const name of [...own, ...others]) writeFileSync(join(out, name), "");
  return { own, others };
}

test("executions remove removes the hidden files of that run, and prints them", async () => {
  const [store, out] = [`lmdb:${join(folder, "removed")}`, join(folder, "out [1]")];
  const writing = (): Promise<string> => failed(`${flow}#writing`, store, "--arg", `out=${out}`);
  const [first, second] = await Promise.all([writing(), writing()]);
  const { own, others } = leave(out, first);
  // The store has the folder, whatever the working directory is.
  const removed = await qstream(["executions", "remove", first, "--store", store], { cwd: tmpdir() });
  assert.is(removed.code, 0, removed.stderr);
  const names = own.map((name) => `  ${join(out, name)}\n`).toSorted();
  assert.is(removed.stdout, `removed ${first}\nremoved hidden files of its sinks:\n${names.join("")}`);
  // The other one has failed, too, and has left what it had written.
  const ofSecond = readdirSync(out).filter((name) => name.startsWith(`.${second}.`));
  assert.equal(readdirSync(out).toSorted(), [...others, ...ofSecond].toSorted());
  const asJson = await qstream(["executions", "remove", second, "--store", store, "--json"]);
  assert.equal(JSON.parse(asJson.stdout), { removed: second, files: ofSecond.map((name) => join(out, name)) });
  assert.equal(readdirSync(out).toSorted(), others.toSorted());
});

test("executions remove --all removes what failed, and says how many that were", async () => {
  const store = `lmdb:${join(folder, "all")}`;
  const ids = [await failed(flow, store), await failed(flow, store)];
  const young = await qstream(["executions", "remove", "--older-than", "1h", "--store", store]);
  assert.is(young.stdout, "removed 0 executions\n");
  const removed = await qstream(["executions", "remove", "--all", "--store", store]);
  assert.is(removed.code, 0, removed.stderr);
  assert.is(removed.stdout, `removed ${ids[0]}\nremoved ${ids[1]}\nremoved 2 executions\n`);
  assert.match((await qstream(["executions", "--store", store])).stdout, "no executions");
});

test.run();
