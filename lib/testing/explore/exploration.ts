import type { ActorDefinition, ActorReference, AnyReference } from "../../core/contracts/actor.ts";
import type { MailboxOptions, Supervision } from "../../core/contracts/actor-options.ts";
import { checkExploration } from "./check-exploration.ts";
import type { ExplorationFaults } from "./faults.ts";
import type { ExploredDisk } from "./machine-disk.ts";

/** A machine of the simulated world. */
export interface ExploredMachine {
  /** From 0 on. */
  readonly index: number;
  readonly name: string;
  /** False between a crash and the restart. */
  readonly isUp: boolean;
  /** How often it was started again. */
  readonly restarts: number;
  readonly disk: ExploredDisk;
}

export interface ExploredSpawnOptions {
  /** Where it runs, and is started again. Default: the first machine; a machine of its own where `machines` isn't told. */
  readonly machine?: ExploredMachine | undefined;
  /** By which others find it, and pictures show it. */
  readonly name?: string;
  readonly mailbox?: MailboxOptions;
  readonly supervise?: Supervision;
}

/** Arguments where there are any, and options. */
export type ExploredSpawnRest<Args> = [Args] extends [undefined | void]
  ? [args?: undefined, options?: ExploredSpawnOptions]
  : [args: Args, options?: ExploredSpawnOptions];

/** A message that isn't handled yet. */
export interface MessageInFlight {
  /** Undefined for one from outside. */
  readonly from: AnyReference | undefined;
  readonly to: AnyReference;
  readonly name: string;
  readonly payload: unknown;
}

/** The simulated world, as an exploration sees it. */
export interface ExploredWorld {
  readonly seed: number;
  readonly machines: readonly ExploredMachine[];
  /** Virtual milliseconds since the run's start. */
  readonly nowMs: number;
  /** Steps so far. */
  readonly step: number;
  /** True once no fault strikes any more, and partitions are over. */
  readonly isHealed: boolean;
  /**
   * Starts an actor on a machine. It is started again with the same arguments whenever the machine is, and its reference leads to
   * whoever is there then.
   */
  spawn<P, Args>(definition: ActorDefinition<P, Args>, ...rest: ExploredSpawnRest<Args>): ActorReference<P>;
  /** An actor's state, to be looked at and not changed; undefined while it has none, as when its machine is down. */
  state<State>(actor: AnyReference): State | undefined;
  /** States of all living actors of a definition. */
  states<State>(definition: ActorDefinition<unknown, never>): IterableIterator<State>;
  /** True while an actor runs: it hasn't ended, and its machine is up. */
  isAlive(actor: AnyReference): boolean;
  /** Messages between machines that are on their way, and those in mailboxes. */
  inFlight(): readonly MessageInFlight[];
  /** Does something from outside once virtual milliseconds have passed: sends what a client would. */
  after(delayMs: number, action: () => void): void;
  /** A number in [0, 1) that the seed gives. */
  random(): number;
  /** Writes something into the picture of a run, beside the step that is being taken, or, in a check, was. */
  note(text: string): void;
}

/**
 * Says whether something holds. False, a text that says what was found, or an error that is thrown, is that it doesn't; for
 * `never` it is true, or a text, that says it does.
 */
export type Check<System> = (system: System, world: ExploredWorld) => boolean | string | undefined | void;

export interface EventualCheck<System> {
  readonly check: Check<System>;
  /** Virtual milliseconds after all has healed within which it has to hold. Default 10,000. */
  readonly withinMs?: number;
}

/** How a system of actors is started, what may go wrong, and what has to hold. */
export interface ExplorationOptions<System> {
  /** What people call it. Default: the name of the module. */
  readonly name?: string;
  /** How many machines there are, or their names. Default: each actor that `start` starts has one of its own. */
  readonly machines?: number | readonly string[];
  /** A violation may be shown with fewer machines, down to so many. Default: as many as there are. */
  readonly machinesMin?: number;
  /** Starts the actors. What it returns is given to the checks. Called for each run. */
  readonly start: (world: ExploredWorld) => System;
  /** A machine runs again, and its actors have been started: tells them what they have to be told. */
  readonly restarted?: (system: System, world: ExploredWorld, machine: ExploredMachine) => void;
  readonly faults?: ExplorationFaults;
  /** What holds after every step. */
  readonly always?: Readonly<Record<string, Check<System>>>;
  /** What doesn't, after any step. */
  readonly never?: Readonly<Record<string, Check<System>>>;
  /** What comes to hold after all has healed. */
  readonly eventually?: Readonly<Record<string, Check<System> | EventualCheck<System>>>;
  /** What holds when a run is over: for checks that are too slow for every step. */
  readonly atEnd?: Readonly<Record<string, Check<System>>>;
  /** Steps of a run. What has to hold eventually may take more. Default 2,000. */
  readonly steps?: number;
  /** A run is over once this holds. */
  readonly stopWhen?: (system: System, world: ExploredWorld) => boolean;
  /** Actors may fail, and their supervision is a part of what is explored. Default false: a handler that throws is a violation. */
  readonly mayFail?: boolean;
  /** Freezes what is sent, so that whoever changes it fails there. Default true. */
  readonly strict?: boolean;
  /** How pictures show states and messages. Default: as JSON, of which long ones are cut. */
  readonly show?: {
    /** Long ones aren't cut, whatever that takes. Default false. */
    readonly whole?: boolean;
    readonly state?: (state: never, actor: AnyReference) => string;
    readonly message?: (name: string, payload: never) => string;
  };
}

/** An exploration, as `defineExploration` makes it. */
export interface Exploration<System = unknown> {
  readonly name: string;
  /** URL of the module that has it. */
  readonly module: string;
  readonly options: ExplorationOptions<System>;
}

const made = new WeakSet<object>();

/**
 * Defines what is explored: a system of actors on simulated machines, what may go wrong, and what has to hold. `explore` runs it, and so does
 * `qstream explore MODULE` where a module exports it.
 *
 * @param module - `import.meta.url` of the module, for the command that repeats a violation
 * @throws QStreamError OPTION_INVALID
 * @example
 * export default defineExploration(import.meta.url, {
 *   machines: 3,
 *   start(world) {
 *     const nodes = world.machines.map((machine) => world.spawn(node, undefined, { machine, name: `node-${machine.index}` }));
 *     for (const each of nodes) each.tell("peers", nodes);
 *     return { nodes };
 *   },
 *   faults: { loss: 0.02, crashes: { most: 1, restartAfterMs: [10, 100] } },
 *   never: { "two leaders": ({ nodes }, world) => nodes.filter((each) => world.state<State>(each)?.leads).length > 1 },
 * });
 */
export function defineExploration<System>(module: string, options: ExplorationOptions<System>): Exploration<System> {
  checkExploration(module, options);
  const exploration = { name: options.name ?? nameOf(module), module, options };
  made.add(exploration);
  return exploration;
}

/** True for what `defineExploration` made, also in another copy of this package. */
export function isExploration(value: unknown): value is Exploration {
  if (typeof value !== "object" || value === null) return false;
  if (made.has(value)) return true;
  const { module, options } = value as Partial<Exploration>;
  return typeof module === "string" && typeof options === "object" && typeof options.start === "function";
}

function nameOf(module: string): string {
  const file = module.slice(module.lastIndexOf("/") + 1);
  return file.replace(/\.(?:exploration\.)?[cm]?[jt]sx?$/u, "") || "exploration";
}
