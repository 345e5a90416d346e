import { setImmediate as breathe } from "node:timers/promises";
import { MemoryJournal } from "../../../../actors/stores/memory-journal.ts";
import { DurableActors } from "../../../../actors/system/durable/durable-actors.ts";
import type { DistantMail } from "../../../../actors/system/durable/durable-mail.ts";
import { ActorNode } from "../../../../actors/system/node.ts";
import type { ActorEvent } from "../../../../actors/system/node-parts.ts";
import { definedActor } from "../../../../lib/core/actor-definition.ts";
import type { ActorJournal } from "../../../../lib/core/contracts/actor-journal.ts";
import type {
  ActorDefinition,
  ActorReference,
  AskOptions,
  SpawnOptions,
} from "../../../../lib/core/contracts/actor.ts";
import { SteppedClock } from "./stepped-clock.ts";

/** Any message of any actor. */
// oxlint-disable-next-line typescript/no-explicit-any -- specs know what they send
export type Anything = Record<string, (payload?: any) => any>;

/** Nodes beside this one. */
interface Others {
  readonly distant?: DistantMail;
  readonly isHome?: (key: string) => boolean;
}

/** A system of durable actors in one node, which may lose its memory. */
export class KeptSystem {
  readonly clock: SteppedClock;
  readonly node: ActorNode;
  readonly durable: DurableActors;
  readonly events: ActorEvent[] = [];
  readonly journal: ActorJournal;
  readonly #rounds: number;

  constructor(
    journal: ActorJournal = new MemoryJournal(),
    life = 1,
    time = 1_000_000,
    rounds = 12,
    others: Others = {},
  ) {
    this.journal = journal;
    this.clock = new SteppedClock(time);
    this.#rounds = rounds;
    const { distant, isHome } = others;
    let durable: DurableActors | undefined;
    this.node = new ActorNode({
      life,
      clock: this.clock,
      seed: life,
      schedule: () => {},
      event: (event) => this.events.push(event),
      durable: (node) =>
        (durable = new DurableActors(node, { journal: () => Promise.resolve(journal), seed: life, distant })),
      ...(isHome === undefined ? {} : { isHome: ({ key }) => isHome(key) }),
    });
    this.durable = durable as unknown as DurableActors;
  }

  entity(definition: ActorDefinition<unknown, never>, key: string): ActorReference<Anything> {
    return this.node.entity(definedActor(definition), key) as ActorReference<Anything>;
  }

  spawn(definition: ActorDefinition<unknown, never>, args?: unknown, options?: SpawnOptions): ActorReference<Anything> {
    return this.node.spawn(definedActor(definition), args, options) as ActorReference<Anything>;
  }

  /** Asks, and has everything done that comes of it. */
  async ask(
    to: ActorReference<Anything>,
    name: string,
    payload?: unknown,
    options: AskOptions = { timeoutMs: Infinity },
    // oxlint-disable-next-line typescript/no-explicit-any -- specs know what they ask
  ): Promise<any> {
    const answered = to.ask(name, payload, options);
    answered.catch(() => {});
    await this.settle();
    return answered;
  }

  /** Does all that there is to do without time passing. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < this.#rounds;) {
      const isBusy = this.node.isBusy || this.clock.hasSoon;
      this.clock.runSoon();
      this.node.takeTurns();
      idle = isBusy ? 0 : idle + 1;
      // oxlint-disable-next-line no-await-in-loop -- what was promised is next
      await breathe();
    }
  }

  async advance(ms: number): Promise<void> {
    const until = this.clock.time + ms;
    await this.settle();
    while (this.clock.nextAt <= until) {
      this.clock.runTimer();
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.settle();
    }
    this.clock.time = until;
  }

  /** Its memory is lost; the journal is there for another one. */
  crash(): KeptSystem {
    this.clock.stop();
    return new KeptSystem(this.journal, this.node.life + 1, this.clock.time);
  }

  async close(): Promise<void> {
    this.node.close();
    await this.settle();
    this.clock.stop();
  }
}

/** The code of the error that something ends with; "none" where it doesn't. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return "none";
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}
