import { NactHost } from "../../actors/hosts/nact-host.ts";
import { PromptTurns } from "../../actors/hosts/prompt-turns.ts";
import type { ActorMetrics } from "../../actors/system/node-metrics.ts";
import { localBinder } from "../../actors/system/local-binder.ts";
import { Keeping } from "../../actors/system/durable/keeping.ts";
import { ActorNode } from "../../actors/system/node.ts";
import { nodeIsHere } from "../../actors/system/nodes-here.ts";
import type { ActorEvent } from "../../actors/system/node-parts.ts";
import { definedActor } from "../core/actor-definition.ts";
import { QStreamError } from "../core/errors.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";
import { systemClock, type Clock } from "../core/seam/clock.ts";
import { freshId } from "../core/seam/random.ts";
import { keepAlive } from "../core/seam/keeping-alive.ts";
import type { ActorDefinition } from "../core/contracts/actor.ts";
import { ActorFace } from "./actor-face.ts";

export interface ActorSystemOptions {
  /** Seeds what `ctx.random` gives. Default 1. */
  readonly seed?: number;
  /**
   * Where transitions of durable actors are kept: `memory`, `lmdb:<folder>` (with `?flush=true` for those that survive a power cut), or
   * `redis://...`. Without it there can be no durable actors.
   */
  readonly store?: string;
  /**
   * Kinds of durable actors that are to come back by themselves where they have something to do: messages on their way, timers. Others
   * do when their kind is used.
   */
  readonly kinds?: readonly ActorDefinition<unknown, never>[];
  /** Is told of failures and dead letters. Failures go to standard error unless this is given. */
  readonly onEvent?: (event: ActorEvent) => void;
}

// Turns between two looks at timers, sockets and promises.
const mostInTurn = 20_000;
const closeMs = 5000;

/** Actors that run in this thread, and the way to them from outside. */
export class ActorSystem extends ActorFace {
  readonly #host: NactHost;
  readonly #letGo: () => void;
  readonly #leave: () => void;
  readonly #keeping: Keeping | undefined;

  /** @internal Use `startActors`. */
  constructor(options: ActorSystemOptions, clock: Clock) {
    checkSystemOptions(options);
    const host = new NactHost();
    const turning = host.spawn<"turn">("actors", {
      receive: () => prompt.given(),
      crashed: (error) => {
        throw error;
      },
    });
    const prompt = new PromptTurns(turning, () => this.node.takeTurns(mostInTurn));
    const { onEvent = reportFailure, seed = 1, store } = options;
    const keeping = store === undefined ? undefined : new Keeping({ store, seed, clock, waitsToOpen: false });
    super(
      new ActorNode({
        life: 1,
        clock,
        seed,
        schedule: () => prompt.want(),
        event: onEvent,
        ...(keeping === undefined ? {} : { durable: (node) => keeping.start(node) }),
      }),
    );
    const home = { system: freshId("actors"), reach: "thread" } as const;
    this.#leave = nodeIsHere(home, { node: this.node, binder: localBinder(this.node), slot: undefined });
    this.#keeping = keeping;
    keeping?.meet(options.kinds ?? []);
    this.#host = host;
    this.#letGo = keepAlive(clock);
  }

  metrics(): ActorMetrics {
    return this.node.metrics.counts();
  }

  /** @internal */
  protected async end(): Promise<void> {
    this.#leave();
    this.node.close();
    await this.node.emptied(closeMs);
    await this.#keeping?.close();
    this.#host.close();
    this.#letGo();
  }
}

const systemOptionNames = namesOf<ActorSystemOptions>({ seed: true, store: true, kinds: true, onEvent: true });

function checkSystemOptions(options: ActorSystemOptions): void {
  checkOptionNames("startActors()", options, systemOptionNames);
  const { seed, onEvent, kinds = [] } = options;
  for (const kind of kinds) {
    const { kind: called, durable } = definedActor(kind);
    if (durable !== undefined) continue;
    throw new QStreamError("OPTION_INVALID", `\`kinds\` of startActors() has "${called}", which isn't durable`, {
      advice: "Name those that come back by themselves: actor({ durable: true, ... }). Others need no `kinds`",
    });
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) {
    throw new QStreamError("OPTION_INVALID", `\`seed\` of startActors() is ${seed}`, {
      advice: "Give it a whole number",
    });
  }
  if (onEvent !== undefined && typeof onEvent !== "function") {
    throw new QStreamError("OPTION_INVALID", "`onEvent` of startActors() is no function", {
      advice: "Give it one that takes an event: (event) => console.error(event)",
    });
  }
}

const toldUnhandled = new Set<string>();
const toldMax = 100;

/** @internal Failures go to standard error where nobody is told, and so does a message that an actor has no handler for, once. */
export function reportFailure(event: ActorEvent): void {
  if (event.kind === "dead-letter" && event.why === "no-handler") {
    const what = `${event.to} has no handler for "${event.message}"`;
    if (toldUnhandled.has(what) || toldUnhandled.size >= toldMax) return;
    toldUnhandled.add(what);
    process.stderr.write(`${what}: a dead letter. This is told once; give the system \`onEvent\` to hear of all\n`);
    return;
  }
  if (event.kind === "slot-lost") {
    const { actors, error } = event;
    const what =
      actors === 1 ? "1 actor, and what was in its mailbox" : `${actors} actors, and what was in their mailboxes`;
    process.stderr.write(`${error.message}. With it went ${what}\n`);
    return;
  }
  if (event.kind !== "actor-failed") return;
  const at = event.message === undefined ? "" : ` at "${event.message}"`;
  process.stderr.write(`${event.actor} failed${at} (${event.action}): ${event.error.stack ?? event.error.message}\n`);
}

/**
 * Starts a system of actors in this thread.
 *
 * @example
 * await using system = startActors();
 * const reference = system.spawn(counter, 5);
 * reference.tell("add", 3);
 * console.log(await reference.ask("get"));
 */
export function startActors(options: ActorSystemOptions = {}): ActorSystem {
  return new ActorSystem(options, systemClock);
}
