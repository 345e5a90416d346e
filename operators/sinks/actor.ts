import { homeOf } from "../../lib/core/actor-home.ts";
import type { ActorReference, AnyReference } from "../../lib/core/contracts/actor.ts";
import type { EntityKind } from "../../lib/core/contracts/entity-kind.ts";
import type { NamesTaking } from "../../lib/core/contracts/message-names.ts";
import type { Delivery } from "../../lib/core/contracts/delivery.ts";
import type { OutputSink } from "../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { shown } from "../../lib/core/shown.ts";
import { AskingChannel } from "./actors/asking-channel.ts";
import { DeliveringChannel } from "./actors/delivering-channel.ts";

/** Options of `toActor` and `toEntities`. */
export interface ToActorOptions {
  /** Objects of one message: with a number, messages carry arrays of up to so many. Default: one object, and no array. */
  readonly batches?: number;
  /**
   * Messages are deliveries, whose objects have numbers: an actor that takes them by `takeOnce` takes each object once, whatever is
   * lost and repeated but the actor itself. `batches` is 1,000 then unless told. Default false.
   */
  readonly numbered?: boolean;
  /** How many messages of a channel may wait for their answers: a slow actor holds the stream back. Default 64. */
  readonly inFlight?: number;
  /** Milliseconds in which a message has to be answered. Default 30,000. */
  readonly timeoutMs?: number;
}

/** What a message carries: an object, with `batches` an array of them, with `numbered` a delivery. */
export type Sent<T, Options> = Options extends { readonly numbered: true }
  ? Delivery<T>
  : Options extends { readonly batches: number }
    ? T[]
    : T;

/** What `toActor` and `toEntities` give. */
export interface SentToActors {
  /** How many objects were answered: each counts once. */
  readonly objects: number;
}

/** The names of their options. */
export const toActorOptionNames: readonly string[] = namesOf<ToActorOptions>({
  batches: true,
  numbered: true,
  inFlight: true,
  timeoutMs: true,
});

const inFlightDefault = 64;
const timeoutMsDefault = 30_000;

/**
 * Sends objects, or the rows of Arrow tables and Polars frames, to an actor: each is asked of it, and what it returns means that it has taken it. So many messages of a channel
 * may wait for their answers, which is the credit: a slow actor holds the stream back. Messages of a channel are sent in the
 * stream's order. At-least-once: after a failure the actor may be sent again what came after the newest checkpoint.
 *
 * @param reference - to an actor, an entity or a router, passed to the flow as an argument
 * @param name - of the message; its payload is an object of the stream, or with `batches` an array of them
 * @returns the sink; its result counts the objects
 * @throws QStreamError OPTION_INVALID; while it runs, STEP_FAILED with what the actor threw, or ACTOR_STOPPED, ASK_TIMEOUT,
 * MESSAGE_UNHANDLED, ACTOR_UNREACHABLE
 * @example
 * actorSink<Order, Ledger>(args.ledger, "record", { inFlight: 16 });
 */
export function actorSink<T, P, Options extends ToActorOptions = ToActorOptions>(
  reference: ActorReference<P>,
  name: NamesTaking<P, Sent<T, Options>>,
  options?: Options,
): OutputSink<T, SentToActors> {
  const { reach } = homeOf("toActor()", reference);
  const to = reference as AnyReference;
  return sinkOf("toActor()", { kind: "actor", name, options, reach, to: () => to });
}

/**
 * Sends objects to entities, each to that of its key: as `actorSink` does to one actor. An entity that is lost with its slot goes
 * on elsewhere, and is asked again.
 *
 * @param entities - of one kind, passed to the flow as an argument: `system.entities(account)`
 * @param key - of an object
 * @param name - of the message
 * @returns the sink; its result counts the objects
 * @throws QStreamError as `actorSink`; OPTION_INVALID for a key that is no string
 * @example
 * entitiesSink<Deposit, Account>(args.accounts, ({ owner }) => owner, "deposit");
 */
export function entitiesSink<T, P, Options extends ToActorOptions = ToActorOptions>(
  entities: EntityKind<P>,
  key: (object: T) => string,
  name: NamesTaking<P, Sent<T, Options>>,
  options?: Options,
): OutputSink<T, SentToActors> {
  const { reach } = homeOf("toEntities()", entities);
  if (typeof key !== "function") {
    throw new QStreamError("OPTION_INVALID", "toEntities() got no function for the key of an object", {
      advice: 'Give it one: toEntities(accounts, (row) => row.owner, "deposit")',
    });
  }
  const keyOf = checkedKey(key as (object: unknown) => unknown);
  const to = (of: string): AnyReference => entities.of(of) as AnyReference;
  return sinkOf("toEntities()", { kind: "entities", name, options, reach, to, keyOf });
}

function checkedKey(keyOf: (object: unknown) => unknown): (object: unknown) => string {
  return (object) => {
    const key = keyOf(object);
    if (typeof key === "string") return key;
    const advice = "A key is a string of 1 to 1,024 characters: give another property, or String(row.id) for a number";
    throw invalid("toEntities()", `${shown(key)} as the key of ${shown(object)}`, advice);
  };
}

interface SinkParts {
  readonly kind: string;
  readonly name: unknown;
  readonly options: ToActorOptions | undefined;
  readonly reach: "thread" | "slots";
  /** Who gets what is of a key; all of it is of one where there is no `keyOf`. */
  readonly to: (key: string) => AnyReference;
  readonly keyOf?: (object: unknown) => string;
}

function sinkOf<T>(of: string, parts: SinkParts): OutputSink<T, SentToActors> {
  const { kind, name, options = {}, reach, to, keyOf } = parts;
  checkOptionNames(of, options, toActorOptionNames);
  const { batches, numbered = false, inFlight = inFlightDefault, timeoutMs = timeoutMsDefault } = options;
  if (typeof name !== "string") throw invalid(of, "no name of a message", "Name a handler of the actor's definition");
  checkWhole(of, "batches", batches);
  checkWhole(of, "inFlight", inFlight);
  if (typeof numbered !== "boolean") throw invalid(of, `numbered: ${String(numbered)}`, "Give it true or false");
  if (!(timeoutMs > 0)) throw invalid(of, `timeoutMs: ${timeoutMs}`, "Give it milliseconds, or Infinity");
  const asking = { name, batches, inFlight, timeoutMs, to, keyOf };
  return {
    kind,
    options: { message: name, batches, numbered, inFlight, timeoutMs },
    guarantee: numbered ? "idempotent" : "at-least-once",
    placement: reach === "thread" ? "client" : "per-slot",
    open: (ctx) => (numbered ? new DeliveringChannel(asking, ctx) : new AskingChannel(asking)),
    result: (parts) => ({ objects: parts.reduce<number>((sum, part) => sum + ((part as number | undefined) ?? 0), 0) }),
  };
}

function checkWhole(of: string, option: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return;
  throw invalid(of, `${option}: ${value}`, "Give it a whole number from 1 on");
}

function invalid(of: string, what: string, advice: string): QStreamError {
  return new QStreamError("OPTION_INVALID", `${of} got ${what}`, { advice });
}
