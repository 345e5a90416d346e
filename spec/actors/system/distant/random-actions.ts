import { cellFlag, type Cell } from "../../../../actors/system/cell.ts";
import { EntityReference } from "../../../../actors/system/entities.ts";
import { Reference } from "../../../../actors/system/reference.ts";
import type { SpawnOptions } from "../../../../lib/core/contracts/actor.ts";
import { definedActor } from "../../../../lib/core/actor-definition.ts";
import type { Supervision } from "../../../../lib/core/contracts/actor-options.ts";
import { QStreamError } from "../../../../lib/core/errors.ts";
import type { RandomLosses } from "./random-losses.ts";
import { questionKinds, type Note, type Self } from "./random-kinds.ts";

const topicsMost = 3;
const namesMost = 4;
const actorsMost = 40;
const refusedHere = new Set(["MAILBOX_FULL", "NAME_TAKEN", "PLACEMENT_IMPOSSIBLE", "ACTOR_STOPPED"]);
const supervisions: readonly Supervision[] = [[{ do: "escalate" }], [{ do: "stop" }], [{ do: "resume" }]];

/** What actors do by chance, each action as often as its number says. */
export class RandomActions {
  readonly #world: RandomLosses;
  readonly #actions: readonly ((self: Self, cell: Cell) => void | Promise<void>)[];
  #messages = 0;

  constructor(world: RandomLosses) {
    this.#world = world;
    const often: readonly (readonly [number, (self: Self, cell: Cell) => void | Promise<void>])[] = [
      [12, (self, cell) => this.#notes(self, cell, 1)],
      [5, (self, cell) => this.#notes(self, cell, 2 + world.chance(9))],
      [12, (_, cell) => void this.#ask(cell)],
      [2, (_, cell) => this.#askAndWait(cell)],
      [6, (_, cell) => this.#watch(cell)],
      [2, (_, cell) => this.#unwatch(cell)],
      [4, (_, cell) => this.spawn(cell)],
      [2, (_, cell) => this.#stop(cell)],
      [1, (_, cell) => cell.stop()],
      [2, (_, cell) => cell.subscribe(this.#topic(), "news")],
      [1, (_, cell) => cell.unsubscribe(this.#topic())],
      [3, (_, cell) => cell.publish(...this.published())],
      [2, (_, cell) => this.#find(cell)],
      [3, (_, cell) => world.another(cell)?.tell("meet", world.another(cell) ?? cell.self)],
      [3, (_, cell) => world.another(cell)?.tell("handOn", ++this.#messages)],
      [1, (_, cell) => world.another(cell)?.tell("odd", () => {})],
      [2, (_, cell) => this.#askMany(cell)],
    ];
    this.#actions = often.flatMap(([times, action]) => Array.from({ length: times }, () => action));
  }

  act(self: Self, cell: Cell): void | Promise<void> {
    for (let left = 1 + this.#world.chance(3); left > 0; left--) {
      const action = this.#actions[this.#world.chance(this.#actions.length)];
      try {
        const waits = action?.(self, cell);
        if (waits !== undefined) return waits;
      } catch (error) {
        passOver(error);
      }
    }
    return undefined;
  }

  tellNote(self: Self, cell: Cell, to: Reference): void {
    const address = this.#world.addressOf(to);
    if (address === undefined) return;
    const ms = this.#world.chance(4) === 0 ? 1 + this.#world.chance(8) : 0;
    const { from, seq, leaves, undo } = this.#world.oracle.note(cell, self.who, address);
    const note: Note = {
      from,
      seq,
      // It is read when it is encoded.
      get ms() {
        leaves();
        return ms;
      },
    };
    try {
      to.tell("note", note);
    } catch (error) {
      undo();
      throw error;
    }
  }

  published(): [topic: string, news: { readonly topic: string; readonly number: number }] {
    const topic = this.#topic();
    return [topic, { topic, number: ++this.#messages }];
  }

  /** Starts an actor, or many that share a name: of them one stays. */
  spawn(cell: Cell | undefined, at = cell?.node.life ?? 0): void {
    const world = this.#world;
    if (world.plain.length >= actorsMost) return;
    const other = cell === undefined ? undefined : world.another(cell);
    const options: SpawnOptions = {
      ...(other === undefined || world.chance(3) === 0 ? {} : { place: { kind: "near", actor: other } }),
      ...(world.chance(4) > 0 ? {} : { name: `name-${world.chance(namesMost)}` }),
      ...(world.chance(3) > 0 ? {} : { supervise: supervisions[world.chance(supervisions.length)] ?? [] }),
    };
    const kind = world.oneOf(["plain", "plain", "small", "dropping", "failing"]);
    const who = `${kind}-${world.plain.length}`;
    const definition = world.kind(kind);
    const { node } = world.nodes.at(at);
    try {
      const made = node.spawn(definedActor(definition), who, options, cell ?? node.root);
      if (made instanceof Reference) world.met(who, made);
      if (cell !== undefined) world.oracle.child(who, cell);
    } catch (error) {
      passOver(error);
    }
  }

  #topic(): string {
    return `topic-${this.#world.chance(topicsMost)}`;
  }

  #notes(self: Self, cell: Cell, count: number): void {
    const to = this.#world.another(cell);
    if (to === undefined) return;
    for (let number = 0; number < count; number++) this.tellNote(self, cell, to);
  }

  #ask(cell: Cell, timeoutMs = this.#world.oneOf([Infinity, Infinity, 5, 30, 200])): Promise<unknown> | undefined {
    const world = this.#world;
    const to = world.another(cell);
    if (to === undefined) return undefined;
    const how = world.oneOf(questionKinds);
    const abort = world.chance(8) === 0 ? new AbortController() : undefined;
    if (abort !== undefined) world.nodes.clock.after(world.chance(20), () => abort.abort());
    const options = abort === undefined ? { timeoutMs } : { timeoutMs, signal: abort.signal };
    return world.asks.ask(
      cell.node.life,
      world.addressOf(to),
      { timeoutMs },
      (number) => to.ask("question", { number, how }, options) as Promise<unknown>,
    );
  }

  /** Whoever waits for an answer waits for a time: others may wait for it. */
  async #askAndWait(cell: Cell): Promise<void> {
    await this.#ask(cell, 1 + this.#world.chance(30));
  }

  #askMany(cell: Cell): void {
    const world = this.#world;
    const to = world.router(cell.node.life);
    if (to === undefined) return;
    const timeoutMs = world.oneOf([Infinity, 20]);
    const how = world.oneOf(questionKinds);
    void world.asks.ask(
      cell.node.life,
      undefined,
      { timeoutMs, isToMany: true },
      (number) => to.ask("question", { number, how }, { timeoutMs }) as Promise<unknown>,
    );
  }

  #watch(cell: Cell): void {
    const to = this.#world.another(cell);
    const address = to === undefined ? undefined : this.#world.addressOf(to);
    if (to === undefined || address === undefined) return;
    // What is wrong with it is told before it returns.
    this.#world.oracle.watch(cell, address, cell.extras?.watching?.has(to.key) !== true);
    cell.watch(to);
  }

  #unwatch(cell: Cell): void {
    const watched = [...(cell.extras?.watching?.values() ?? [])];
    const other = watched[this.#world.chance(watched.length)];
    const address = other instanceof Reference ? this.#world.addressOf(other) : undefined;
    if (other === undefined || address === undefined) return;
    cell.unwatch(other);
    this.#world.oracle.unwatch(cell, address);
  }

  #stop(cell: Cell): void {
    const other = this.#world.another(cell);
    if (other === undefined || other instanceof EntityReference === this.#world.chance(3) > 0) return;
    const address = this.#world.addressOf(other);
    if (address?.key === undefined && address !== undefined) this.#world.oracle.stop(address.who, cell.node.life);
    cell.stop(other, this.#world.chance(2) === 0 ? { afterMail: true } : {});
  }

  #find(cell: Cell): void {
    const name = `name-${this.#world.chance(namesMost)}`;
    const { finds, oracle } = this.#world;
    const { life } = cell.node;
    const find = Symbol(name);
    finds.set(find, life);
    const failed = (error: unknown): void => {
      const isLoss = error instanceof QStreamError && error.code === "ACTOR_STOPPED";
      if (!isLoss && !this.#world.isLost(life)) oracle.wrong.push(`find: ${String(error)}`);
    };
    void cell
      .find(name)
      .then(() => {}, failed)
      .then(() => finds.delete(find));
  }
}

/** What an actor may be refused is no failure. */
function passOver(error: unknown): void {
  if (!(error instanceof QStreamError) || !refusedHere.has(error.code)) throw error;
}

/** True for an actor that could take a message. */
export function isHeld({ flags }: Cell): boolean {
  return (flags & cellFlag.held) !== 0;
}
