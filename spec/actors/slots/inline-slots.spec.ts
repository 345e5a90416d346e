import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";

const test = suite("inline slots");
const folder = mkdtempSync(join(tmpdir(), "qstream-spec-"));
const ours = (path: string): string => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);

const imports = `
import { defineFlow, local } from ${ours("lib/index.js")};
import { collect } from ${ours("operators/sinks/collect.js")};
import { numbers } from ${ours("readers/numbers.js")};
`;

function run(name: string, code: string): Promise<{ status: number | null; out: string }> {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, imports + code);
  const child = spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, out })));
}

test("a program on inline slots lives until it's told of a deadlock", async () => {
  const { status, out } = await run(
    "deadlock",
    `
const stubborn = { accepts: (input) => input === "left", execute() {} };
const flow = defineFlow(import.meta.url, (q) => {
  const left = q.read("left numbers", numbers(0, 10), { channels: 1 });
  const right = q.read("right numbers", numbers(0, 100_000), { channels: 1 });
  return { out: q.apply("stubborn", { left, right }, () => stubborn, { channels: 1 }).to(collect()) };
});
const limits = { inputObjects: 100, parcelObjects: 50 };
await flow.run({}, { slots: 1, isolation: "none", limits }).catch((error) => console.log(error.code));
console.log("told");
`,
  );
  assert.equal([status, out], [0, "DEADLOCK\ntold\n"]);
});

test("a session on inline slots that isn't closed doesn't keep a program alive once nothing runs", async () => {
  const { status, out } = await run(
    "open",
    `
const flow = defineFlow(import.meta.url, (q) => ({ out: q.read("numbers", numbers(0, 3)).collect() }));
const failing = defineFlow(import.meta.url, (q) => ({
  out: q.read("numbers", numbers(0, 3)).map("fail", () => { throw new Error("no"); }).collect(),
}));
const on = await local({ slots: 2, isolation: "none" });
console.log((await flow.run({}, { on })).out.length);
await failing.run({}, { on }).catch((error) => console.log(error.code));
`,
  );
  assert.equal([status, out], [0, "3\nSTEP_FAILED\n"]);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
