import type { Cell } from "../../../actors/system/cell.ts";
import type { Envelope } from "../../../actors/system/envelope.ts";
import type { ReadyCells } from "../../../actors/system/node-parts.ts";
import type { ExploredNode } from "./explored-node.ts";
import type { WorldMachine } from "./machine.ts";
import type { AnyPacket, Packet } from "./packet.ts";

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
  /** Told what several actors share, when one of them touches it: names, topics, the numbers of a machine's actors. */
  touched?: (what: string) => void;
  /** Messages between machines that are on their way. */
  inFlight: () => Iterable<Packet>;
}
