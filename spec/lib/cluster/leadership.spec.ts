import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { Leadership, type LeadershipParts } from "../../../lib/cluster/leadership.ts";
import { hasRedisServer, startRedisServer } from "../../kit/redis-server.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("which head leads");

if (await hasRedisServer()) {
  const redis = await startRedisServer();
  let clusters = 0;
  const freshStore = (): string => `${redis.url}?prefix=cluster${clusters++}`;
  /** Head "one" of a cluster of its own, with what becomes of it. */
  const openOne = async (said: string[], others: Partial<LeadershipParts> = {}): Promise<Leadership> => {
    const leadership = await Leadership.open({
      store: freshStore(),
      head: "one",
      url: () => "ws://one:1",
      leaseMs: 300,
      machines: () => [],
      leads: async (epoch) => void said.push(`leads ${epoch}`),
      deposed: async (lost) => void said.push(lost === undefined ? "deposed" : `deposed ${lost.code}`),
      ...others,
    });
    await leadership.start();
    return leadership;
  };

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

  test("a head that goes on after Redis was away leads still; where Redis was emptied it begins anew, under a later epoch", async () => {
    const said: string[] = [];
    const leadership = await openOne(said);
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
    assert.equal(said, ["leads 1", "deposed STORE_LOST", "leads 2"]);
    await leadership.close();
  });

  test("whoever knows a later epoch has a head lead under one above that, if no other one leads", async () => {
    const said: string[] = [];
    const leadership = await openOne(said, {
      deposed: async () => void said.push("deposed"),
      trouble: ({ code }) => void said.push(code),
    });
    await leadership.outrun(0);
    assert.equal(said, ["leads 1"]);
    await leadership.outrun(7);
    for (let turn = 0; turn < 50 && said.length < 4; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- it waits
      await wait(50);
    }
    assert.equal(said, ["leads 1", "HEAD_DEPOSED", "deposed", "leads 8"]);
    await leadership.close();
  });

  test("that Redis is away is said once, however often it is tried", async () => {
    const said: string[] = [];
    const leadership = await openOne(said, { trouble: ({ code }) => void said.push(code) });
    await redis.kill();
    for (let turn = 0; turn < 200 && said.length < 2; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- it waits
      await wait(50);
    }
    await wait(400);
    assert.equal(said, ["leads 1", "STORE_UNAVAILABLE"]);
    await redis.restart();
    await leadership.close();
  });

  test.after(() => redis.stop());
}

test.run();
