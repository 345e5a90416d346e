import type { Cell } from "../../../actors/system/cell.ts";
import type { ReplyTo } from "../../../actors/system/envelope.ts";
import { turn } from "../../../actors/system/turn.ts";
import type { ExploredNode } from "./explored-node.ts";
import type { WorldMachine } from "./machine.ts";
import { AnswerPacket } from "./packet.ts";
import type { World } from "./world.ts";

/** Whose question it is, and who waits for the answer. */
export interface Asking {
  readonly machine: WorldMachine;
  readonly asker: Cell | undefined;
  readonly what: string;
  readonly reply: ReplyTo;
}

/** Who waits for an answer on another machine. Whether anybody still does isn't known here. */
export class RemoteReply implements ReplyTo {
  isOver = false;
  readonly #world: World;
  readonly #asking: Asking;
  /** Where the question went, for answers that no actor gives. */
  readonly #asked: WorldMachine;

  constructor(world: World, asking: Asking, asked: WorldMachine) {
    this.#world = world;
    this.#asking = asking;
    this.#asked = asked;
  }

  get asker(): Cell | undefined {
    return this.#asking.asker;
  }

  /** The same for a second copy of the message. */
  again(): RemoteReply {
    return new RemoteReply(this.#world, this.#asking, this.#asked);
  }

  /** The same for who has the question now: whoever had it doesn't answer any more. */
  handedTo(machine: WorldMachine): RemoteReply {
    this.isOver = true;
    return new RemoteReply(this.#world, this.#asking, machine);
  }

  answer(value: unknown): void {
    this.#send(value, () => this.#asking.reply.answer(value));
  }

  refuse(error: Error): void {
    this.#send(error, () => this.#asking.reply.refuse(error));
  }

  #send(value: unknown, settle: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    const { machine, asker, what } = this.#asking;
    const { cell } = turn;
    const from = (cell?.node as ExploredNode | undefined)?.machine ?? this.#asked;
    this.#world.medium.send(new AnswerPacket({ from, target: machine }, asker, cell, { text: what, value, settle }));
  }
}
