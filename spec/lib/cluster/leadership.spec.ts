import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { ClusterState } from "../../../actors/stores/cluster-state.ts";
import { Leadership } from "../../../lib/cluster/leadership.ts";
import { failure } from "../../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../../kit/redis-server.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("which head leads");
const bytes = (text: string): Uint8Array => Buffer.from(text);

if (await hasRedisServer()) {
  const redis = await startRedisServer();
  let clusters = 0;
  const freshStore = (): string => `${redis.url}?prefix=cluster${clusters++}`;

  /** Two states on one store, of which the second has begun to lead after the first. */
  const deposedAndLeader = async (): Promise<readonly [ClusterState, ClusterState]> => {
    const store = freshStore();
    const first = await ClusterState.open(store, "head-1");
    const second = await ClusterState.open(store, "head-2");
    assert.equal(await first.campaign("ws://one:1", 50), { leads: true, epoch: 1 });
    assert.equal(await second.campaign("ws://two:2", 50), { leads: false, leader: "ws://one:1" });
    await wait(80);
    assert.equal(await second.campaign("ws://two:2", 60_000), { leads: true, epoch: 2 });
    return [first, second];
  };
  const submission = {
    execution: "run-1",
    bundle: "b",
    flow: "f",
    submission: bytes("submission"),
    submittedAt: 5,
  };

  test("nothing that a head writes counts once another one leads", async () => {
    const [first, second] = await deposedAndLeader();
    await second.putBundle("b", bytes("code"));
    await second.submit(submission);
    const writes: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["renew", () => first.renew(1000, [])],
      ["resign", () => first.resign()],
      ["machine", () => first.machine(1000, "m", "{}")],
      ["machineGone", () => first.machineGone("m")],
      ["putBundle", () => first.putBundle("b", bytes("other code"))],
      ["submit", () => first.submit({ ...submission, execution: "run-2" })],
      ["driver", () => first.driver("run-1", 2)],
      ["cancel", () => first.cancel("run-1", "why not")],
      ["end", () => first.end("run-1", 1, "done", bytes("end"), 6)],
      ["tidied", () => first.tidied("run-1")],
    ];
    for (const [name, write] of writes) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await failure(write, "HEAD_DEPOSED").catch((error: unknown) => assert.unreachable(`${name}: ${String(error)}`));
    }
    const kept = await second.execution("run-1");
    assert.is(kept?.status, "running");
    assert.is(kept?.cancel, undefined);
    assert.is(kept?.driver, 1);
    assert.equal((await second.load(0)).executions, ["run-1"]);
    assert.is(Buffer.from((await second.bundle("b")) ?? []).toString(), "code");
    await second.renew(1000, []);
    for (const state of [first, second]) state.close();
  });

  test("only the newest driver of an execution can end it, and only once", async () => {
    const [first, second] = await deposedAndLeader();
    await second.putBundle("b", bytes("code"));
    await second.submit(submission);
    assert.ok(await second.driver("run-1", 2));
    assert.not.ok(await second.end("run-1", 1, "done", bytes("old"), 6));
    assert.ok(await second.end("run-1", 2, "done", bytes("new"), 7));
    assert.not.ok(await second.end("run-1", 2, "failed", bytes("again"), 8));
    assert.not.ok(await second.driver("run-1", 3));
    const kept = await second.execution("run-1");
    assert.is(kept?.status, "done");
    assert.is(Buffer.from(kept?.end ?? []).toString(), "new");
    assert.is(kept?.submission.byteLength, 0);
    assert.equal((await second.load(0)).leftovers, ["run-1"]);
    await second.tidied("run-1");
    assert.equal((await second.load(0)).leftovers, []);
    for (const state of [first, second]) state.close();
  });

  test("the ends of a hundred executions are kept, and code in pieces", async () => {
    const [first, second] = await deposedAndLeader();
    const code = Buffer.alloc((2 << 20) + 17, "x");
    await failure(() => second.submit(submission), "FLOW_NOT_FOUND");
    await second.putBundle("b", code);
    assert.ok(Buffer.from((await second.bundle("b")) ?? []).equals(code));
    assert.is(await second.bundle("c"), undefined);
    for (let turn = 0; turn < 105; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await second.submit({ ...submission, execution: `run-${turn}`, submittedAt: turn });
      // oxlint-disable-next-line no-await-in-loop -- see above
      await second.end(`run-${turn}`, 1, "done", bytes("end"), turn);
    }
    const { executions } = await second.load(0);
    assert.is(executions.length, 100);
    assert.is(executions[0], "run-5");
    assert.is(await second.execution("run-4"), undefined);
    for (const state of [first, second]) state.close();
  });

  test("one leads; another waits for the end of its lease, or takes over at once where it resigns", async () => {
    const store = freshStore();
    const said: string[] = [];
    const open = async (head: string): Promise<Leadership> => {
      const leadership = await Leadership.open({
        store,
        head,
        url: () => `ws://${head}:1`,
        leaseMs: 400,
        machines: () => [],
        leads: async (epoch) => void said.push(`${head} leads ${epoch}`),
        deposed: async () => void said.push(`${head} is deposed`),
      });
      await leadership.start();
      return leadership;
    };
    const first = await open("one");
    const second = await open("two");
    assert.is(first.epoch, 1);
    assert.is(second.epoch, undefined);
    assert.is(second.leader, "ws://one:1");
    await wait(600);
    assert.equal(said, ["one leads 1"]);
    await first.close();
    await wait(250);
    assert.equal(said, ["one leads 1", "one is deposed", "two leads 2"]);
    await second.close();
  });

  test("a head that goes on after Redis was away leads still; where Redis was emptied it begins anew", async () => {
    const said: string[] = [];
    const leadership = await Leadership.open({
      store: freshStore(),
      head: "one",
      url: () => "ws://one:1",
      leaseMs: 300,
      machines: () => [],
      leads: async (epoch) => void said.push(`leads ${epoch}`),
      deposed: async () => void said.push("deposed"),
    });
    await leadership.start();
    redis.pause();
    await wait(500);
    redis.resume();
    await wait(200);
    assert.equal(said, ["leads 1"]);
    await redis.restart({ empty: true });
    for (let turn = 0; turn < 50 && said.length < 3; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- it waits
      await wait(50);
    }
    assert.equal(said, ["leads 1", "deposed", "leads 1"]);
    await leadership.close();
  });

  test.after(() => redis.stop());
}

test.run();
