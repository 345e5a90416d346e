import * as assert from "uvu/assert";
import type { Order, Report } from "../../../../actors/slot/protocol.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { Life, LivingClock } from "../../../../lib/testing/simulation/life.ts";
import { SimulatedSlots } from "../../../../lib/testing/simulation/simulated-slots.ts";
import { Trace } from "../../../../lib/testing/simulation/trace.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { VirtualNetwork } from "../../../../lib/testing/simulation/virtual-network.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("simulated slots");

/** Two slots whose session notes what it hears. A stop of an unknown execution is answered at once. */
class World {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly slots: SimulatedSlots;
  readonly reports: string[] = [];
  readonly lost: { readonly slot: string; readonly message: string; readonly ms: number }[] = [];
  readonly watched: string[] = [];

  constructor(seed = 1) {
    const random = seededRandom(seed);
    this.clock = new VirtualClock({ random });
    const trace = new Trace();
    this.network = new VirtualNetwork({ clock: this.clock, random, trace });
    this.slots = new SimulatedSlots(
      {
        ids: ["slot-0", "slot-1", "slot-2"],
        client: "client",
        tags: [],
        memoryBytes: undefined,
        files: {},
        stdout: "inherit",
        leaseMs: 100,
        onReport: (report: Report) => this.reports.push("slot" in report ? report.slot : ""),
        onLost: (slot, error) => this.lost.push({ slot, message: error.message, ms: this.clock.monotonic() }),
      },
      {
        clock: this.clock,
        random,
        network: this.network,
        trace,
        machines: 2,
        watch: { ordered: (slot, order) => this.watched.push(`${slot} ${order.kind}`) },
      },
    );
  }

  /** Orders something that a slot answers. */
  ask(id: string): void {
    const order: Order = { kind: "stop", execution: "none", reason: { name: "Error", message: "stop" } };
    this.slots.slots.find((slot) => slot.id === id)?.order(order);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.run({ ms: this.clock.monotonic() + ms });
  }
}

test("slots follow orders and report over the network", async () => {
  const world = new World();
  world.ask("slot-0");
  assert.equal(world.reports, []);
  await world.pass(10);
  assert.equal(world.reports, ["slot-0"]);
  assert.equal(world.watched, ["slot-0 stop"]);
  assert.equal(
    world.slots.slots.map(({ machine }) => machine),
    ["machine-0", "machine-1", "machine-0"],
  );
});

test("a killed slot answers no more, and the session hears of it a little later", async () => {
  const world = new World();
  world.ask("slot-0");
  world.slots.kill("slot-0");
  world.ask("slot-0");
  assert.equal(world.lost, []);
  await world.pass(200);
  assert.equal(world.reports, []);
  assert.equal(
    world.lost.map(({ slot }) => slot),
    ["slot-0"],
  );
  assert.match(world.lost[0]?.message ?? "", "SIGKILL");
});

test("a slot that an order kills as it arrives doesn't follow it", async () => {
  const world = new World();
  world.watched.push = (line) => {
    world.slots.kill("slot-1");
    return line.length;
  };
  world.ask("slot-1");
  await world.pass(200);
  assert.equal(world.reports, []);
});

test("all slots of a machine are killed together", async () => {
  const world = new World();
  world.slots.killMachine("machine-0");
  await world.pass(200);
  assert.equal(world.lost.map(({ slot }) => slot).toSorted(), ["slot-0", "slot-2"]);
  assert.equal(
    world.slots.living.map(({ id }) => id),
    ["slot-1"],
  );
});

test("a pause shorter than the lease goes unnoticed, and everything that waited happens", async () => {
  const world = new World();
  world.slots.pause("slot-0");
  world.ask("slot-0");
  await world.pass(50);
  assert.equal(world.reports, []);
  world.slots.resume("slot-0");
  await world.pass(200);
  assert.equal(world.reports, ["slot-0"]);
  assert.equal(world.lost, []);
});

test("two pauses that are shorter than the lease each don't add up", async () => {
  const world = new World();
  for (let times = 0; times < 3; times++) {
    world.slots.pause("slot-0");
    await world.pass(80);
    world.slots.resume("slot-0");
    await world.pass(1);
  }
  await world.pass(200);
  assert.equal(world.lost, []);
});

test("a slot that is paused beyond its lease is given up, and goes on when it is resumed", async () => {
  const world = new World();
  world.slots.pause("slot-0");
  world.ask("slot-0");
  await world.pass(150);
  assert.equal(
    world.lost.map(({ slot, ms }) => [slot, ms]),
    [["slot-0", 100]],
  );
  assert.equal(
    world.slots.trusted.map(({ id }) => id),
    ["slot-1", "slot-2"],
  );
  world.slots.resume("slot-0");
  await world.pass(10);
  assert.equal(world.reports, ["slot-0"], "it lives, and says so");
  assert.is(world.lost.length, 1);
});

test("a slot that nobody hears is given up as well", async () => {
  const world = new World();
  world.network.partition("slot-1", "client", true);
  world.slots.reachabilityChanged();
  await world.pass(150);
  assert.equal(
    world.lost.map(({ slot }) => slot),
    ["slot-1"],
  );
});

test("what doesn't stop is ended, at once", async () => {
  const world = new World();
  world.slots.slots[1]?.lose();
  assert.equal(
    world.lost.map(({ slot }) => slot),
    ["slot-1"],
  );
  world.ask("slot-1");
  await world.pass(100);
  assert.equal(world.reports, []);
});

test("a replacement takes a while to start, under a name of its own, on the same machine", async () => {
  const world = new World();
  world.slots.kill("slot-1");
  const replaced = world.slots.replace("slot-1");
  assert.is(world.slots.slots.length, 3);
  await world.clock.run({ settled: replaced });
  const { id, machine } = world.slots.slots.at(-1) ?? {};
  assert.equal([id, machine], ["slot-1.2", "machine-1"]);
  world.ask("slot-1.2");
  await world.pass(10);
  assert.equal(world.reports, ["slot-1.2"]);
});

test("a slot whose link to the client breaks ends, one of two slots whose link breaks is given up", async () => {
  const world = new World();
  world.network.drop("slot-0", "client");
  world.network.drop("slot-1", "slot-2");
  await world.pass(100);
  const lost = world.lost.map(({ slot }) => slot).toSorted();
  assert.is(lost[0], "slot-0");
  assert.is(lost.length, 2);
});

test("closing ends all slots that live, in order; one that is paused isn't waited for", async () => {
  const world = new World();
  world.slots.pause("slot-2");
  await world.clock.run({ settled: world.slots.close() });
  assert.equal(
    world.slots.closed.map(({ id }) => id),
    ["slot-0", "slot-1"],
  );
  assert.equal(world.slots.living, []);
  assert.equal(world.lost, []);
});

test("timers of what is paused wait, in their order, and those of the dead never ring", async () => {
  const clock = new VirtualClock({ random: seededRandom(1), startAt: 1000 });
  const life = new Life(clock);
  const living = new LivingClock(clock, life);
  const rang: string[] = [];
  for (const ms of [10, 20, 30, 40]) living.after(ms, () => rang.push(`${ms} at ${clock.monotonic()}`));
  const cancel = living.after(25, () => rang.push("cancelled"));
  clock.after(15, () => life.pause());
  clock.after(32, () => {
    cancel();
    life.resume();
  });
  clock.after(35, () => life.end());
  living.jump(500);
  assert.is(living.now(), 1500);
  await clock.run();
  assert.equal(rang, ["10 at 10", "20 at 32", "30 at 32"]);
});

test("everything can be killed at once: no slot and nobody who commands them hears or says anything more", async () => {
  const world = new World();
  const rang: string[] = [];
  world.slots.clock.after(5, () => rang.push("client"));
  world.ask("slot-0");
  world.slots.kill("slot-1");
  world.slots.killAll();
  void world.slots.replace("slot-1");
  await world.pass(500);
  assert.equal(world.slots.living, []);
  assert.equal([world.reports, world.lost, rang], [[], [], []]);
  assert.is(world.slots.slots.length, 3);
});

test.run();
