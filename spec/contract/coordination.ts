// What holds of everything that heads of a cluster share: called by the spec of each implementation.
import * as assert from "uvu/assert";
import type { Coordination } from "../../lib/core/contracts/coordination.ts";
import { failure } from "../kit/failure.ts";
import type { Suite } from "../kit/suite.ts";

export interface CoordinationUnderTest {
  /** What heads of one more cluster share: opens it for a head of that name. */
  readonly share: () => (head: string) => Promise<Coordination>;
  /** Lets so many milliseconds pass. */
  readonly pass: (ms: number) => Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (kept: Uint8Array | undefined): string => Buffer.from(kept ?? []).toString();
const submission = { execution: "run-1", bundle: "b", flow: "f", submission: bytes("submission"), submittedAt: 5 };

/** Adds the tests to a suite. */
export function coordinationContract(test: Suite, under: CoordinationUnderTest): void {
  leading(test, under);
  lasting(test, under);
  forgetting(test, under);
  ending(test, under);
  bounded(test, under);
  resuming(test, under);
}

/** Two heads, of which the second has begun to lead after the first. */
async function deposedAndLeader({
  share,
  pass,
}: CoordinationUnderTest): Promise<readonly [Coordination, Coordination]> {
  const open = share();
  const [first, second] = [await open("head-1"), await open("head-2")];
  assert.equal(await first.campaign("ws://one:1", 50), { leads: true, epoch: 1 });
  assert.equal(await second.campaign("ws://two:2", 50), { leads: false, leader: "ws://one:1" });
  await pass(80);
  assert.equal(await second.campaign("ws://two:2", 60_000), { leads: true, epoch: 2 });
  return [first, second];
}

function closeAll(all: readonly Coordination[]): void {
  for (const one of all) one.close();
}

function leading(test: Suite, under: CoordinationUnderTest): void {
  test("nothing that a head writes counts once another one leads", async () => {
    const [first, second] = await deposedAndLeader(under);
    await second.putBundle("b", bytes("code"));
    await second.submit(submission);
    await second.machine(60_000, "n", "kept");
    const writes: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["renew", () => first.renew(1000, [])],
      ["resign", () => first.resign()],
      ["machine", () => first.machine(1000, "m", "{}")],
      ["machineGone", () => first.machineGone("n")],
      ["putBundle", () => first.putBundle("b", bytes("other code"))],
      ["submit", () => first.submit({ ...submission, execution: "run-2" })],
      ["driver", () => first.driver("run-1", 2)],
      ["cancel", () => first.cancel("run-1", "why not")],
      ["end", () => first.end("run-1", 1, "done", bytes("end"), 6)],
      ["tidied", () => first.tidied("run-1")],
      ["keepMeasures", () => first.keepMeasures("f", "[]")],
    ];
    for (const [name, write] of writes) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await failure(write, "HEAD_DEPOSED").catch((error: unknown) => assert.unreachable(`${name}: ${String(error)}`));
    }
    const kept = await second.execution("run-1");
    assert.is(kept?.status, "running");
    assert.is(kept?.cancel, undefined);
    assert.is(kept?.driver, 1);
    const { executions, machines, measures } = await second.load(0);
    assert.equal(measures, []);
    assert.equal(executions, ["run-1"]);
    assert.equal(machines, ["kept"]);
    assert.is(textOf(await second.bundle("b")), "code");
    await second.renew(1000, []);
    closeAll([first, second]);
  });
}

function lasting(test: Suite, under: CoordinationUnderTest): void {
  test("a lease lasts while it is renewed; who resigns or is late is followed at once, and by himself under another epoch", async () => {
    const open = under.share();
    const [first, second] = [await open("head-1"), await open("head-2")];
    await first.campaign("ws://one:1", 600);
    await under.pass(400);
    await first.renew(600, []);
    await under.pass(400);
    assert.equal(await second.campaign("ws://two:2", 100), { leads: false, leader: "ws://one:1" });
    assert.equal(await first.campaign("ws://one:1", 60_000), { leads: true, epoch: 2 });
    await first.resign();
    assert.equal(await second.campaign("ws://two:2", 60_000), { leads: true, epoch: 3 });
    await failure(() => first.resign(), "HEAD_DEPOSED");
    assert.equal(await first.campaign("ws://one:1", 100), { leads: false, leader: "ws://two:2" });
    assert.equal(await second.campaign("ws://two:2", 60_000, 9), { leads: true, epoch: 10 });
    assert.equal(await second.campaign("ws://two:2", 60_000, 9), { leads: true, epoch: 11 });
    closeAll([first, second]);
  });

  test("machines are members as long as their leases, which the head renews of those that it names", async () => {
    const [first, second] = await deposedAndLeader(under);
    await second.machine(60, "m", "renewed");
    await second.machine(60, "n", "forgotten");
    await second.machine(60_000, "o", "gone");
    await second.machineGone("o");
    await second.renew(60_000, ["m", "nobody"]);
    await under.pass(90);
    assert.equal((await second.load(0)).machines, ["renewed"]);
    assert.equal([...(await second.load(60_000)).machines].toSorted(), ["forgotten", "renewed"]);
    closeAll([first, second]);
  });
}

function forgetting(test: Suite, under: CoordinationUnderTest): void {
  test("machines of which no head knows are forgotten, but not before a head that leads may have taken them over", async () => {
    const [first, second] = await deposedAndLeader(under);
    // Nobody led for so long that the next head isn't told of it.
    await second.machine(20, "m", "gone for long");
    await under.pass(130);
    await second.machine(60_000, "n", "there");
    await second.renew(1000, []);
    assert.equal([...(await second.load(60_000)).machines].toSorted(), ["gone for long", "there"]);
    await second.renew(20, []);
    assert.equal((await second.load(60_000)).machines, ["there"]);
    closeAll([first, second]);
  });
}

function ending(test: Suite, under: CoordinationUnderTest): void {
  test("only the newest driver of an execution can end it, and only once", async () => {
    const [first, second] = await deposedAndLeader(under);
    await second.putBundle("b", bytes("code"));
    await second.submit(submission);
    await second.submit({ ...submission, flow: "another" });
    assert.ok(await second.driver("run-1", 2));
    assert.not.ok(await second.driver("run-1", 1));
    await second.cancel("run-1", "why not");
    assert.is((await second.execution("run-1"))?.cancel, "why not");
    assert.not.ok(await second.end("run-1", 1, "done", bytes("old"), 6));
    assert.ok(await second.end("run-1", 2, "done", bytes("new"), 7));
    assert.not.ok(await second.end("run-1", 2, "failed", bytes("again"), 8));
    assert.not.ok(await second.end("run-1", 2, "done", bytes("otherwise"), 8));
    assert.ok(await second.end("run-1", 2, "done", bytes("new"), 8), "once more, as by one who got no answer");
    assert.not.ok(await second.driver("run-1", 3));
    await second.cancel("run-1", "too late");
    const kept = await second.execution("run-1");
    assert.equal(
      { ...kept, end: textOf(kept?.end), submission: textOf(kept?.submission) },
      {
        ...submission,
        status: "done",
        end: "new",
        submission: "",
        cancel: undefined,
        driver: 2,
        begun: false,
      },
    );
    assert.not.ok(await second.driver("run-2", 1));
    assert.is(await second.execution("run-2"), undefined);
    assert.equal((await second.load(0)).leftovers, ["run-1"]);
    await second.tidied("run-1");
    assert.equal((await second.load(0)).leftovers, []);
    closeAll([first, second]);
  });

  test("the ends of a hundred executions are kept, and code in pieces", async () => {
    const [first, second] = await deposedAndLeader(under);
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
    closeAll([first, second]);
  });
}

function bounded(test: Suite, under: CoordinationUnderTest): void {
  test("the measures of the 256 flows that were done last are kept", async () => {
    const [first, second] = await deposedAndLeader(under);
    for (let flow = 0; flow < 258; flow++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await second.keepMeasures(`flow-${flow}`, `[${flow}]`);
      // Times have milliseconds.
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (flow < 3) await under.pass(3);
    }
    await under.pass(3);
    await second.keepMeasures("flow-2", "[again]");
    const { measures } = await second.load(0);
    assert.is(measures.length, 256);
    assert.equal(measures.at(-1), { flow: "flow-2", measures: "[again]" });
    assert.not.ok(measures.some(({ flow }) => flow === "flow-0" || flow === "flow-1"));
    closeAll([first, second]);
  });

  test("of too much code what runs stays, and what was used last", async () => {
    const [first, second] = await deposedAndLeader(under);
    await second.putBundle("b", bytes("code"));
    await second.submit(submission);
    await second.putBundle("unused", bytes("code"));
    await under.pass(3);
    for (let index = 0; index < 512; index++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await second.putBundle(`b${index}`, bytes("code"));
    }
    assert.is(textOf(await second.bundle("b")), "code");
    assert.is(await second.bundle("unused"), undefined);
    assert.is(textOf(await second.bundle("b511")), "code");
    closeAll([first, second]);
  });
}

function resuming(test: Suite, under: CoordinationUnderTest): void {
  test("that a driver begins is kept, and a later one may begin, too", async () => {
    const [first, second] = await deposedAndLeader(under);
    const begun = async (): Promise<boolean | undefined> => (await second.execution("run-1"))?.begun;
    await second.putBundle("b", bytes("code"));
    await second.submit(submission);
    assert.ok(await second.driver("run-1", 2));
    assert.not.ok(await second.driver("run-1", 1, true));
    await failure(() => first.driver("run-1", 2, true), "HEAD_DEPOSED");
    assert.is(await begun(), false);
    assert.ok(await second.driver("run-1", 2, true));
    assert.ok(await second.driver("run-1", 2, true), "once more");
    assert.ok(await second.driver("run-1", 3));
    assert.is(await begun(), true);
    await second.end("run-1", 3, "failed", bytes("end"), 6);
    assert.ok(await second.resume(submission, 4));
    assert.is(await begun(), false);
    closeAll([first, second]);
  });

  test("an execution that has ended runs again by a later driver, with what it was submitted with then", async () => {
    const [first, second] = await deposedAndLeader(under);
    const again = { ...submission, bundle: "c", submission: bytes("again"), submittedAt: 9 };
    await second.putBundle("b", bytes("code"));
    await failure(() => second.resume(again, 2), "FLOW_NOT_FOUND");
    await second.putBundle("c", bytes("other code"));
    await second.submit(submission);
    assert.not.ok(await second.resume(again, 2), "it runs");
    await second.cancel("run-1", "why not");
    assert.ok(await second.end("run-1", 1, "failed", bytes("end"), 6));
    assert.not.ok(await second.resume(again, 1), "machines refuse what isn't newer");
    await failure(() => first.resume(again, 2), "HEAD_DEPOSED");
    assert.ok(await second.resume(again, 2));
    assert.ok(await second.resume(again, 2), "once more");
    assert.not.ok(await second.resume(again, 3), "it runs by now");
    const kept = await second.execution("run-1");
    assert.equal(
      { ...kept, end: textOf(kept?.end), submission: textOf(kept?.submission) },
      { ...again, status: "running", end: "", submission: "again", cancel: undefined, driver: 2, begun: false },
    );
    assert.equal((await second.load(0)).leftovers, []);
    assert.not.ok(await second.end("run-1", 1, "done", bytes("old"), 10));
    assert.ok(await second.end("run-1", 2, "done", bytes("new"), 11));
    assert.ok(await second.resume({ ...again, execution: "run-2" }, 1), "one that isn't kept any more");
    assert.equal((await second.load(0)).executions, ["run-1", "run-2"]);
    closeAll([first, second]);
  });
}
