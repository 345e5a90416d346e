import { LoopbackDoor } from "../../actors/transport/loopback-door.ts";
import { encodeArguments } from "../../actors/slot/arguments.ts";
import { ClientRelay } from "../../actors/slot/client-relay.ts";
import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import type { ActorEvent } from "../../actors/system/node-parts.ts";
import { QStreamError } from "../core/errors.ts";
import { automatic } from "../partition/index.ts";
import type { DefinedActor } from "../core/actor-definition.ts";
import type { FlowReference } from "../core/flow-registry.ts";
import type { ActorsCode, Program } from "../core/program.ts";
import { systemClock } from "../core/seam/clock.ts";
import { freshId } from "../core/seam/random.ts";
import type { Execution } from "../flow/execution.ts";
import type { Graph } from "../flow/graph.ts";
import { local, type FlowSession, type SessionOptions } from "../flow/session.ts";
import { storeOf } from "../flow/session-lineage.ts";
import { reportFailure } from "./actor-system.ts";
import { DistributedActors } from "./distributed-actors.ts";
import { SystemEvents } from "./system-events.ts";
import { SystemView, type ViewRequest } from "./system-view.ts";

/** How a system of actors is started on slots. Options of a session apply where none is given by `on`. */
export interface ActorsOptions extends SessionOptions {
  /** The session to run on; without one, the system opens one of its own and closes it at the end. */
  readonly on?: FlowSession;
  /** How many hosts of actors there are: one a slot unless told. More than slots let a system spread over machines that join later. */
  readonly hosts?: number;
  /** Is told of failures and dead letters in all slots, and of lost slots. Failures and losses go to standard error unless this is given. */
  readonly onEvent?: (event: ActorEvent) => void;
  /** Is told of losses of slots and of what took over, as for a flow. */
  readonly onExecution?: (event: ExecutionEvent) => void;
  /** Stops the system when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Lets `qstream attach` of this user, on this machine, look at it, and tell and ask its actors; on a cluster, whoever may submit.
   * Default false.
   */
  readonly attachable?: boolean;
}

/** A system that is being started. */
export interface SystemStart {
  readonly id: string;
  readonly hosts: number | undefined;
  /** The store of its durable actors; undefined where it has none. */
  readonly journal: string | undefined;
  readonly client: NonNullable<ActorsCode["client"]>;
}

interface StartParts {
  readonly reference: FlowReference;
  readonly options: ActorsOptions;
  readonly definitions: ReadonlyMap<string, DefinedActor>;
  readonly prepare: (system: SystemStart) => { readonly graph: Graph; readonly args: object };
  readonly forget: (id: string) => void;
}

/** Starts a system as an execution whose channels are hosts, and waits until all of them are there. */
export async function startSystem({
  reference,
  options,
  definitions,
  prepare,
  forget,
}: StartParts): Promise<DistributedActors> {
  const { on, hosts, onEvent = reportFailure, onExecution, signal, attachable = false, ...sessionOptions } = options;
  checkOptions(hosts, attachable);
  const isDurable = [...definitions.values()].some(({ durable }) => durable !== undefined);
  const journal = isDurable ? journalOf(options) : undefined;
  // What isn't kept needs no store that outlives the process.
  const { store = isDurable || sessionOptions.isolation === "none" ? undefined : "memory", ...others } = sessionOptions;
  const session = on ?? (await local(store === undefined ? others : { ...others, store }));
  const id = freshId("actors");
  const events = new SystemEvents(onEvent, onExecution);
  let running: Execution<unknown> | undefined;
  let relay: ClientRelay | undefined;
  // The execution goes on without its client; nobody could use it.
  const failed = (error: Error): void => running?.cancel(error.message);
  try {
    const { graph, args } = prepare({ id, hosts, journal, client: events.client });
    const execution = await session.start({
      id,
      reference,
      graph,
      outputs: {},
      relayed: (tell) => {
        const build = (): Program => graph.program(automatic() as never);
        return (relay = new ClientRelay({ build, tell, failed, clock: systemClock }));
      },
      args: await encodeArguments(args),
      options: {
        ...(signal === undefined ? {} : { signal }),
        onEvent: (event) => events.executed(event),
      },
    });
    running = execution;
    const own = on === undefined ? session : undefined;
    const node = await unlessEnded(execution, Promise.all([events.isOpen, events.isStarted]));
    const system = new DistributedActors({
      client: node[0],
      lost: events.lost,
      execution,
      session: own,
      signal,
      forget: () => forget(id),
    });
    if (attachable) events.view = await letLook(new SystemView(system, node[0], definitions), execution, relay);
    return system;
  } catch (error) {
    forget(id);
    // Nobody has a handle of it.
    running?.cancel("its start failed");
    if (on === undefined) await session.close();
    throw error;
  }
}

/** Lets others look at a system, until it ends. */
async function letLook(
  view: SystemView,
  execution: Execution<unknown>,
  relay: ClientRelay | undefined,
): Promise<SystemView> {
  const answer = (request: unknown): Promise<unknown> => view.answer(request as ViewRequest);
  if (relay !== undefined) relay.view = answer;
  const door = await LoopbackDoor.open(execution.id, answer);
  const close = (): void => door.close();
  execution.outputs.then(close, close);
  return view;
}

/** The store that keeps durable actors: the session's, or the one that is named. */
function journalOf({ on, ...options }: ActorsOptions): string {
  const store = options.store ?? (on === undefined ? storeOf(options) : on.journalStore);
  if (store !== undefined && store !== "none" && store !== "memory") return store;
  const what = store === undefined ? "on a session that doesn't say which" : `with the store "${store}"`;
  throw new QStreamError(
    "OPTION_INVALID",
    `durable actors on slots need a store that all slots reach, and are started ${what}`,
    {
      advice: 'Name one: bank.start({ store: "lmdb:.qstream" }), or redis://... for several machines',
    },
  );
}

function unlessEnded<T>(execution: Execution<unknown>, ready: Promise<T>): Promise<T> {
  const ended = execution.outputs.then((): never => {
    throw new QStreamError("SESSION_CLOSED", "the system of actors ended before it had begun");
  });
  return Promise.race([ready, ended]);
}

function checkOptions(hosts: number | undefined, attachable: unknown): void {
  if (hosts !== undefined && !(Number.isInteger(hosts) && hosts >= 1 && hosts <= 1024)) {
    throw new QStreamError("OPTION_INVALID", `a system of actors can't have ${hosts} hosts`, {
      advice: "Give it a whole number from 1 to 1,024",
    });
  }
  if (typeof attachable === "boolean") return;
  throw new QStreamError("OPTION_INVALID", "`attachable` of start() is neither true nor false", {
    advice: "With true, `qstream attach` of this user may look at the system",
  });
}
