import type { Cell } from "../../../../actors/system/cell.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import type { MailboxOptions } from "../../../../lib/core/contracts/actor-options.ts";
import type {
  ActorContext,
  ActorDefinition,
  AnyReference,
  Deferred,
  Ended,
} from "../../../../lib/core/contracts/actor.ts";
import type { AskOracle } from "./random-asks.ts";
import type { Address, Oracle } from "./random-oracle.ts";

/** What an actor of a random system knows of itself. */
export interface Self {
  readonly who: string;
  /** What it is going to answer. */
  readonly answers: { readonly number: number; readonly answer: Deferred<number> }[];
}

export interface Note {
  readonly from: string;
  readonly seq: number;
  /** How long it takes to handle it. */
  readonly ms: number;
}

export const questionKinds = ["echo", "echo", "slow", "throw", "refuse", "defer", "forward", "odd"] as const;

export interface QuestionTo {
  readonly number: number;
  readonly how: (typeof questionKinds)[number];
}

/** What the actors need of the world that they are in. */
export interface Stage {
  readonly oracle: Oracle;
  readonly asks: AskOracle;
  /** Does something by chance. */
  readonly act: (self: Self, cell: Cell) => void | Promise<void>;
  readonly tellNote: (self: Self, cell: Cell, to: Reference) => void;
  readonly pause: (ms: number) => Promise<void>;
  /** Another actor as this one reaches it; undefined where there is none. */
  readonly another: (cell: Cell) => Reference | undefined;
  readonly addressOf: (reference: Reference) => Address | undefined;
  readonly chance: (below: number) => number;
}

/** Kinds of which each has numbered actors, and those that are entities. */
export const mailboxes: Readonly<Record<string, MailboxOptions>> = {
  plain: {},
  small: { limit: 3 },
  dropping: { limit: 3, full: "drop" },
  failing: { limit: 3, full: "fail" },
};
export const passivateMs = 60;

export const isDroppingKind = (kind: string): boolean => /dropping|failing/u.test(kind);

export function randomKinds(stage: Stage): Readonly<Record<string, ActorDefinition<never, never>>> {
  const kinds: [string, ActorDefinition<never, never>][] = [];
  for (const [kind, mailbox] of Object.entries(mailboxes)) {
    kinds.push([kind, randomKind(stage, kind, { mailbox })]);
    kinds.push([`${kind}-entity`, randomKind(stage, `${kind}-entity`, { mailbox, passivateMs })]);
  }
  return Object.fromEntries(kinds);
}

function randomKind(
  stage: Stage,
  kind: string,
  options: { readonly mailbox: MailboxOptions; readonly passivateMs?: number },
): ActorDefinition<never, never> {
  const { oracle, asks } = stage;
  const isEntity = options.passivateMs !== undefined;
  return actor({
    ...options,
    kind,
    init(args: string, ctx): Self {
      const who = isEntity ? `${kind}/${args}` : args;
      oracle.began(who, cellOf(ctx));
      return { who, answers: [] };
    },
    receive: {
      act: (self, _: undefined, ctx) => stage.act(self, cellOf(ctx)),
      note(self, { from, seq, ms }: Note) {
        oracle.noted(from, self.who, seq);
        return ms === 0 ? undefined : stage.pause(ms);
      },
      // What can't travel comes where it needn't.
      odd() {},
      handOn(self, number: number, ctx) {
        const other = stage.chance(3) === 0 ? undefined : stage.another(cellOf(ctx));
        if (other === undefined) oracle.handedOn(number, self.who);
        else ctx.forward(other);
      },
      question: (self, question: QuestionTo, ctx) => answer(stage, self, question, ctx) as number,
      release: (self) => release(self),
      meet: (self, other: AnyReference, ctx) => stage.tellNote(self, cellOf(ctx), other as Reference),
      news({ who }, { topic, number }: { readonly topic: string; readonly number: number }) {
        oracle.published(topic, number, who);
      },
    },
    watched(_self: Self, { actor: other, reason }: Ended, ctx) {
      const address = stage.addressOf(other as Reference);
      if (address !== undefined) oracle.toldEnd(cellOf(ctx), address.who, reason);
    },
    stopped({ answers }: Self, ctx) {
      oracle.forgetWatches(cellOf(ctx));
      for (const each of answers.splice(0)) each.answer.fail(new Error("gone"));
      return stage.chance(4) === 0 ? stage.pause(1 + stage.chance(20)) : undefined;
    },
  }) as never;

  function answer(on: Stage, self: Self, { number, how }: QuestionTo, ctx: ActorContext): unknown {
    const other = how === "forward" ? on.another(cellOf(ctx)) : undefined;
    if (other !== undefined) {
      asks.handedOn(number);
      ctx.forward(other);
      return undefined;
    }
    asks.handled(number, `${self.who} in ${cellOf(ctx).node.life}`, cellOf(ctx).node.life);
    if (how === "throw") throw new Error("boom");
    if (how === "refuse") return ctx.refuse(new Error("refused"));
    if (how === "odd") return () => {};
    if (how === "slow") return on.pause(1 + on.chance(15)).then(() => number);
    if (how !== "defer") return number;
    const later = ctx.deferred<number>();
    self.answers.push({ number, answer: later });
    const ms = 1 + on.chance(40);
    // A full mailbox has no room for a timer's message either.
    if (isDroppingKind(kind)) void on.pause(ms).then(() => release(self));
    else ctx.after(ms, "release");
    return later;
  }
}

function release({ answers }: Self): void {
  const next = answers.shift();
  next?.answer.send(next.number);
}

function cellOf(ctx: ActorContext): Cell {
  return ctx as Cell;
}
