// specs: timeout 120 s
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";

const test = suite("programs");
const folder = mkdtempSync(join(tmpdir(), "qstream-spec-"));
const ours = (path: string): string => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);

const imports = `
import { defineFlow, local } from ${ours("lib/index.js")};
import { collect } from ${ours("operators/sinks/collect.js")};
import { numbers } from ${ours("readers/numbers.js")};
import { reader } from ${ours("readers/reader.js")};
`;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function start(
  name: string,
  code: string,
  temporary = folder,
): { child: ChildProcess; ended: Promise<Ended>; printed: (text: string) => Promise<void> } {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, imports + code);
  const child = spawn(process.execPath, [path], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary },
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (error += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.on("close", (status) => resolve({ code: status, out, error })));
  const printed = async (text: string): Promise<void> => {
    for (let waited = 0; !out.includes(text); waited += 20) {
      if (waited > 8000) throw new Error(`the program never printed ${text}, but:\n${out}\n${error}`);
      await wait(20);
    }
  };
  return { child, ended, printed };
}

function childrenOf(parent: number | undefined): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/stat`, "utf8");
        const [state, parentId] = status.slice(status.lastIndexOf(")") + 2).split(" ");
        return state !== "Z" && Number(parentId) === parent ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

function alive(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !status.slice(status.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}

const linux = process.platform === "linux";

for (const isolation of ["thread", "process"]) {
  test(`${isolation}: a one-file program that runs its flow at its top level works, once, and ends by itself`, async () => {
    const temporary = mkdtempSync(join(folder, "tmp-"));
    const { ended } = start(
      `one-file-${isolation}`,
      `
      console.log("started");
      const flow = defineFlow(import.meta.url, (q, args) => ({
        out: q.read("numbers", numbers(0, args.n)).map("double", (n) => n * 2).to(collect()),
      }));
      const { out } = await flow.run({ n: 1000 }, { slots: 2, isolation: "${isolation}" });
      console.log("sum", out.reduce((sum, n) => sum + n, 0));
      const again = await flow.run({ n: 10 }, { slots: 1, isolation: "${isolation}" });
      console.log("again", again.out.length);
      `,
      temporary,
    );
    const { code, out, error } = await ended;
    assert.is(code, 0, error);
    // What slots print while they load the module is theirs: only the first process goes past its run.
    assert.is(out.match(/sum 999000/g)?.length, 1, out);
    assert.is(out.match(/again 10/g)?.length, 1, out);
    assert.equal(readdirSync(temporary), [], "no temporary file is left");
  });

  test(`${isolation}: a program whose flow fails ends with the error, and leaves nothing behind`, async () => {
    const temporary = mkdtempSync(join(folder, "tmp-"));
    const { ended } = start(
      `failing-${isolation}`,
      `
      const flow = defineFlow(import.meta.url, (q) => ({
        out: q.read("numbers", numbers(0, 100)).map("bad", (n) => { if (n === 50) throw new Error("no 50"); return n; }).to(collect()),
      }));
      await flow.run({}, { slots: 1, isolation: "${isolation}" });
      `,
      temporary,
    );
    const { code, error } = await ended;
    assert.is(code, 1);
    assert.match(error, "no 50");
    assert.match(error, "STEP_FAILED");
    assert.equal(readdirSync(temporary), []);
  });
}

test("a flow that is defined after a run at the top level is refused with advice, and doesn't hang", async () => {
  const { ended } = start(
    "late-flow",
    `
    const flow = () => defineFlow(import.meta.url, (q) => ({ out: q.read("numbers", numbers(0, 10)).to(collect()) }));
    const first = flow();
    console.log((await first.run({}, { slots: 1 })).out.length);
    const second = flow();
    await second.run({}, { slots: 1 });
    `,
  );
  const { code, out, error } = await ended;
  assert.match(out, "10");
  assert.is(code, 1);
  assert.match(error, "FLOW_NOT_FOUND");
  assert.match(error, /before/);
});

test("a session that is closed leaves no thread, process or timer", async () => {
  const { ended } = start(
    "closing",
    `
    const flow = defineFlow(import.meta.url, (q) => ({ out: q.read("numbers", numbers(0, 10)).to(collect()) }));
    for (const isolation of ["thread", "process"]) {
      const session = await local({ slots: 1, isolation });
      await flow.run({}, { on: session });
      const { pid } = process;
      await session.close();
      await session.close();
      await flow.run({}, { on: session }).catch((error) => console.log(error.code));
    }
    await new Promise((go) => setTimeout(go, 100));
    console.log(process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|File|WriteStream/.test(name)).join(" ") || "nothing");
    `,
  );
  const { code, out, error } = await ended;
  assert.is(code, 0, error);
  assert.match(out, "SESSION_CLOSED\nSESSION_CLOSED");
  assert.match(out, "nothing", out);
});

if (linux) {
  for (const busy of [false, true]) {
    test(`slot processes end when their parent is killed, ${busy ? "also while user code keeps them busy" : "while they wait"}`, async () => {
      const { child, ended, printed } = start(
        `orphans-${busy}`,
        `
        const endless = reader({ endless: true, splits: () => [0, 1], async *read() { yield 1; ${busy ? "for (;;);" : "await new Promise(() => {});"} } });
        const flow = defineFlow(import.meta.url, (q) => ({ out: q.read("endless", endless).forEach(() => {}) }));
        const execution = await flow.start({}, { slots: 2, isolation: "process" });
        for await (const event of execution.events()) if (event.kind === "started") { setTimeout(() => console.log("running"), 300); break; }
        `,
      );
      await printed("running");
      const slots = childrenOf(child.pid);
      assert.is(slots.length, 2);
      process.kill(child.pid ?? 0, "SIGKILL");
      await ended;
      for (let waited = 0; slots.some(alive); waited += 50) {
        if (waited > 3000) assert.unreachable(`processes ${slots.filter(alive).join(", ")} outlived their parent`);
        await wait(50);
      }
    });
  }

  test("a slot's process that is killed is reported as lost, and the others go on", async () => {
    const { child, ended, printed } = start(
      "killed-slot",
      `
      const endless = reader({ endless: true, splits: () => [0, 1], async *read() { for (let n = 0; ; n++) { yield n; await new Promise((go) => setTimeout(go, 1)); } } });
      const flow = defineFlow(import.meta.url, (q) => ({ out: q.read("endless", endless).filter("none", () => false).forEach(() => {}) }));
      const finite = defineFlow(import.meta.url, (q) => ({ out: q.read("numbers", numbers(0, 10)).to(collect()) }));
      const session = await local({ slots: 2, isolation: "process" });
      const execution = await flow.start({}, { on: session });
      for await (const event of execution.events()) if (event.kind === "started") break;
      console.log("running");
      await execution.outputs.catch((error) => console.log(error.code, error.message));
      console.log("lost", session.lostSlots.size, "then", (await finite.run({}, { on: session })).out.length);
      await session.close();
      `,
    );
    await printed("running");
    process.kill(childrenOf(child.pid)[0] ?? 0, "SIGKILL");
    const { code, out, error } = await ended;
    assert.is(code, 0, error);
    assert.match(out, /SLOT_LOST .*SIGKILL/);
    assert.match(out, "lost 1 then 10");
  });
}

test("user code that ends its thread, or floats a rejection, loses the slot and not the program", async () => {
  const { ended } = start(
    "ending",
    `
    const flow = (what) => defineFlow(import.meta.url, (q) => ({
      out: q.read("numbers", numbers(0, 10), { channels: 1 }).tap("end", (n) => what(n)).apply("wait", () => ({ execute: async ({ objects }) => { await new Promise((go) => setTimeout(go, 200)); return objects; } })).to(collect()),
    }));
    const exits = flow((n) => { if (n === 5) process.exit(3); });
    const floats = flow((n) => { if (n === 5) void Promise.reject(new Error("floating")); });
    for (const one of [exits, floats]) for (const isolation of ["thread", "process"]) {
      await one.run({}, { slots: 1, isolation }).catch((error) => console.log(error.code, error.message));
    }
    `,
  );
  const { code, out, error } = await ended;
  assert.is(code, 0, error);
  assert.is(out.match(/SLOT_LOST/g)?.length, 4, out);
  assert.is(out.match(/floating/g)?.length, 2, out);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));
test.run();
