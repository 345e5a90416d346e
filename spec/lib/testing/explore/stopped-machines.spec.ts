import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../../lib/index.ts";
import {
  defineExploration,
  explore,
  findViolation,
  recordRun,
  type RunStep,
  type RunTrace,
} from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { sending, sink, source, type Pair } from "./sending.ts";

const test = suite("machines of explorations that stand still, crash, or are cut off");
const url = import.meta.url;

/** Steps of a line while its machine stands still, and how many runs had one in which it waited for an answer. */
function stepsWhileStill({ steps }: RunTrace, line: string): { readonly wrong: readonly RunStep[]; isSeen: boolean } {
  const still = steps.find(({ text = "" }) => text.startsWith("stands still for"));
  if (still === undefined) return { wrong: [], isSeen: false };
  const until = still.at + Number(/(?<ms>\d+) ms/u.exec(still.text ?? "")?.groups?.["ms"]) - 1;
  const healed = steps.find(({ kind }) => kind === "heal")?.at ?? Infinity;
  const wrong = steps.filter(
    (step) => step.line === line && step.step > still.step && step.at < Math.min(until, healed),
  );
  const asked = steps.find((step) => step.line === line && step.kind !== "start");
  const answered = steps.find((step) => step.line === line && (step.message?.text ?? "").startsWith("answer "));
  return {
    wrong,
    isSeen: asked !== undefined && answered !== undefined && asked.at < still.at && answered.at >= until,
  };
}

test("a machine that stands still doesn't go on when an answer comes", async () => {
  const asking = sending(
    { withinMs: 600, delayMs: 100, pauses: { most: 1, forMs: 200, machines: ["machine-from"] } },
    {
      machines: ["machine-from", "machine-to"],
      start(world) {
        const [here, there] = world.machines;
        const to = world.spawn(sink, undefined, { name: "to", machine: there });
        const from = world.spawn(source, undefined, { name: "from", machine: here });
        from.tell("ask", to);
        return { from, to };
      },
    },
  );
  let seen = 0;
  for (let seed = 1; seed <= 40; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { wrong, isSeen } = stepsWhileStill(await recordRun(asking, { seed }), "from");
    assert.equal(wrong, [], `seed ${seed}`);
    if (isSeen) seen++;
  }
  assert.ok(seen > 2, `an answer came while the machine stood still in ${seen} runs`);
});

test("who watches an actor whose loss is known already is told of it", async () => {
  const exploration = defineExploration<Pair>(url, {
    machines: ["from", "to"],
    start(world) {
      const [here, there] = world.machines;
      const to = world.spawn(sink, undefined, { name: "to", machine: there });
      const from = world.spawn(source, undefined, { name: "from", machine: here });
      world.after(300, () => from.tell("watch", to));
      return { from, to };
    },
    faults: { withinMs: 50, detectAfterMs: 30, crashes: { machines: ["to"] } },
    atEnd: {
      "the loss is known": ({ from }, world) =>
        world.machines[1]?.isUp === true || world.state<{ answers: string[] }>(from)?.answers.join() === "ended: lost",
    },
  });
  assert.ok((await explore(exploration, { seeds: 20 })).faults > 5, "machines didn't crash");
});

test("what has to hold is checked behind a crash and behind what comes from outside, also the last", async () => {
  const idle = defineExploration<object>(url, {
    machines: ["only"],
    start: (world) => ({ to: world.spawn(sink, undefined, { machine: world.machines[0] }) }),
    faults: { withinMs: 50, crashes: {} },
    never: { "a machine is down": (_, world) => world.machines.some(({ isUp }) => !isUp) },
  });
  const crashed = (await findViolation(idle, { seeds: 10 })).violation;
  assert.is(crashed?.invariant, "a machine is down");
  assert.is(crashed?.trace.steps.find(({ step }) => step === crashed.step)?.kind, "crash");
  const counted = defineExploration<{ log: { count: number } }>(url, {
    start(world) {
      world.spawn(sink);
      const log = { count: 0 };
      world.after(10, () => void log.count++);
      return { log };
    },
    always: { "nothing is counted": ({ log }) => log.count === 0 },
  });
  assert.is((await findViolation(counted, { seeds: 1 })).violation?.invariant, "nothing is counted");
});

const talking = actor({
  kind: "talking",
  init: () => ({ others: [] as readonly AnyReference[] }),
  receive: {
    begin(state, others: readonly AnyReference[], ctx) {
      state.others = others;
      ctx.every(10, "talk");
    },
    talk(state) {
      for (const other of state.others) other.tell("hear");
    },
    hear() {},
  },
});

test("a cut that isn't over is told while another begins and ends", async () => {
  const exploration = defineExploration<object>(url, {
    machines: 4,
    start(world) {
      const all = world.machines.map((machine) => world.spawn(talking, undefined, { name: machine.name, machine }));
      for (const each of all)
        each.tell(
          "begin",
          all.filter((other) => other !== each),
        );
      return {};
    },
    faults: { withinMs: 600, delayMs: 1, partitions: { most: 3, forMs: [100, 400] } },
    always: { "there are machines": (_, world) => world.machines.length > 0 },
    steps: 1500,
  });
  let overlapping = 0;
  for (let seed = 1; seed <= 12; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { steps } = await recordRun(exploration, { seed });
    let groups: RunStep["groups"];
    for (const step of steps) {
      if (step.kind === "partition" && groups !== undefined) overlapping++;
      if (step.kind === "partition" || step.kind === "heal") ({ groups } = step);
      for (const { from, to, reason } of step.lost ?? []) {
        if (reason !== "partition") continue;
        const sides = [from, to].map((name) => groups?.findIndex((side) => side.includes(name)));
        assert.ok(
          sides[0] !== sides[1],
          `seed ${seed}, step ${step.step}: ${from} to ${to} in ${JSON.stringify(groups)}`,
        );
      }
    }
  }
  assert.ok(overlapping > 3, "no partitions overlap");
});

test.run();
