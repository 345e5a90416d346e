// Whoever has the token and says what isn't of the protocol is refused, counted and hung up on: no process ends of it, and nothing else.
import { serialize } from "node:v8";
import * as assert from "uvu/assert";
import { CoordinationBoard, MemoryCoordination } from "../../actors/stores/memory-coordination.ts";
import { dial } from "../../actors/transport/wire/dial.ts";
import { WireServer } from "../../actors/transport/wire/server.ts";
import { versionHeaders } from "../../actors/transport/wire/wire-hello.ts";
import type { HeadWorld } from "../../lib/cluster/head-world.ts";
import { Head } from "../../lib/cluster/head.ts";
import { Leadership } from "../../lib/cluster/leadership.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../../lib/cluster/protocol.ts";
import { Talk } from "../../lib/cluster/talk.ts";
import { Worker } from "../../lib/cluster/worker.ts";
import { systemClock } from "../../lib/core/seam/clock.ts";
import { until } from "../actors/transport/wire/wires.ts";
import { headWorld } from "../kit/head-world.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { askHead } from "./ask-head.ts";

const test = suite("wrong words");

const bind = { host: "127.0.0.1", port: 0 };
const security = { token: undefined, tls: undefined };
const leaseMs = 10_000;
const hole: unknown[] = Object.assign([], { length: 3 });

function worldOf(board = new CoordinationBoard(systemClock)): HeadWorld {
  return headWorld((name) => new MemoryCoordination(board, name));
}

const submission = {
  module: "file:///flow.js",
  flow: "flow",
  args: { plain: { format: "clone", rows: 0, bytes: new ArrayBuffer(0) }, batches: [] },
  options: {},
  bundle: "0".repeat(64),
  detach: true,
};

const fromClients: readonly object[] = [
  { kind: "nothing" },
  { kind: "__proto__" },
  { kind: "submit" },
  { kind: "submit", submission: {} },
  { kind: "submit", submission: { ...submission, options: undefined } },
  { kind: "submit", submission: { ...submission, args: {} } },
  { kind: "submit", submission: { ...submission, args: { ...submission.args, batches: hole } } },
  { kind: "submit", submission: { ...submission, resume: { execution: 5 } } },
  { kind: "submit", submission: { ...submission, resume: { execution: "run", rescale: { step: "many" } } } },
  { kind: "stored" },
  { kind: "follow", execution: {} },
  { kind: "cancel" },
  { kind: "cancel", execution: "run" },
  { kind: "drain", machine: ["M"] },
  { kind: "rebalance", execution: {} },
  { kind: "taken" },
  { kind: "deposed" },
  { kind: "deposed", leader: "ws://127.0.0.1:9" },
  { kind: "deposed", leader: "ws://127.0.0.1:9", epoch: "99" },
  { kind: "deposed", leader: "ws://127.0.0.1:9", epoch: Number.NaN },
  { kind: "deposed", leader: "ws://127.0.0.1:9", epoch: Number.POSITIVE_INFINITY },
  { kind: "release-datasets" },
  { kind: "release-datasets", datasets: 5 },
  { kind: "release-datasets", datasets: [5] },
  { kind: "release-datasets", datasets: hole },
];

const fromWorkers: readonly object[] = [
  { kind: "nothing" },
  { kind: "offer" },
  { kind: "offer", offer: { id: "M", url: "ws://127.0.0.1:9", slots: hole, tags: [], host: "spec" } },
  { kind: "offer", offer: { id: "M", url: "ws://127.0.0.1:9", slots: [], tags: [], host: "spec", storeAway: "no" } },
  { kind: "counts", counts: { late: 1 } },
];

const toWorkers: readonly object[] = [
  { kind: "nothing" },
  { kind: "toString" },
  { kind: "welcome" },
  { kind: "welcome", leaseMs: 1000, epoch: undefined, head: "head" },
  { kind: "welcome", leaseMs: 1000, epoch: 1.5, head: "head" },
  { kind: "elsewhere", leader: 5 },
  { kind: "machine-gone" },
  { kind: "release-datasets", datasets: 5 },
  { kind: "release-datasets", datasets: hole },
];

test("a head answers each wrong word of a client with a code, hangs up, counts it, and goes on leading", async () => {
  const head = await Head.open({ store: "redis://nowhere", leaseMs, bind, security, world: worldOf() });
  const url = head.url.replace(/^http/u, "ws");
  for (const [index, request] of fromClients.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const said = await sayAndHear(url, request);
    const shown = JSON.stringify(request);
    assert.equal(
      said.map((answer) => (answer.kind === "refused" ? answer.error.code : answer.kind)),
      ["welcome", "FRAME_INVALID"],
      shown,
    );
    assert.is(head.epoch, 1, shown);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const [, listed] = await askHead(url, { kind: "list" });
    assert.is(listed?.kind === "listed" ? listed.refusedConnections : -1, index + 1, shown);
  }
  await head.close();
});

test("a head hangs up on a machine that says something else than machines do, and keeps no more of an offer than it knows", async () => {
  const head = await Head.open({ store: "redis://nowhere", leaseMs, bind, security, world: worldOf() });
  const url = head.url.replace(/^http/u, "ws");
  for (const word of fromWorkers) {
    const { socket } = await dial(`${url}/machine`, versionHeaders, security);
    await new Promise<void>((ended) => {
      const talk: Talk<FromWorker, ToWorker> = new Talk(socket, leaseMs, { told: () => {}, ended });
      talk.tell(word as FromWorker);
    });
  }
  assert.equal(head.machines, []);
  // JSON holds no bigint: what is kept of a machine is JSON.
  const offer = { id: "M", url: "ws://127.0.0.1:9", slots: ["M/0"], tags: [], host: "spec", memoryBytes: undefined };
  const { socket } = await dial(`${url}/machine`, versionHeaders, security);
  const said: string[] = [];
  const talk: Talk<FromWorker, ToWorker> = new Talk(socket, leaseMs, {
    told: ({ kind }) => void said.push(kind),
    ended: () => said.push("ended"),
  });
  talk.tell({ kind: "offer", offer: { ...offer, more: 1n } as never });
  await until(() => said.includes("listed"));
  assert.equal(
    head.machines.map((listed) => ({ ...listed, joinedAt: 0 })),
    [{ ...offer, joinedAt: 0 }],
  );
  await head.close();
});

test("a leader is deposed by a later epoch, and by nothing that isn't one", async () => {
  let deposed = 0;
  const leadership = await Leadership.open({
    world: worldOf(),
    store: "redis://nowhere",
    head: "head",
    url: () => "ws://127.0.0.1:9",
    leaseMs,
    machines: () => [],
    leads: async () => {},
    deposed: async () => void deposed++,
  });
  await leadership.start();
  for (const epoch of [undefined, null, Number.NaN, Number.POSITIVE_INFINITY, "9", {}, 1.5, 0, 1]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await leadership.deposedBy("ws://127.0.0.1:1", epoch as number);
    assert.is(leadership.epoch, 1, String(epoch));
  }
  await leadership.deposedBy("ws://127.0.0.1:1", 2);
  assert.equal([leadership.epoch, leadership.leader, deposed], [undefined, "ws://127.0.0.1:1", 1]);
  await leadership.close();
});

if (!inSlot) {
  test("a worker hangs up on a head that says something else than heads do, counts it, and joins again", async () => {
    const words = toWorkers.values();
    const offers: FromWorker[] = [];
    let visits = 0;
    const server = await WireServer.open({
      bind,
      security,
      admit: () => ({
        admitted: true,
        headers: {},
        connected: ({ socket }) => {
          visits++;
          const { value: word } = words.next();
          const talk: Talk<ToWorker, FromWorker> = new Talk(socket, leaseMs, {
            told: (message) => void offers.push(message),
            ended: () => {},
          });
          talk.tell((word ?? { kind: "welcome", leaseMs, epoch: 1, head: "head" }) as ToWorker);
        },
      }),
    });
    const worker = await Worker.open({
      join: [`ws://127.0.0.1:${server.port}`],
      slots: 1,
      tags: [],
      memoryBytes: undefined,
      bind,
      security,
      leaseMs,
      turnMs: 0,
      broken: (error) => {
        throw error;
      },
    });
    const refused = (): number =>
      offers.reduce((most, said) => Math.max(most, said.kind === "counts" ? said.counts.refusedMessages : 0), 0);
    await until(() => refused() > 0, 50_000);
    assert.is(visits, toWorkers.length + 1);
    assert.is(refused(), toWorkers.length);
    assert.ok(offers.some(({ kind }) => kind === "offer"));
    await worker.close();
    await server.close();
  }, 60_000);
}

/** Says something to a head, and gives all that it says until it hangs up. */
async function sayAndHear(url: string, request: object): Promise<readonly ToClient[]> {
  const { socket } = await dial(`${url}/client`, versionHeaders, security);
  const said: ToClient[] = [];
  await new Promise<void>((ended) => {
    void new Talk<FromClient, ToClient>(socket, leaseMs, { told: (message) => void said.push(message), ended });
    socket.send(serialize(request), { binary: true });
  });
  return said;
}

test.run();
