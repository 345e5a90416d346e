import * as assert from "uvu/assert";
import { MemoryJournal } from "../../../../actors/stores/memory-journal.ts";
import { mailOver, mailServices } from "../../../../actors/system/durable/distant-mail.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import { decodeObjects, encodeObjects } from "../../../../lib/core/codec/index.ts";
import { keyedRandom } from "../../../../lib/core/seam/random.ts";
import { suite } from "../../../kit/suite.ts";
import { KeptSystem } from "./kept-system.ts";

const test = suite("mail between durable actors of two nodes");

const count = 60;

/** Each is told numbers, and tells them on to its peer. */
const peer = actor({
  kind: "peer",
  durable: { snapshotEvery: 7 },
  init: (key: string) => ({ key, got: [] as number[] }),
  receive: {
    begin(_state, to: string, ctx) {
      for (let number = 1; number <= count; number++) ctx.entity(peer, to).tell("take", { number, from: undefined });
    },
    take(state, { number, from }: { readonly number: number; readonly from: string | undefined }, ctx) {
      state.got.push(number);
      if (from === undefined) ctx.entity(peer, `a${state.key}`).tell("take", { number, from: state.key });
    },
    got: ({ got }) => got,
  },
});

/** Two nodes on one journal, between which mail is lost, comes twice, and late. Actors whose key begins with `a` are at home in the first. */
class Pair {
  readonly journal = new MemoryJournal();
  readonly #random: () => number;
  readonly #systems: KeptSystem[] = [];
  readonly #way: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = keyedRandom(seed);
    for (const place of [0, 1]) this.start(place);
  }

  start(place: number): KeptSystem {
    const before = this.#systems[place];
    before?.clock.stop();
    const life = before === undefined ? place : before.node.life + 2;
    const distant = mailOver({
      offerHome: (key, name, payload) => {
        this.#tell(homeOf(key), name, payload);
        return true;
      },
    });
    const isHome = (key: string): boolean => homeOf(key) === place;
    const system = new KeptSystem(this.journal, life, before?.clock.time, 12, { distant, isHome });
    this.#systems[place] = system;
    system.durable.derive(peer as never);
    return system;
  }

  at(place: number): KeptSystem {
    return this.#systems[place] ?? this.start(place);
  }

  /** Does so much of what there is to do, mail on its way included. */
  async goOn(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      for (const place of [0, 1]) await this.at(place).advance(200);
      for (const arrive of this.#way.splice(0)) arrive();
    }
  }

  #tell(place: number, name: string, payload: unknown): void {
    const draw = this.#random();
    const bytes = this.at(1 - place).durable.journaled(() => encodeObjects([payload]));
    const arrive = (): void => {
      const { durable } = this.at(place);
      const [copy] = durable.journaled(() => decodeObjects(bytes));
      mailServices(() => durable)[name]?.(copy as never, 1 - place);
    };
    if (draw < 0.2) return;
    this.#way.push(arrive);
    if (draw < 0.4) this.#way.push(arrive);
  }
}

function homeOf(key: string): number {
  return key.startsWith("entity/peer/a") ? 0 : 1;
}

for (const isKilled of [false, true]) {
  test(`each message is handled once and in order, ${isKilled ? "also where nodes lose their memory" : "whatever gets lost"}`, async () => {
    const pair = new Pair(isKilled ? 1 : 2);
    await pair.at(0).ask(pair.at(0).entity(peer, "a"), "begin", "b");
    for (let round = 0; round < 12; round++) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await pair.goOn(5);
      if (isKilled) pair.start(round % 2);
    }
    await pair.goOn(120);
    const all = Array.from({ length: count }, (_, index) => index + 1);
    assert.equal(await pair.at(1).ask(pair.at(1).entity(peer, "b"), "got"), all);
    assert.equal(await pair.at(0).ask(pair.at(0).entity(peer, "ab"), "got"), all);
    await pair.goOn(120);
    assert.equal(await pair.journal.awake(), [], "nothing is left to do");
  });
}

test.run();
