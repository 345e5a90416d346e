import { Cell } from "../../actors/system/cell.ts";
import { lastMailName } from "../../actors/system/envelope.ts";
import { definedActor, type AnyHandler, type DefinedActor, type HandlerTable } from "../core/actor-definition.ts";
import type {
  ActorContext,
  ActorDefinition,
  ActorReference,
  AnyReference,
  Ended,
  PayloadOf,
  ReplyOf,
} from "../core/contracts/actor.ts";
import type { Key } from "../core/contracts/partition.ts";
import { hashKey } from "../core/key.ts";
import { QStreamError } from "../core/errors.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";

/** A message as a router sees it: `name` tells which, and narrows `payload`. */
export type MessageIn<P> = {
  readonly [Name in keyof P]: { readonly name: Name; readonly payload: PayloadOf<P[Name]>[0] };
}[keyof P];

/** The protocol of who asks many at once: each message is answered with a list of answers. */
export type Gathered<P> = {
  readonly [Name in keyof P]: (...payload: PayloadOf<P[Name]>) => ReplyOf<P[Name]>[];
};

export interface RouterOptions<P> {
  /** Messages of equal keys go to the same actor, as long as that lives. Unless given, each goes to the next one. */
  readonly key?: (message: MessageIn<P>) => Key;
}

export interface WorkerPoolOptions<P> extends RouterOptions<P> {
  /** How many workers there are: 1 to 10,000. */
  readonly size: number;
}

const routerNames = namesOf<RouterOptions<object>>({ key: true });
const poolNames = namesOf<WorkerPoolOptions<object>>({ key: true, size: true });
const sizeMax = 10_000;

interface Member {
  readonly actor: AnyReference;
  /** Stays what it is when others leave, so that keys stay with their actors. */
  readonly number: number;
}

interface Route {
  members: Member[];
  next: number;
}

/**
 * Actors of one kind that share work: spawned as one actor, which hands each message to one of them. Who asks is answered by the worker.
 * A worker that ends isn't replaced; restarts are what its supervision is for. When the last one has ended, the pool stops.
 *
 * @param definition - of the workers; each is made with the arguments that the pool is spawned with
 * @throws QStreamError OPTION_INVALID
 * @example
 * const resizers = system.spawn(workerPool(resizer, { size: 4 }));
 * const small = await resizers.ask("resize", { image, width: 100 });
 */
export function workerPool<P, Args>(
  definition: ActorDefinition<P, Args>,
  options: WorkerPoolOptions<P>,
): ActorDefinition<P, Args> {
  const worker = definedActor(definition);
  const of = `workerPool() of ${worker.kind}`;
  checkOptionNames(of, options, poolNames);
  const { size, key } = options;
  checkKey(of, key);
  if (!Number.isInteger(size) || size < 1 || size > sizeMax) {
    throw new QStreamError("OPTION_INVALID", `${of} has ${size} workers`, {
      advice: `\`size\` is a whole number from 1 to ${sizeMax}`,
    });
  }
  const table: Record<string, AnyHandler> = Object.create(null) as Record<string, AnyHandler>;
  for (const name of Object.keys(worker.receive)) table[name] = handOn(name, key as AnyKey | undefined);
  const spawnAll = (args: unknown, ctx: ActorContext): AnyReference[] =>
    Array.from({ length: size }, () => ctx.spawn(definition, args as never) as AnyReference);
  return routing(`${worker.kind}-pool`, spawnAll, table) as object as ActorDefinition<P, Args>;
}

/**
 * An actor that hands each message to one of others, which there are already: one after the other, or by key. Who asks is answered by
 * the actor that the message went to. One that has ended gets none any more; when all have, the router stops.
 *
 * @throws QStreamError OPTION_INVALID
 * @example
 * const any = system.spawn(router([berlin, paris], { key: ({ payload }) => payload.customer }));
 * any.tell("order", { customer: "ann", item: "tea" });
 */
export function router<P>(
  actors: readonly ActorReference<P>[],
  options: RouterOptions<P> = {},
): ActorDefinition<P, void> {
  checkOptionNames("router()", options, routerNames);
  checkKey("router()", options.key);
  checkActors("router()", actors);
  const key = options.key as AnyKey | undefined;
  return routing(
    "router",
    () => actors,
    catchAll((name) => handOn(name, key)),
  ) as object as ActorDefinition<P, void>;
}

/**
 * An actor that hands each message to all of others. Who asks is answered with the list of their answers, in their order, once all
 * have answered; or refused as soon as one of them refuses. It stops when all of them have ended.
 *
 * @throws QStreamError OPTION_INVALID
 * @example
 * const all = system.spawn(broadcaster(sensors));
 * const temperatures = await all.ask("read");
 */
export function broadcaster<P>(actors: readonly ActorReference<P>[]): ActorDefinition<Gathered<P>, void> {
  checkActors("broadcaster()", actors);
  const toAll: AnyHandler = (route, _, ctx) => {
    if (ctx instanceof Cell) ctx.forwardToAll((route as Route).members.map(({ actor }) => actor));
  };
  return routing(
    "broadcaster",
    () => actors,
    catchAll(() => toAll),
  ) as object as ActorDefinition<Gathered<P>, void>;
}

type AnyKey = (message: { readonly name: string; readonly payload: unknown }) => Key;

function routing(
  kind: string,
  actors: (args: unknown, ctx: ActorContext) => readonly AnyReference[],
  receive: HandlerTable,
): DefinedActor {
  return {
    kind,
    receive,
    modes: new Map(),
    init(args, ctx): Route {
      const members = actors(args, ctx).map((actor, number) => ({ actor, number }));
      for (const { actor } of members) ctx.watch(actor);
      return { members, next: 0 };
    },
    watched(state, { actor }: Ended, ctx) {
      const route = state as Route;
      route.members = route.members.filter((member) => !member.actor.equals(actor));
      if (route.members.length === 0) ctx.stop();
    },
    stopped: undefined,
    mailbox: {},
    // A key function that throws is the sender's trouble; what a worker escalates goes on to whoever started the pool.
    supervise: [{ on: "ACTOR_FAILED", do: "escalate" }, { do: "resume" }],
    durable: undefined,
    passivateMs: undefined,
    registered: undefined,
  };
}

function handOn(name: string, key: AnyKey | undefined): AnyHandler {
  return (state, payload, ctx) => {
    const route = state as Route;
    const { members } = route;
    const member =
      key === undefined ? members[route.next++ % members.length] : memberOf(members, key({ name, payload }));
    if (member !== undefined) ctx.forward(member.actor);
  };
}

/** The member that ranks first for a key: when another one leaves, it stays the same (rendezvous hashing). */
function memberOf(members: readonly Member[], key: Key): Member | undefined {
  const hash = hashKey(key);
  let best: Member | undefined;
  let most = -1;
  for (const member of members) {
    const rank = mixed(hash ^ Math.imul(member.number + 1, 0x9e3779b1));
    if (rank > most) [best, most] = [member, rank];
  }
  return best;
}

function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** A table that has a handler for every message. */
function catchAll(handlerOf: (name: string) => AnyHandler): HandlerTable {
  const handlers = new Map<string, AnyHandler>();
  return new Proxy(Object.create(null) as HandlerTable, {
    get(_, name) {
      if (typeof name !== "string" || name === lastMailName) return undefined;
      let handler = handlers.get(name);
      // Names come from types, so they are few; but whoever sends others mustn't fill the memory.
      if (handler === undefined && handlers.size < sizeMax) handlers.set(name, (handler = handlerOf(name)));
      return handler ?? handlerOf(name);
    },
  });
}

function checkActors(of: string, actors: unknown): void {
  if (Array.isArray(actors) && actors.length <= sizeMax) {
    if (actors.length > 0 && actors.every((actor: unknown) => typeof (actor as AnyReference).tell === "function"))
      return;
  }
  throw new QStreamError("OPTION_INVALID", `${of} is given what isn't a list of references`, {
    advice: `Give it 1 to ${sizeMax} references: ${of.slice(0, -1)}[ann, bob])`,
  });
}

function checkKey(of: string, key: unknown): void {
  if (key === undefined || typeof key === "function") return;
  throw new QStreamError("OPTION_INVALID", `\`key\` of ${of} is no function`, {
    advice: "Give it a function of the message: ({ name, payload }) => payload.customer",
  });
}
