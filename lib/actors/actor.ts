import type { AnyHandler, DefinedActor, DurableOptions, HandlerTable } from "../core/actor-definition.ts";
import type { ActorContext, ActorDefinition, AnswerOf, Ended, IsNothing } from "../core/contracts/actor.ts";
import type { MailboxOptions, Supervision } from "../core/contracts/actor-options.ts";
import { checkMailbox, checkSupervision, timerMsMax } from "../core/check-actor-options.ts";
import { QStreamError } from "../core/errors.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";

/** Handlers by the name of their message: each is given the state, what the message carries, and the context. */
export type Handlers<State> = Record<string, (state: State, payload: never, ctx: ActorContext) => unknown>;

/** Protocol of actors with such handlers: each without the state and the context. */
export type ProtocolOfHandlers<Receive> = { readonly [Name in keyof Receive]: MessageOf<Receive[Name]> };

/**
 * The type itself, from which nothing is inferred: what a definition is assigned to doesn't say what its handlers are. `NoInfer` would
 * stay in the types that people see.
 */
type Inferred<T> = [T][T extends unknown ? 0 : never];

/** A handler as others see it: without the state and the context, and answering at once. */
export type MessageOf<Handler> = Handler extends (state: never, ...rest: infer Rest) => infer Reply
  ? (...payload: PayloadIn<Rest>) => AnswerOf<Awaited<Reply>>
  : never;

type PayloadIn<Rest> = Rest extends []
  ? []
  : Rest extends [infer Payload, ...unknown[]]
    ? IsNothing<Payload> extends true
      ? []
      : [payload: Payload]
    : Rest extends [(infer Payload)?, ...unknown[]]
      ? [payload?: Payload]
      : never;

/** Handlers of a mode: any of those that there are, with their payloads and answers. */
export type ModeHandlers<State, Receive> = {
  readonly [Name in keyof Receive]?: (
    state: State,
    payload: ModePayload<Receive[Name]>,
    ctx: ActorContext,
  ) => ModeReply<Receive[Name]>;
};

type ModePayload<Handler> = Handler extends (state: never, ...rest: infer Rest) => unknown
  ? PayloadIn<Rest> extends []
    ? undefined
    : PayloadIn<Rest>[0]
  : never;

type ModeReply<Handler> = Handler extends (...given: never) => infer Reply
  ? Reply | AnswerOf<Awaited<Reply>> | Promise<AnswerOf<Awaited<Reply>>>
  : never;

export interface ActorOptions<State, Receive, Args> {
  /** What people call it: in labels, pictures and errors. Under a module of actors, the name that it has there. */
  readonly kind?: string;
  /** Makes the state, when the actor starts and when it is restarted. */
  readonly init: (args: Args, ctx: ActorContext) => State | Promise<State>;
  /**
   * A handler for each message. What it returns (or its promise resolves to) is the answer to an `ask`. The actor takes no other message
   * until the handler is done. What it is given besides the state is read-only.
   */
  readonly receive: Receive & Handlers<State>;
  /** Handlers of modes that `ctx.become` changes to: they come before those of `receive`. */
  readonly modes?: Readonly<Record<string, ModeHandlers<State, NoInfer<Receive>>>>;
  /** An actor that this one watches has ended. */
  readonly watched?: (state: State, ended: Ended, ctx: ActorContext) => void | Promise<void>;
  /**
   * A state is given up, because the actor ends or before it is restarted: frees what that holds. The actor has ended when this is
   * done, or its promise settled. Not called where there is no state, because `init` failed.
   */
  readonly stopped?: (state: State, ctx: ActorContext) => void | Promise<void>;
  readonly mailbox?: MailboxOptions;
  /** What is done when a handler throws, by kinds of errors. Restarted unless told, at most 10 times a minute. */
  readonly supervise?: Supervision;
  /** Its transitions are logged before anybody sees what they do, so that no loss changes its state: true, or how it is kept. */
  readonly durable?: boolean | DurableOptions<NoInfer<State>>;
  /** Entities of this kind end when they have had no message for about so many milliseconds. Default: never. */
  readonly passivateMs?: number;
}

/**
 * Defines a kind of actor: a state that only its handlers see, one message after the other. Its protocol is inferred from the
 * handlers, so that references to it know what they can be told and asked.
 *
 * @throws QStreamError ACTOR_INVALID for a definition that can't work
 * @example
 * const counter = actor({
 *   init: (start: number) => ({ count: start }),
 *   receive: {
 *     add(state, amount: number) { state.count += amount; },
 *     get: (state) => state.count,
 *   },
 * });
 */
export function actor<State, Receive, Args = void>(
  options: ActorOptions<State, Receive, Args>,
): ActorDefinition<ProtocolOfHandlers<Inferred<Receive>>, Args> {
  const kind = options.kind ?? "actor";
  checkOptions(kind, options);
  const receive = tableOf(kind, "receive", options.receive, undefined);
  const modes = new Map<string, HandlerTable>();
  for (const [mode, handlers] of Object.entries(options.modes ?? {})) {
    modes.set(mode, tableOf(kind, `mode "${mode}"`, handlers, receive));
  }
  const { durable } = options;
  const defined: DefinedActor = {
    kind,
    init: options.init as DefinedActor["init"],
    receive,
    modes,
    watched: options.watched as DefinedActor["watched"],
    stopped: options.stopped as DefinedActor["stopped"],
    mailbox: options.mailbox ?? {},
    supervise: options.supervise ?? [],
    durable: durable === true ? {} : durable === false ? undefined : durable,
    passivateMs: options.passivateMs,
    registered: undefined,
  };
  return defined as unknown as ActorDefinition<ProtocolOfHandlers<Receive>, Args>;
}

function tableOf(kind: string, where: string, handlers: unknown, base: HandlerTable | undefined): HandlerTable {
  if (typeof handlers !== "object" || handlers === null) {
    throw invalid(kind, `has no handlers in its ${where}`, "Name its messages: receive: { add(state, amount) {} }");
  }
  const table: Record<string, AnyHandler | undefined> = Object.create(null) as Record<string, AnyHandler>;
  Object.assign(table, base);
  const entries = Object.entries(handlers);
  if (entries.length === 0 && base === undefined) {
    throw invalid(kind, "has no handlers", "Name its messages: receive: { add(state, amount) {} }");
  }
  for (const [name, handler] of entries) {
    if (typeof handler !== "function") {
      const advice = "A handler is a function of the state, the payload and the context";
      throw invalid(kind, `has no function for "${name}" in its ${where}`, advice);
    }
    table[name] = handler as AnyHandler;
  }
  return table;
}

const optionNames = namesOf<ActorOptions<unknown, Handlers<unknown>, never>>({
  kind: true,
  init: true,
  receive: true,
  modes: true,
  watched: true,
  stopped: true,
  mailbox: true,
  supervise: true,
  durable: true,
  passivateMs: true,
});
const durableNames = namesOf<DurableOptions>({ snapshotEvery: true, version: true, migrate: true });

function checkOptions<State, Receive, Args>(kind: unknown, options: ActorOptions<State, Receive, Args>): void {
  if (typeof kind !== "string" || kind.length === 0 || kind.length > 100) {
    throw invalid(String(kind).slice(0, 40), "has no name that can be", "`kind` has 1 to 100 characters");
  }
  const of = `the actor "${kind}"`;
  checkOptionNames(of, options, optionNames);
  const { init, watched, stopped, mailbox, supervise, durable, passivateMs } = options;
  if (typeof init !== "function") {
    throw invalid(kind, "has no `init`", "Give it what makes its state: init: () => ({})");
  }
  for (const [name, given] of Object.entries({ watched, stopped })) {
    if (given !== undefined && typeof given !== "function") {
      throw invalid(kind, `has a \`${name}\` that is no function`, "Leave it away, or give it a function");
    }
  }
  if (mailbox !== undefined) checkMailbox(of, mailbox);
  if (supervise !== undefined) checkSupervision(of, supervise);
  if (durable !== undefined) checkDurable(kind, durable);
  if (passivateMs !== undefined && !(passivateMs >= 1 && passivateMs <= timerMsMax)) {
    throw invalid(kind, `is passivated after ${passivateMs} ms`, "Give it milliseconds from 1 on, less than 24 days");
  }
}

function checkDurable(kind: string, durable: boolean | DurableOptions): void {
  if (typeof durable === "boolean") return;
  if (typeof durable !== "object" || durable === null) {
    throw invalid(kind, "has a `durable` that can't be", "Give it true, or { snapshotEvery, version, migrate }");
  }
  checkOptionNames(`\`durable\` of the actor "${kind}"`, durable, durableNames);
  const { migrate } = durable;
  if (migrate !== undefined && typeof migrate !== "function") {
    throw invalid(kind, "has a `migrate` that is no function", "Give it (state, from) => state");
  }
}

function invalid(kind: string, what: string, advice: string): QStreamError {
  return new QStreamError("ACTOR_INVALID", `the actor "${kind}" ${what}`, { advice });
}
