// specs: timeout 90 s
// A head that listens on all addresses: others find it, its code and its drivers where it says, or it doesn't start.
import * as assert from "uvu/assert";
import { addressOf, checkAdvertised, hostOfAddress } from "../../actors/transport/wire/security.ts";
import { cluster } from "../../lib/index.ts";
import { Head } from "../../lib/cluster/head.ts";
import { headReady, startClusterProcess, workerReady } from "../../lib/testing/loopback-cluster.ts";
import { makePapers } from "../kit/certificates.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import { sums } from "./flows.ts";

const test = suite("heads that are found elsewhere than they listen");

const everywhere = ["0.0.0.0", "0", "0.0", "::", "[::]", "[::0]", "0:0:0:0:0:0:0:0"];

test("all addresses, however they are written, want another one that is said", () => {
  for (const host of everywhere) {
    assert.throws(() => checkAdvertised({ host, port: 1 }, undefined), /--advertise/u, host);
    checkAdvertised({ host, port: 1 }, "head.example.org");
  }
  for (const host of ["10.0.0.1", "::1", "[fd00::1]", "head", "127.0.0.1"])
    checkAdvertised({ host, port: 1 }, undefined);
});

test("what is said may have a port of its own; else it is the one on which it listens", () => {
  const bind = { host: "0.0.0.0", port: 0 };
  assert.is(addressOf(bind, 7420, "head"), "head:7420");
  assert.is(addressOf(bind, 7420, "head:80"), "head:80");
  assert.is(addressOf(bind, 7420, "[fd00::1]"), "[fd00::1]:7420");
  assert.is(addressOf(bind, 7420, "[fd00::1]:80"), "[fd00::1]:80");
  assert.is(addressOf({ host: "fd00::1", port: 0 }, 7420), "[fd00::1]:7420");
  assert.is(addressOf({ host: "head", port: 0 }, 7420), "head:7420");
  assert.equal(["head", "head:80", "[fd00::1]", "[fd00::1]:80"].map(hostOfAddress), [
    "head",
    "head",
    "[fd00::1]",
    "[fd00::1]",
  ]);
});

if (!inSlot) {
  const papers = await makePapers(["127.0.0.1"]);

  test("a head that nobody could find doesn't start, and says what to do before it asks Redis", async () => {
    const store = "redis://127.0.0.1:1/0";
    for (const host of ["0.0.0.0", "[::]", "0"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const ended = await qstream(["head", "--store", store, "--bind", `${host}:0`, ...papers.words]);
      assert.is(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, "Give --advertise host:port");
    }
    const wrong = await qstream(["head", "--store", store, "--advertise", "wss://head:1"]);
    assert.is(wrong.code, 2, wrong.stderr);
    assert.match(wrong.stderr, "--advertise wss://head:1: host:port is wanted");
    const { token, tls } = papers;
    const bind = { host: "0.0.0.0", port: 0 };
    await failure(() => Head.open({ store, bind, security: { token, tls }, leaseMs: 1000 }), "OPTION_INVALID");
  });

  test.after(() => papers.remove());

  if (await hasRedisServer()) {
    test("machines fetch code from where a head is found, and drivers are found at the same host", async () => {
      const redis = await startRedisServer();
      const where = ["--bind", "0.0.0.0:0", "--advertise", "127.0.0.1"];
      const head = await startClusterProcess(["head", "--store", redis.url, ...where, ...papers.words], headReady);
      try {
        assert.match(head.url, /^wss:\/\/127\.0\.0\.1:[1-9]\d+$/u);
        const words = ["worker", "--join", head.url, "--slots", "1", ...papers.words];
        const worker = await startClusterProcess(words, workerReady);
        const { token, tls } = papers;
        const session = await cluster({ url: head.url, token, tls });
        const result = await sums.run({ upTo: 10 }, { on: session });
        assert.is(result.sums.length, 7);
        await session.close();
        await worker.kill();
      } finally {
        await head.kill();
        await redis.stop();
      }
    }, 80_000);
  }
}

test.run();
