// specs: timeout 120 s
// How a flow's code comes to the machines of a cluster.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { Bundles } from "../../actors/cluster/bundles.ts";
import { upload } from "../../actors/transport/wire/download.ts";
import { WireServer } from "../../actors/transport/wire/server.ts";
import { loadFlow } from "../../lib/cli/load-flow.ts";
import { machineBundle, settleBundle } from "../../lib/code/machine-bundle.ts";
import { cluster, QStreamError, type ClusterSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { startClusterProcess, workerReady } from "../../lib/testing/loopback-cluster.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { projectFolder } from "../kit/sources.ts";
import { inSlot, suite } from "../kit/suite.ts";

const test = suite("code on a cluster");

const packageJson = (name: string, more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ name, version: "2.1.0", ...more });

/** A package that a bundle can't hold, which says where it is. */
const native = (name: string): Record<string, string> => ({
  [`node_modules/${name}/package.json`]: packageJson(name, { napi: {}, main: "index.js" }),
  [`node_modules/${name}/index.js`]: "exports.where = __dirname;\n",
});

const files: Readonly<Record<string, string>> = {
  "package.json": '{ "type": "module" }',
  "flow.ts": `import { defineFlow, items } from "qstream";
    import { where } from "quick";
    import { old } from "old-style";
    import { modern } from "new-style";
    import { name, type Name } from "./deep/name.ts";

    export default defineFlow(import.meta.url, (q) => ({
      all: q.read("one", items([0]), { channels: 1 }).map("all", (): readonly Name[] => [name, old, modern, where, import.meta.url]).collect(),
    }));\n`,
  "deep/name.ts":
    'import data from "../data.json" with { type: "json" };\nexport type Name = string;\nexport const name: Name = data.name;\n',
  "data.json": '{ "name": "quokka" }',
  "node_modules/old-style/package.json": packageJson("old-style", { main: "main.js" }),
  "node_modules/old-style/main.js": 'exports.old = require("path").posix.join("common", "js");\n',
  "node_modules/new-style/package.json": packageJson("new-style", { type: "module", exports: "./index.js" }),
  "node_modules/new-style/index.js": 'export const modern = "esm";\n',
  ...native("quick"),
  "broken.ts": `import { defineFlow, items } from "qstream";
import { explode } from "./deep/explode.ts";

export default defineFlow(import.meta.url, (q) => ({ out: q.read("one", items([1])).map("explode", explode).collect() }));\n`,
  "deep/explode.ts": `type Given = number;

export function explode(given: Given): never {
  throw new RangeError(\`\${given} is too much\`);
}\n`,
  "missing.ts": `import { defineFlow, items } from "qstream";
    import { where } from "absent";
    export default defineFlow(import.meta.url, (q) => ({ out: q.read("one", items([1])).map("where", () => where).collect() }));\n`,
  ...native("absent"),
  "many.ts": `import { defineFlow, numbers } from "qstream";
    import { where } from "quick";
    export default defineFlow(import.meta.url, (q) => ({ out: q.read("many", numbers(0, 10)).map("where", () => where).collect() }));\n`,
  "program.mjs": `import { appendFileSync } from "node:fs";
    import { cluster, defineFlow, numbers } from "qstream";
    const say = (text) => appendFileSync(new URL("said", import.meta.url), text + "\\n");
    const flow = defineFlow(import.meta.url, (q, { upTo }) => ({ n: q.read("numbers", numbers(0, upTo)).count("count").collect() }));
    const session = await cluster({ url: process.argv[2] });
    say("opened");
    const { n } = await flow.run({ upTo: 100 }, { on: session });
    say("counted " + n);
    await session.close();\n`,
};

function write(place: string, contents: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), text);
  }
}

const errorOf = async (tried: Promise<unknown>): Promise<QStreamError> => {
  const thrown = await tried.then(
    () => new Error("it succeeded"),
    (error: unknown) => error,
  );
  assert.instance(thrown, QStreamError, String(thrown));
  return thrown as QStreamError;
};

const security = { token: undefined, tls: undefined };

test("a bundle that has changed on its way isn't run", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-code-changed-"));
  write(folder, { "flow.ts": "export const n: number = 1;\n" });
  const { hash, bytes } = await machineBundle(pathToFileURL(join(folder, "flow.ts")).href);
  let changes = true;
  const server = await WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security,
    admit: () => ({ admitted: false, status: 404, reason: "nothing is here" }),
    answer: (_, request, response) => {
      request.resume();
      const changed = Buffer.from(bytes);
      if (changes) changed[changed.length - 1] = 0;
      response.writeHead(200, { connection: "close" }).end(changed);
    },
  });
  const bundles = new Bundles(security, settleBundle);
  try {
    const url = `http://127.0.0.1:${server.port}/bundles/${hash}`;
    const error = await errorOf(bundles.fetch({ hash, url }, "run-1"));
    assert.is(error.code, "FRAME_INVALID");
    assert.match(error.message, "isn't what its hash says");
    changes = false;
    assert.match(readFileSync(new URL(await bundles.fetch({ hash, url }, "run-1")), "utf8"), "qstream-needs");
  } finally {
    bundles.close();
    await server.close();
    rmSync(folder, { recursive: true });
  }
});

if (!inSlot && (await hasRedisServer())) {
  const folder = mkdtempSync(join(tmpdir(), "qstream-code-"));
  write(folder, files);
  symlinkSync(projectFolder, join(folder, "node_modules/qstream"));
  // Where the machines are started: they have one of the packages with machine code.
  const place = mkdtempSync(join(tmpdir(), "qstream-code-machine-"));
  write(place, native("quick"));
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, folder: place });
  const session: ClusterSession = await cluster({ url: machines.url });
  const run = async (file: string): Promise<Record<string, unknown>> =>
    (await loadFlow(join(folder, file))).run({}, { on: session });

  test("what a TypeScript flow imports goes along; what holds machine code is the machine's own", async () => {
    const flow = pathToFileURL(join(folder, "flow.ts")).href;
    const expected = ["quokka", "common/js", "esm", join(place, "node_modules/quick"), flow];
    assert.equal((await run("flow.ts"))["all"], [expected]);
  });

  test("code that was changed and submitted again is what runs, and what ran before runs if it is submitted", async () => {
    const said = (text: string): string => `import { defineFlow, items } from "qstream";
      export default defineFlow(import.meta.url, (q) => ({
        out: q.read("one", items([1]), { channels: 1 }).map("say", () => "${text}").collect(),
      }));\n`;
    write(folder, { "changing.ts": said("first") });
    const flow = await loadFlow(join(folder, "changing.ts"));
    for (const text of ["first", "second", "first"]) {
      write(folder, { "changing.ts": said(text) });
      // A session bundles a module once.
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await using other = await cluster({ url: machines.url });
      // oxlint-disable-next-line no-await-in-loop -- see above
      assert.equal((await flow.run({}, { on: other }))["out"], [text]);
    }
  });

  test("a stack of user code on a machine points to the user's line", async () => {
    const error = await errorOf(run("broken.ts"));
    assert.is(error.code, "STEP_FAILED");
    let stacks = "";
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) stacks += cause.stack;
    assert.match(stacks, `${join(folder, "deep/explode.ts")}:4:9`);
  });

  test("a package that isn't there is named before anything runs", async () => {
    const error = await errorOf(run("missing.ts"));
    assert.is(error.code, "PACKAGE_MISSING");
    assert.match(error.message, /absent@2\.1\.0.*doesn't have it/);
    assert.match(error.message, "npm install absent@2.1.0");
  });

  test("a single machine that lacks a package says so, too", async () => {
    const words = ["worker", "--join", machines.url, "--slots", "3", "--lease-ms", "2000"];
    // Away from the folder of the others, whose packages it would find in a folder above.
    const lacking = await startClusterProcess(words, workerReady, { folder: tmpdir() });
    try {
      const error = await errorOf(run("many.ts"));
      assert.is(error.code, "PACKAGE_MISSING");
      assert.match(error.message, "quick@2.1.0");
    } finally {
      await lacking.end();
    }
  });

  test("a program of one file runs once, however many machines load it", async () => {
    const child = spawn(process.execPath, [join(folder, "program.mjs"), machines.url], { stdio: "inherit" });
    const [code] = (await once(child, "exit")) as [number | null];
    assert.is(code, 0);
    await wait(200);
    assert.is(readFileSync(join(folder, "said"), "utf8"), "opened\ncounted 100\n");
  });

  test("the head keeps no bundle that isn't what its name says", async () => {
    const url = `${machines.url.replace(/^ws/u, "http")}/bundles/${"0".repeat(64)}`;
    const error = await errorOf(upload(url, security, Buffer.from("export const changed = 1;")));
    assert.is(error.code, "MACHINE_REFUSED");
    assert.match(error.message, "it isn't what its hash says");
  });

  test.after(async () => {
    await session.close();
    await machines.stop();
    await redis.stop();
    for (const one of [folder, place]) rmSync(one, { recursive: true, force: true });
  });
}

test.run();
