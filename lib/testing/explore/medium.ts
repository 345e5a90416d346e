import type { Cell } from "../../../actors/system/cell.ts";
import type { Envelope } from "../../../actors/system/envelope.ts";
import type { TimerRequest } from "../../../actors/system/actor-timers.ts";
import type { ReadyCells } from "../../../actors/system/node-parts.ts";
import type { Reference } from "../../../actors/system/reference.ts";
import type { MessageInFlight } from "./exploration.ts";
import type { ExploredNode } from "./explored-node.ts";
import type { WorldMachine } from "./machine.ts";
import type { AnyPacket } from "./packet.ts";

/** What is between actors: it decides what comes when. */
export interface Medium {
  readonly ready: ReadyCells;
  /** Virtual milliseconds as a machine has them, but for its clock's skew. */
  timeOf: (machine: WorldMachine) => number;
  /** Calls back after a delay of virtual time. Returns a function that cancels. */
  after: (machine: WorldMachine | undefined, delayMs: number, callback: () => void) => () => void;
  /** A message within a machine. */
  deliver: (node: ExploredNode, cell: Cell, envelope: Envelope, from: Cell | undefined) => void;
  /** A message between machines. */
  send: (packet: AnyPacket) => void;
  /**
   * Told what several actors share, when one of them touches it: names, topics, disks, the numbers of a machine's actors.
   *
   * @param isChanged - true unless told: it may be another one now, and wasn't only looked at
   */
  touched?: (what: string, isChanged?: boolean) => void;
  /** Told of an actor that changes by what others do, or that they look for: it is woken, watched, stopped. */
  touchedActor?: (cell: Cell) => void;
  /** Told what is looked at from outside of actors: an actor's state, or what is called so. */
  looked?: (at: Reference | string) => void;
  /** Told which timer of an actor the next `after` is for. */
  timing?: (cell: Cell, id: number, request: TimerRequest) => void;
  /** Messages that are on their way: those between machines, and all others that wait outside of mailboxes. */
  inFlight: () => Iterable<
    Pick<MessageInFlight, "name" | "payload" | "to"> & { readonly sender: MessageInFlight["from"] }
  >;
}
