// specs: timeout 120 s
// A cluster as it is to stand in a network: certificates on both sides, a token for all and one for looking, Redis with TLS and a
// user of its own, files of one folder, and secrets in the environment.
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import { openStore } from "../../actors/stores/open-store.ts";
import { dial } from "../../actors/transport/wire/dial.ts";
import { download, upload } from "../../actors/transport/wire/download.ts";
import type { Security } from "../../actors/transport/wire/security.ts";
import { parsePlaces } from "../../lib/cli/cluster-options.ts";
import { Head } from "../../lib/cluster/head.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../../lib/cluster/protocol.ts";
import { Talk } from "../../lib/cluster/talk.ts";
import { machineBundle } from "../../lib/code/machine-bundle.ts";
import { cluster, type ClusterSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { makePapers, type Papers } from "../kit/certificates.ts";
import { failure } from "../kit/failure.ts";
import { freePort } from "../kit/free-port.ts";
import { hasRedisServer, startRedisServer, type RedisServer } from "../kit/redis-server.ts";
import { projectFolder } from "../kit/sources.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import { childrenOf } from "./children.ts";
import { everything, reading, writing } from "./security-flows.ts";

const test = suite("security of a cluster");

const secret = randomBytes(16).toString("hex");
const password = randomBytes(16).toString("hex");
const readToken = randomBytes(16).toString("hex");

/** A Redis whose port of TLS lets a user in who may do what docs/security.md says. */
async function startSafeRedis(papers: Papers): Promise<{ readonly redis: RedisServer; readonly url: string }> {
  const { certFile, keyFile } = await papers.authority.issue("redis", { addresses: ["127.0.0.1"] });
  const port = await freePort();
  const certificates = {
    "tls-cert-file": certFile,
    "tls-key-file": keyFile,
    "tls-ca-cert-file": papers.authority.caFile,
  };
  const redis = await startRedisServer({
    settings: { "tls-port": String(port), "tls-auth-clients": "no", ...certificates },
  });
  const page = readFileSync(join(projectFolder, "docs/security.md"), "utf8");
  const [command = ""] = /^ACL SETUSER[^`]+/mu.exec(page) ?? [];
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.sendCommand(command.trim().replace("PASSWORD", password).split(/\s+/u));
  client.destroy();
  return { redis, url: `rediss://cluster:${password}@127.0.0.1:${port}/0` };
}

/** Asks the head something, as JSON or as structured clone, and gives its answer. */
async function ask(
  url: string,
  security: Security,
  request: FromClient,
  as: "json" | "clone" = "json",
): Promise<ToClient> {
  const { socket } = await dial(`${url}/client`, { "x-qstream-version": "1" }, security);
  return new Promise((resolve) => {
    const talk: Talk<FromClient, ToClient> = new Talk(socket, 10_000, {
      told: (message) => {
        if (message.kind === "welcome") return;
        resolve(message);
        talk.close();
      },
      ended: () => {},
    });
    if (as === "json") talk.tellPlainly(request);
    else talk.tell(request);
  });
}

if (!inSlot && (await hasRedisServer())) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "qstream-security-")));
  const allowed = join(folder, "allowed");
  for (const name of ["allowed", "head"]) await mkdir(join(folder, name));
  for (const file of ["allowed/lines.txt", "head/lines.txt", "out.txt"])
    writeFileSync(join(folder, file), "one\ntwo\n");
  await symlink(join(folder, "out.txt"), join(allowed, "link.txt"));
  const keys = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}';
  writeFileSync(join(allowed, "keys.jsonl"), `${keys}\n`);
  const papers = await makePapers(["127.0.0.1"]);
  const { token, authority } = papers;
  writeFileSync(authority.file("read-token"), readToken);
  const { redis, url: store } = await startSafeRedis(papers);
  process.env["NODE_EXTRA_CA_CERTS"] = authority.caFile;
  process.env["SPEC_SECRET"] = secret;
  const words = [...papers.words, "--files", allowed];
  const machines = await LoopbackCluster.start({
    store,
    leaseMs: 5000,
    machines: 1,
    headWords: [...words, "--files", join(folder, "head"), "--read-token-file", authority.file("read-token")],
    workerWords: words,
  });
  const [worker] = machines.machines;
  const security: Security = { token, tls: papers.tls };
  const session: ClusterSession = await cluster({ url: machines.url, token, tls: papers.tls });
  const plainUrl = machines.url.replace(/^ws/u, "http");
  const bundle = await machineBundle(new URL("./security-flows.js", import.meta.url).href);
  const bundleUrl = `${plainUrl}/bundles/${bundle.hash}`;
  const running = await everything.start({ folder: allowed, name: "SPEC_SECRET" }, { on: session });
  const own = [machines.head.pid, worker?.pid ?? 0];
  const listed = [...own, ...own.flatMap(childrenOf)].map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"));

  test("flows run, over TLS on both sides, with Redis behind TLS as a user with few rights, on files of a folder", async () => {
    const { count, written } = await running.outputs;
    assert.equal(count, [2]);
    assert.equal(written.files.map(dirname), [join(allowed, "written")]);
  }, 60_000);

  test("a secret comes from the machine's environment by its name, and is in no bundle", async () => {
    const { digests } = await running.outputs;
    assert.equal(digests, [createHash("sha256").update(secret).digest("hex")]);
    const kept = await download(bundleUrl, security, 2 ** 26);
    assert.is(Buffer.compare(kept, bundle.bytes), 0);
    for (const text of [secret, token, password]) assert.not.ok(Buffer.from(kept).includes(text));
  });

  test("keys of JSON that are those of prototypes are keys, and change no object but their own", async () => {
    const { found } = await running.outputs;
    const [one] = found as { keys: string[]; isAdmin: boolean; copied: object }[];
    assert.equal([one?.isAdmin, ({} as { isAdmin?: boolean }).isAdmin], [false, undefined]);
    assert.equal(one?.keys.toSorted(), ["__proto__", "constructor"]);
    assert.is(Object.getPrototypeOf(one?.copied), Object.prototype);
  });

  test("head, worker and drivers show no token, password or key: not to who lists processes, and not in what they write", async () => {
    await running.outputs;
    assert.ok(listed.length >= 3);
    assert.ok(listed.some((line) => line.includes("***@127.0.0.1")));
    const said = [machines.head, ...machines.machines].map(({ output }) => output());
    for (const text of [token, readToken, password, secret, "PRIVATE KEY"]) {
      assert.not.ok([...listed, ...said].some((one) => one.includes(text)));
    }
  });

  test("readers and sinks stay in the folders that head and worker were given", async () => {
    const linked = () => reading.run({ path: join(allowed, "link.txt") }, { on: session });
    assert.match((await failure(linked, "PATH_FORBIDDEN")).message, "--files");
    await failure(() => writing.run({ path: join(allowed, "../written") }, { on: session }), "PATH_FORBIDDEN");
    assert.equal(readdirSync(folder).toSorted(), ["allowed", "head", "out.txt"]);
    // The head lists what the worker may not read.
    const path = join(folder, "head/lines.txt");
    const error = await failure(() => reading.run({ path }, { on: session }), "PATH_FORBIDDEN");
    assert.is(error.place.file, path);
  }, 60_000);

  test("Redis isn't believed whose authority isn't known", async () => {
    const { message } = await failure(() => openStore(store), "STORE_REFUSED");
    assert.match(message, "NODE_EXTRA_CA_CERTS");
    assert.not.match(message, password);
  });

  test("who has no token, a wrong one, or no certificate, can't submit, read, cancel, watch or fetch code", async () => {
    const strangers: readonly (readonly [Security, "MACHINE_REFUSED" | "MACHINE_UNREACHABLE"])[] = [
      [{ ...security, token: undefined }, "MACHINE_REFUSED"],
      [{ ...security, token: randomBytes(16).toString("hex") }, "MACHINE_REFUSED"],
      [{ token, tls: { cert: "", key: "", ca: papers.tls.ca } }, "MACHINE_UNREACHABLE"],
    ];
    for (const [stranger, code] of strangers) {
      const errors = [
        await failure(() => ask(machines.url, stranger, { kind: "list" }), code),
        await failure(() => dial(`${machines.url}/machine`, {}, stranger), code),
        await failure(() => dial(`${worker?.url}/wire/control`, {}, stranger), code),
        await failure(() => download(bundleUrl, stranger, 2 ** 26), code),
        await failure(() => upload(bundleUrl, stranger, new Uint8Array(3)), code),
      ];
      for (const { message } of errors) assert.not.match(message, stranger.token ?? "nothing");
    }
  });

  test("who has the token for looking sees machines and executions, and can do nothing else", async () => {
    const looking: Security = { ...security, token: readToken };
    const seen = await ask(machines.url, looking, { kind: "list" });
    assert.is(seen.kind === "listed" ? seen.machines.length : 0, 1);
    const execution = running.id;
    const submission = {
      module: "file:///x.js",
      flow: "reading",
      args: {} as never,
      options: {},
      bundle: bundle.hash,
      detach: true,
    };
    for (const request of [
      { kind: "submit", submission },
      { kind: "follow", execution },
      { kind: "cancel", execution, reason: "why not" },
      { kind: "drain", machine: worker?.id ?? "" },
    ] as const) {
      for (const as of ["json", "clone"] as const) {
        const answer = await ask(machines.url, looking, request, as);
        assert.is(answer.kind === "refused" ? answer.error.code : "", "MACHINE_REFUSED", request.kind);
      }
    }
    // Structured clone isn't read at all from somebody who isn't trusted.
    const unread = await ask(machines.url, looking, { kind: "list" }, "clone");
    assert.is(unread.kind === "refused" ? unread.error.code : "", "MACHINE_REFUSED");
    const errors = [
      await failure(() => dial(`${machines.url}/machine`, {}, looking), "MACHINE_REFUSED"),
      await failure(() => dial(`${worker?.url}/wire/control`, {}, looking), "MACHINE_REFUSED"),
      await failure(() => download(bundleUrl, looking, 2 ** 26), "MACHINE_REFUSED"),
      await failure(
        () => upload(`${plainUrl}/bundles/${"0".repeat(64)}`, looking, new Uint8Array(3)),
        "MACHINE_REFUSED",
      ),
    ];
    assert.is(errors.length, 4);
    assert.is((await session.list()).machines.length, 1);
  });

  test("a bundle is named by its hash: no other name leads anywhere, and no other bytes are kept under it", async () => {
    const names = [
      "..%2f..%2f..%2fetc%2fpasswd",
      "../../../etc/passwd",
      "%2e%2e/x",
      "A".repeat(64),
      "0".repeat(63),
      "0".repeat(65),
      "x%00",
    ];
    for (const name of names) {
      await failure(() => download(`${plainUrl}/bundles/${name}`, security, 2 ** 26), "MACHINE_REFUSED");
    }
    const { message } = await failure(
      () => upload(`${plainUrl}/bundles/${"0".repeat(64)}`, security, Buffer.from("export {}")),
      "MACHINE_REFUSED",
    );
    assert.match(message, "it isn't what its hash says");
  });

  test("a client of another version is told so", async () => {
    const headers = { "x-qstream-version": "99" };
    for (const path of ["client", "machine"]) {
      const { message } = await failure(() => dial(`${machines.url}/${path}`, headers, security), "MACHINE_REFUSED");
      assert.match(message, "version 99 isn't 1");
    }
  });

  test("a machine that offers nonsense is hung up on, and the head goes on", async () => {
    for (const offer of [null, {}, { id: "__proto__" }, { id: 1, url: "", slots: [], tags: [], host: "" }]) {
      const { socket } = await dial(`${machines.url}/machine`, {}, security);
      await new Promise<void>((ended) => {
        const talk: Talk<FromWorker, ToWorker> = new Talk(socket, 10_000, { told: () => {}, ended });
        talk.tell({ kind: "offer", offer: offer as never });
      });
    }
    assert.equal(
      (await session.list()).machines.map(({ id }) => id),
      [worker?.id],
    );
  });

  test("a head that can't go on says why, without what is secret in its words", async () => {
    const bind = { host: "127.0.0.1", port: 0 };
    const wrong = `reddis://cluster:${password}@127.0.0.1:1/0`;
    const { message } = await failure(
      () => Head.open({ store: wrong, bind, security, leaseMs: 1000 }),
      "OPTION_INVALID",
    );
    assert.match(message, "***@127.0.0.1");
    assert.not.match(message, password);
    const away = `redis://cluster:${password}@127.0.0.1:1/0`;
    const ended = await Promise.all([
      qstream(["head", "--store", away, "--bind", "127.0.0.1:0"]),
      qstream(["head", "--store", away, "--bind", "0.0.0.0:0"]),
    ]);
    assert.equal(
      ended.map(({ code }) => code),
      [1, 2],
    );
    for (const { stdout, stderr } of ended) assert.not.match(`${stdout}${stderr}`, password);
    assert.match(ended[1]?.stderr ?? "", "beyond this machine nothing listens without a token and TLS");
    assert.throws(() => parsePlaces("--files", [join(folder, "nowhere")]), /there is no such folder/u);
  });

  test.after(async () => {
    await session.close();
    await machines.stop();
    await redis.stop();
    await papers.remove();
    await rm(folder, { recursive: true, force: true });
  });
}

test.run();
