import { setImmediate as breathe } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Cell } from "../../../../actors/system/cell.ts";
import { EntityReference } from "../../../../actors/system/entities.ts";
import { known } from "../../../../actors/system/distant/reference-codec.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import type { ActorDefinition, ActorReference } from "../../../../lib/core/contracts/actor.ts";
import { broadcaster } from "../../../../lib/actors/routers.ts";
import type { QStreamError } from "../../../../lib/core/errors.ts";
import { hashString } from "../../../../lib/core/hash.ts";
import { channelOfHash } from "../../../../lib/core/key.ts";
import { seededRandom, type Random } from "../../../../lib/core/seam/random.ts";
import { JoinedNodes } from "./joined-nodes.ts";
import { LosingNodes } from "./losing-nodes.ts";
import { isHeld, RandomActions } from "./random-actions.ts";
import { AskOracle } from "./random-asks.ts";
import { isDroppingKind, mailboxes, randomKinds, type Self, type Stage } from "./random-kinds.ts";
import { Oracle, violated, type Address } from "./random-oracle.ts";
import { whatIsLeft } from "./what-is-left.ts";

const keys = ["a", "b", "c"];
const stepsMost = 40;
// Longer than anything is on its way, or anybody waits for an answer; but for those that wait as long as it takes.
const quietMs = 400;
// With little credit, what waits for full mailboxes takes its time.
const drainMs = 60_000;
// No timer that has a use goes off later.
const timersMs = 6000;

/** A system of actors on several nodes, some of which are lost: all by chance, and all of it by one seed. */
export class RandomLosses implements Stage {
  readonly nodes: JoinedNodes;
  readonly oracle: Oracle;
  readonly asks: AskOracle;
  /** Actors that have numbers, in the order in which they were started. */
  readonly plain: Address[] = [];
  /** Look-ups of names that are not over, and in which life each is asked. */
  readonly finds = new Map<symbol, number>();
  readonly losing: LosingNodes;
  readonly #random: Random;
  readonly #kinds: Readonly<Record<string, ActorDefinition<never, never>>>;
  readonly #actions: RandomActions;
  readonly #byKey = new Map<string, Address>();
  readonly #entities: Address[];
  readonly #routers: Reference[] = [];
  readonly #losses: number;
  readonly #creditLeft: number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const hosts = 2 + this.chance(2);
    const rows = this.oneOf([2, 8, 32_768]);
    this.#creditLeft = rows >> 2;
    const credit = { rows, bytes: this.oneOf([1 << 12, 8 << 20]) };
    const delayMost = this.oneOf([2, 10, 30]);
    this.#losses = Math.max(0, this.chance(5) - 1);
    const nowMs = (): number => this.nodes.clock.monotonic();
    const [isLost, bornMs] = [(life: number) => this.isLost(life), (life: number) => this.losing.bornMs(life)];
    const homeOf = (to: Address): ReturnType<LosingNodes["host"]> => this.losing.host(this.#homeOf(to));
    const heardOfLossMs = (life: number, to: Address): number => this.losing.heardOfLossMs(life, this.#homeOf(to));
    this.oracle = new Oracle({ isLost, homeOf, heardOfLossMs, nowMs });
    this.asks = new AskOracle({ nowMs, isLost, bornMs }, this.oracle);
    this.#actions = new RandomActions(this);
    this.#kinds = randomKinds(this);
    const delayMs = (): number => this.chance(delayMost);
    this.nodes = new JoinedNodes(hosts, this.#kinds, { hasClient: true, delayMs, credit });
    this.losing = new LosingNodes(this.nodes, hosts, this.#random);
    this.#entities = Object.keys(mailboxes).flatMap((mailbox) =>
      keys.map((key) => ({ who: `${mailbox}-entity/${key}`, kind: `${mailbox}-entity`, life: -1, id: 0, key })),
    );
  }

  chance(below: number): number {
    return Math.floor(this.#random() * below);
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.chance(values.length)] as T;
  }

  kind(name: string): ActorDefinition<never, never> {
    return this.#kinds[name] as ActorDefinition<never, never>;
  }

  isLost(life: number): boolean {
    return this.losing.isLost(life);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.nodes.clock.after(ms, resolve);
    });
  }

  act(self: Self, cell: Cell): void | Promise<void> {
    return this.#actions.act(self, cell);
  }

  tellNote(self: Self, cell: Cell, to: Reference): void {
    this.#actions.tellNote(self, cell, to);
  }

  /** An actor has been started, perhaps elsewhere. */
  met(who: string, reference: Reference): void {
    const { life, id, kind } = known(reference);
    const address = { who, life, id, kind };
    this.plain.push(address);
    this.#byKey.set(reference.key, address);
  }

  addressOf(reference: Reference): Address | undefined {
    if (!(reference instanceof EntityReference)) return this.#byKey.get(reference.key);
    return this.#entities.find(({ kind, key }) => kind === reference.kind && key === reference.entityKey);
  }

  another(cell: Cell): Reference | undefined {
    const address = this.#somebody();
    return address === undefined ? undefined : this.#refer(cell.node.life, address);
  }

  router(life: number): Reference | undefined {
    const router = this.#routers[this.chance(this.#routers.length)];
    if (router === undefined || this.isLost(life)) return undefined;
    return this.nodes.at(life).distant.refer(router.life, router.id, router.kind);
  }

  /** Runs it to its end, and looks at what came of it. */
  async check(looksInside: boolean): Promise<void> {
    for (const life of this.losing.living) for (let count = 0; count < 2; count++) this.#actions.spawn(undefined, life);
    this.#startRouter();
    const losses = new Set(Array.from({ length: this.#losses }, () => 5 + this.chance(stepsMost - 10)));
    for (let step = 0; step < stepsMost; step++) {
      if (losses.has(step)) this.losing.lose();
      for (let times = 1 + this.chance(4); times > 0; times--) this.#act();
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.nodes.pass(this.chance(7));
      this.#checkWrong();
    }
    await this.#drain();
    await this.#checkReached();
    await this.#stopAll();
    this.#checkEnd(looksInside);
  }

  #checkWrong(): void {
    const [wrong] = this.oracle.wrong;
    if (wrong !== undefined) violated(wrong);
  }

  #act(): void {
    const somebody = this.#somebody();
    const life = this.oneOf(this.losing.living.filter((each) => this.nodes.lives.includes(each)));
    if (this.chance(8) === 0) this.#actions.spawn(undefined, life);
    if (this.chance(15) === 0) this.#startRouter();
    if (somebody === undefined) return;
    // From outside nobody is held, and what is refused isn't sent.
    try {
      this.#refer(life, somebody).tell("act");
    } catch (error) {
      assert.is((error as QStreamError).code, "MAILBOX_FULL");
    }
  }

  #startRouter(): void {
    const members = [this.#somebody(), this.#somebody(), this.#somebody()].filter((each) => each !== undefined);
    const { clientLife } = this.nodes;
    if (new Set(members).size < 3) return;
    const actors = members.map((each) => this.#refer(clientLife, each) as object as ActorReference<object>);
    const made = this.nodes.spawn(clientLife, broadcaster(actors)) as object as Reference;
    this.#routers.push(known(made));
  }

  #somebody(): Address | undefined {
    return this.chance(3) === 0 ? this.oneOf(this.#entities) : this.plain[this.chance(this.plain.length)];
  }

  #refer(life: number, { life: to, id, kind, key }: Address): Reference {
    const { distant } = this.nodes.at(life);
    return key === undefined ? distant.refer(to, id, kind) : distant.entity(kind, key);
  }

  #homeOf(to: Address): number {
    return channelOfHash(hashString(`entity/${to.kind}/${to.key}`), this.nodes.clientLife);
  }

  /** No more is done by chance: what waits is handled, and nobody waits forever. */
  async #drain(): Promise<void> {
    await this.#passUntil(() => this.#isQuiet);
    if (this.losing.isRecovering) violated("the recovery doesn't end");
    for (const [who, cell] of this.oracle.living()) {
      if (isHeld(cell)) violated(`${who} is held for ever`);
      if (cell.waiting > 0) violated(`${cell.waiting} messages wait for ${who} for ever`);
    }
    this.#checkWrong();
    this.asks.check();
    if (this.#finding.length > 0) violated(`${this.#finding.length} names are neither found nor not found`);
    this.oracle.checkWatches();
    this.oracle.checkStops();
    this.oracle.checkFamilies((key) => this.#byKey.get(key)?.who);
    this.#checkCredit();
  }

  async #passUntil(isDone: () => boolean): Promise<void> {
    const untilMs = this.nodes.clock.monotonic() + drainMs;
    // oxlint-disable-next-line no-await-in-loop -- in order
    while (!isDone() && this.nodes.clock.monotonic() < untilMs) await this.nodes.pass(quietMs);
    await this.nodes.pass(quietMs);
  }

  get #finding(): number[] {
    return [...this.finds.values()].filter((life) => !this.isLost(life));
  }

  get #isQuiet(): boolean {
    if (this.losing.isRecovering || this.asks.isWaiting || this.#finding.length > 0) return false;
    return this.oracle.living().every(([, cell]) => !isHeld(cell) && cell.waiting === 0);
  }

  #checkCredit(): void {
    const { lives } = this.nodes;
    for (const from of lives) {
      for (const to of lives) {
        const { rows } = this.nodes.spent(from, to);
        if (rows < 0 || rows > this.#creditLeft)
          violated(`${rows} messages from node ${from} to node ${to} are never credited`);
      }
    }
  }

  /** Everybody who lives is reached from everywhere, by number, key, name and topic. */
  async #checkReached(): Promise<void> {
    const { lives } = this.nodes;
    const named = new Map<string, string>();
    for (const [who, cell] of this.oracle.living()) {
      const address = this.plain.find((each) => each.who === who);
      const { name } = cell.extras ?? {};
      if (name === undefined || address === undefined) continue;
      const before = named.get(name);
      if (before !== undefined) violated(`${before} and ${who} are both called ${name}`);
      named.set(name, who);
    }
    const found = lives.flatMap((life) =>
      Array.from({ length: 4 }, (_, number) => this.#find(life, `name-${number}`, named)),
    );
    const [topic, news] = this.#actions.published();
    const subscribers = this.oracle.living().filter(([, { extras }]) => extras?.topics?.has(topic) === true);
    this.nodes.at(this.nodes.clientLife).topics.publish(topic, news, undefined);
    const asked = this.oracle.living().map(([who]) => this.#echo(this.oneOf(lives), who));
    const checked = Promise.all([...found, ...asked]);
    checked.catch(() => {});
    await this.nodes.pass(quietMs);
    this.#checkWrong();
    this.asks.check();
    await Promise.race([checked, breathe().then(() => violated("a name is neither found nor not found"))]);
    const heard = this.oracle.heardOf(topic, news.number).toSorted().join();
    const expected = subscribers
      .map(([who]) => who)
      .toSorted()
      .join();
    if (heard !== expected) violated(`what is published reaches ${heard}, and not ${expected}`);
  }

  async #find(life: number, name: string, named: ReadonlyMap<string, string>): Promise<void> {
    const found = await this.nodes.at(life).node.names.find(name);
    const who = found === undefined ? undefined : this.addressOf(found as Reference)?.who;
    if (who !== named.get(name)) violated(`node ${life} finds ${who} as ${name}, which is ${named.get(name)}`);
  }

  async #echo(life: number, who: string): Promise<void> {
    const address = [...this.plain, ...this.#entities].find((each) => each.who === who);
    if (address === undefined) return;
    const to = this.#refer(life, address);
    const [timeoutMs, how] = [Infinity, "echo"];
    await this.asks.ask(life, address, { timeoutMs }, (number) => to.ask("question", { number, how }, { timeoutMs }));
  }

  /** Nobody keeps anything of those that have ended. */
  async #stopAll(): Promise<void> {
    const { clientLife } = this.nodes;
    for (const address of [...this.plain, ...this.#entities]) {
      if (this.isLost(address.life)) continue;
      this.nodes.at(clientLife).node.stop(this.#refer(clientLife, address));
    }
    await this.#passUntil(() => this.oracle.living().length === 0);
    this.oracle.checkWatches();
    await this.nodes.pass(timersMs);
  }

  #checkEnd(looksInside: boolean): void {
    this.#checkWrong();
    const { lives } = this.nodes;
    for (const life of lives) {
      const left = [...this.nodes.at(life).node.living()].map(({ label }) => label);
      if (left.length > 0) violated(`${left.join()} live on in node ${life}`);
    }
    if (this.nodes.clock.size > 0) violated(`${this.nodes.clock.size} timers are left`);
    const died = (life: number): number => {
      if (!lives.includes(life)) return 0;
      const { events } = this.nodes.at(life);
      return events.filter((event) => event.kind === "dead-letter" && event.message === "note").length;
    };
    this.oracle.checkNotes(died, this.losing.all, ({ kind }) => isDroppingKind(kind));
    this.oracle.checkNews();
    this.#checkCredit();
    if (!looksInside) return;
    const left = whatIsLeft(lives.map((life) => this.nodes.at(life)));
    if (left.length > 0) violated(left.join("; "));
  }
}
