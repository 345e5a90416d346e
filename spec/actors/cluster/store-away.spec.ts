import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { systemWorld } from "../../../actors/cluster/machine-world.ts";
import type { FromMachine } from "../../../actors/cluster/protocol.ts";
import { RemoteSlots } from "../../../actors/cluster/remote-slots.ts";
import type { FileSystem } from "../../../lib/core/contracts/file-system.ts";
import { inSlot, suite } from "../../kit/suite.ts";
import { openWire, token, until, type Ended } from "../transport/wire/wires.ts";

const test = suite("machines that can't reach the store");

const tell = ({ wire }: Ended, word: FromMachine): void => wire.tell("D", word);

if (!inSlot) {
  test("one is done without where others reach it, and not for what it said while nobody did", async () => {
    const answers: ((reached: boolean) => void)[] = [];
    const lost: string[] = [];
    const remote = await RemoteSlots.open({
      world: systemWorld,
      id: "D",
      bind: { host: "127.0.0.1", port: 0 },
      security: { token, tls: undefined },
      files: {} as FileSystem,
      leaseMs: 10_000,
      driver: 1,
      epoch: 1,
      bundle: { hash: "", url: "" },
      store: "none",
      storeWaitMs: 1000,
      storeAnswers: () => new Promise((resolve) => answers.push(resolve)),
      lineage: () => undefined,
      onReport: () => {},
      onLost: (slot) => void lost.push(slot),
      onAdded: () => {},
      onTaken: () => {},
    });
    const [near, far] = [await openWire("A"), await openWire("B")];
    remote.add({ id: "A", url: near.wire.url }, { id: "B", url: far.wire.url });
    remote.open("run");
    await until(() => near.told.length > 0 && far.told.length > 0);
    tell(near, { kind: "slots", slots: ["A/slot-0"], tags: [] });
    tell(far, { kind: "slots", slots: ["B/slot-0"], tags: [] });
    await until(() => remote.slots.length === 2);
    const away = (is: boolean): void => tell(far, { kind: "store-away", away: is });

    for (let word = 0; word < 3; word++) away(true);
    await until(() => answers.length > 0);
    await wait(50);
    // The store is back, and it hasn't said so yet.
    for (const answer of answers.splice(0)) answer(true);
    await wait(50);
    assert.equal(lost, []);
    away(false);

    for (let word = 0; word < 2; word++) {
      away(true);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await until(() => answers.length > 0);
      answers.splice(0)[0]?.(true);
    }
    await until(() => lost.length > 0);
    assert.equal(lost, ["B/slot-0"]);
    await Promise.all([remote.close(), near.wire.close(), far.wire.close()]);
  });
}

test.run();
