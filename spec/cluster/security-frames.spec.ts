// What comes to a machine over a connection that was let in, and still isn't taken: nonsense, and what is too late.
import * as assert from "uvu/assert";
import { checkFromMachine, checkToMachine } from "../../actors/cluster/check-told.ts";
import { dial } from "../../actors/transport/wire/dial.ts";
import { helloHeaders } from "../../actors/transport/wire/wire-hello.ts";
import { encodeWireMessage, readMessage, type Told } from "../../actors/transport/wire/wire-message.ts";
import { MemoryNetwork } from "../../actors/transport/memory-transport.ts";
import type { Channel } from "../../actors/channel/channel.ts";
import { OutgoingLink } from "../../actors/channel/outgoing-link.ts";
import { Links } from "../../actors/slot/links.ts";
import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { failure } from "../kit/failure.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { openMachine } from "./open-machine.ts";
import { parcelOf } from "../contract/transport.ts";
import { openWire, token, until, type Ended } from "../actors/transport/wire/wires.ts";

const test = suite("what machines refuse");

const security = { token, tls: undefined };
const told = (content: object): Told => content as Told;
/** A list that says how long it is, and holds nothing. */
const holes = (length: number): unknown[] => Object.assign([], { length });

if (!inSlot) {
  const machine = await openMachine();
  const open = { kind: "open", execution: "run-1", epoch: 1, store: "none", storeWaitMs: 1000 };
  const bundle = { hash: "0".repeat(64), url: "http://127.0.0.1:9/bundles/x" };
  const startOf = (execution: string): Told =>
    told({ kind: "orders", orders: [{ slot: "M/slot-0", order: { kind: "start", execution } }], places: [] });
  const answered = async (driver: Ended, kind: string): Promise<void> =>
    until(() => driver.told.some((answer) => (answer as Told).kind === kind));
  const openDriver = async (name: string): Promise<Ended> => {
    const driver = await openWire(name);
    driver.wire.meet("M", machine.url);
    return driver;
  };

  test("what drivers don't tell is refused and counted, the connection closed, and the machine goes on", async () => {
    const nonsense = [
      { kind: "reboot" },
      { kind: "__proto__" },
      { kind: "constructor" },
      { kind: "open" },
      { kind: "open", execution: "run-1", driver: 1, epoch: 1, bundle: null, store: "none", storeWaitMs: 1 },
      { kind: "machines", machines: "all" },
      { kind: "machines", machines: holes(3) },
      { kind: "orders", orders: holes(3), places: [] },
      { kind: "orders", orders: [], places: holes(2 ** 32 - 1) },
    ];
    const before = machine.refused;
    const driver = await openDriver("nonsensical");
    for (const [index, content] of nonsense.entries()) {
      const { socket } = await dial(
        `${machine.url}/wire/control`,
        helloHeaders({ from: `N${index}`, to: "M", url: "ws://127.0.0.1:9", received: 0 }),
        security,
      );
      const [first, second] = encodeWireMessage(1, { kind: "tell", content });
      socket.send(first, { binary: true, fin: false });
      if (second !== undefined) socket.send(second, { binary: true, fin: true });
      socket.resume();
      await until(() => socket.readyState === socket.CLOSED);
    }
    assert.is(machine.refused - before, nonsense.length);
    driver.wire.tell("M", told({ kind: "machines", machines: [] }));
    await answered(driver, "slots");
    await driver.wire.close();
  });

  test("orders of an execution that isn't here, and parcels for slots that aren't, are counted", async () => {
    const driver = await openDriver("late");
    const before = machine.refused;
    driver.wire.tell("M", startOf("run-of-nobody"));
    driver.wire.sendLink("M", "M/slot-77", "late/client", { ...parcelOf(1, 10), execution: "run-of-nobody" });
    await until(() => machine.refused - before === 2);
    await driver.wire.close();
  });

  test("a driver before the last, and one of a head before the last, are told that theirs was taken", async () => {
    const [first, second] = [await openDriver("first"), await openDriver("second")];
    second.wire.tell("M", told({ ...open, driver: 2, bundle }));
    await answered(second, "slots");
    first.wire.tell("M", told({ ...open, driver: 1, bundle }));
    await answered(first, "taken");
    machine.heardOf(7);
    second.wire.tell("M", told({ ...open, execution: "run-2", driver: 1, bundle }));
    await answered(second, "taken");
    const before = machine.refused;
    first.wire.tell("M", startOf("run-1"));
    await until(() => machine.refused === before + 1);
    await Promise.all([first.wire.close(), second.wire.close()]);
  });

  test("code that isn't what its name says isn't run", async () => {
    const { bundles } = await serveBundle("export const changed = 1;");
    const driver = await openDriver("liar");
    driver.wire.tell(
      "M",
      told({ ...open, execution: "run-3", epoch: 7, driver: 1, bundle: { hash: "1".repeat(64), url: bundles.url } }),
    );
    driver.wire.tell(
      "M",
      told({
        kind: "orders",
        orders: [{ slot: "M/slot-0", order: { kind: "prepare", execution: "run-3", reference: {} } }],
        places: [],
      }),
    );
    await answered(driver, "report");
    const report = driver.told.find((one) => (one as Told).kind === "report") as {
      report: { error: { code: string; message: string } };
    };
    assert.is(report.report.error.code, "FRAME_INVALID");
    assert.match(report.report.error.message, "isn't what its hash says");
    await Promise.all([driver.wire.close(), bundles.close()]);
  });

  test.after(() => machine.close());
}

/** What a head that lies would serve. */
async function serveBundle(code: string): Promise<{ bundles: { url: string; close: () => Promise<void> } }> {
  const { WireServer } = await import("../../actors/transport/wire/server.ts");
  const server = await WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security,
    admit: () => ({ admitted: false, status: 404, reason: "" }),
    answer: (_, __, response) => void response.writeHead(200, { connection: "close" }).end(code),
  });
  return { bundles: { url: `http://127.0.0.1:${server.port}/bundles/x`, close: () => server.close() } };
}

test("each word of the protocol is looked at in all of its parts that are used", () => {
  const right: readonly Told[] = [
    told({ kind: "machines", machines: [{ id: "M", url: "ws://127.0.0.1:1" }] }),
    told({ kind: "lineage-answer", question: 1, yes: true }),
    told({ kind: "lose", slot: "M/slot-0" }),
    told({ kind: "leave" }),
  ];
  for (const content of right) assert.is(checkToMachine(content), content);
  const wrong: readonly Told[] = [
    told({ kind: "machines", machines: [{ id: 1, url: "ws://127.0.0.1:1" }] }),
    told({ kind: "lineage-answer", question: -1, yes: true }),
    told({ kind: "lineage-answer", question: 1, yes: "yes" }),
    told({ kind: "lose", slot: "x".repeat(5000) }),
    told({ kind: "orders", orders: [{ slot: "M/slot-0", order: { kind: "stop" } }], places: [] }),
    told({ kind: "slots", slots: [], tags: [] }),
    told({ kind: "machines", machines: holes(1) }),
    told({ kind: "orders", orders: holes(2 ** 32 - 1), places: [] }),
    told({ kind: "orders", orders: [], places: holes(2) }),
  ];
  const endless: { name: string; message: string; cause?: object } = { name: "Error", message: "" };
  endless.cause = endless;
  for (const content of wrong) assert.throws(() => checkToMachine(content), /invalid/u);
  assert.ok(checkFromMachine(told({ kind: "slots", slots: ["M/slot-0"], tags: [] })));
  for (const content of [
    { kind: "slots", slots: [1] },
    { kind: "report" },
    { kind: "slots", slots: holes(2), tags: [] },
    { kind: "slot-lost", slot: "a", error: "no" },
    { kind: "slot-lost", slot: "a", error: endless },
    { kind: "report", report: { kind: "failed", execution: "run-1", error: endless } },
    { kind: "lineage", execution: "run-1", said: { kind: "usable", number: 1 } },
    {
      kind: "lineage",
      execution: "run-1",
      said: { kind: "saved", number: 1, seq: 1, head: { consumed: holes(1), made: [] } },
    },
    { kind: "lineage", execution: "run-1", said: { kind: "toString" } },
    { kind: "leave" },
  ]) {
    assert.throws(() => checkFromMachine(told(content)), /invalid/u);
  }
});

test("what is told changes no prototype, whatever its fields are called", () => {
  const content = told(
    JSON.parse('{"kind":"report","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as object,
  );
  const read = readMessage(encodeWireMessage(1, { kind: "tell", content }));
  assert.is(read.kind === "tell" ? read.content.kind : "", "report");
  assert.throws(() => checkFromMachine((read as { content: Told }).content), /invalid/u);
  assert.is(({} as { polluted?: number }).polluted, undefined);
});

test("messages of links that aren't in the plan, of lives that are over and of other producers are counted, and nothing else", () => {
  const links = new Links({
    execution: "run",
    slot: "a",
    transport: new MemoryNetwork().transport("a"),
    plan: {
      edges: [
        { from: 0, to: 1 },
        { from: 1, to: 2 },
      ],
      inputOf: () => 0,
    },
    live: [[{ life: 0, slot: "b" }], [{ life: 1, slot: "a" }], [{ life: 2, slot: "b" }]],
  });
  let received = 0;
  const channel = { receive: () => (received++, true), inputEnded: () => {} } as unknown as Channel;
  const window = { objects: 100, bytes: 100_000 };
  const outgoing = [new OutgoingLink(0, 0, window, links.target(1, 1, 0, 0), undefined)];
  links.add({
    life: 1,
    step: 1,
    index: 0,
    channel,
    links: new Map([[1, outgoing]]),
    sources: new Map(),
    consumers: new Map(),
  });
  const parcel = {
    ...parcelOf(1, 10),
    execution: "run",
    edge: 0,
    from: 0,
    to: 0,
    producer: 0,
    consumer: 1,
  } as LinkMessage;
  links.receive(parcel);
  assert.equal([received, links.staleMessages], [1, 0]);
  const credit = { ...parcel, kind: "credit", objects: 1, bytes: 1, edge: 1, producer: 1, consumer: 2 };
  const nonsense = [
    { ...parcel, consumer: 99 },
    { ...parcel, producer: 99 },
    { ...parcel, edge: 99 },
    { ...parcel, edge: 1 },
    { ...parcel, from: 99 },
    { ...parcel, to: 99 },
    { ...parcel, kind: "end", previous: 1, edge: 99 },
    { ...credit, producer: 99 },
    { ...credit, consumer: 99 },
    { ...credit, edge: 99 },
    { ...credit, to: 99 },
  ];
  for (const message of nonsense) links.receive(message as LinkMessage);
  assert.equal([received, links.staleMessages], [1, nonsense.length]);
});

test("a machine of another version, or that takes this one for another, isn't let in", async () => {
  const a = await openWire("A");
  const right = helloHeaders({ from: "B", to: "A", url: "ws://127.0.0.1:9", received: 0 });
  for (const [headers, reason] of [
    [{ ...right, "x-qstream-version": "2" }, /version 2 isn't 1/u],
    [{ ...right, "x-qstream-to": "C" }, /C is gone: here is A/u],
    [{ ...right, "x-qstream-from": "../B" }, /has no name/u],
    [{ ...right, "x-qstream-url": "http://127.0.0.1" }, /doesn't say where it listens/u],
    [{ ...right, "x-qstream-received": "-1" }, /doesn't say what it has/u],
  ] as const) {
    const { message } = await failure(() => dial(`${a.wire.url}/wire/control`, headers, security), "MACHINE_REFUSED");
    assert.match(message, reason);
  }
  a.wire.giveUp("B");
  await failure(() => dial(`${a.wire.url}/wire/control`, right, security), "MACHINE_REFUSED");
  assert.equal(a.wire.refusals, { hello: 5, "given-up": 1 });
  await a.wire.close();
});

test.run();
