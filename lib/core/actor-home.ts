import { QStreamError } from "./errors.ts";

/** The system of actors that a reference leads to. */
export interface ActorHome {
  /** Id of the system. */
  readonly system: string;
  /** Where its actors can be reached from: the thread that started it only, or every slot of its session. */
  readonly reach: "thread" | "slots";
}

/** Under which references say where they lead. Undefined for those of a system that no flow can reach. */
export const actorHome: unique symbol = Symbol.for("qstream.actor-home") as never;

interface Homed {
  readonly [actorHome]: ActorHome | undefined;
}

/**
 * Where a reference leads that a flow is given.
 *
 * @param of - what was given it: `toActor()`
 * @throws QStreamError OPTION_INVALID for what is no reference
 */
export function homeOf(of: string, reference: unknown): ActorHome {
  const isHomed = typeof reference === "object" && reference !== null && actorHome in reference;
  const home = isHomed ? (reference as Homed)[actorHome] : undefined;
  if (home !== undefined) return home;
  throw new QStreamError("OPTION_INVALID", `${of} got what leads to no actor`, {
    advice:
      "Pass a reference as an argument of the flow: flow.run({ ledger }, { on: session }), where ledger = system.spawn(...)",
  });
}

/** References have this that lead to an actor which is made again by its next message, here or elsewhere. */
export const livesOn: unique symbol = Symbol.for("qstream.actor-lives-on") as never;
