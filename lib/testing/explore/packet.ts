import type { Cell } from "../../../actors/system/cell.ts";
import { Envelope, type ReplyTo } from "../../../actors/system/envelope.ts";
import type { Reference } from "../../../actors/system/reference.ts";
import type { AnyReference } from "../../core/contracts/actor.ts";
import type { WorldMachine } from "./machine.ts";

/** Who waits for an answer, and may get it from a second copy of the question, too. */
interface RepeatableReply extends ReplyTo {
  readonly again: () => ReplyTo;
}

/** A message between two machines: while it is on its way, and in the mailbox. */
export class Packet extends Envelope {
  readonly to: Reference;
  readonly from: WorldMachine;
  /** Whose code sent it. */
  readonly fromCell: Cell | undefined;
  /** Messages one after the other that led to it, itself included. */
  readonly depth: number;
  readonly target: WorldMachine;

  constructor(
    to: Reference,
    content: { readonly name: string; readonly payload: unknown; readonly reply: ReplyTo | undefined },
    sender: Cell | undefined,
    from: WorldMachine,
    target: WorldMachine,
    shown: AnyReference | undefined = sender?.self,
  ) {
    super(content.name, content.payload, shown, content.reply);
    this.to = to;
    this.from = from;
    this.fromCell = sender;
    this.target = target;
    this.depth = from.depth + 1;
  }

  /** A second one of the same. */
  copy(): Packet {
    const { name, payload, reply } = this;
    const content = { name, payload, reply: (reply as Partial<RepeatableReply> | undefined)?.again?.() ?? reply };
    return Object.assign(new Packet(this.to, content, this.fromCell, this.from, this.target, this.sender), {
      depth: this.depth,
    });
  }
}

/** An answer on its way to another machine. */
export class AnswerPacket {
  readonly from: WorldMachine;
  readonly target: WorldMachine;
  readonly depth: number;
  /** Whose question it answers; undefined for one from outside. */
  readonly asker: Cell | undefined;
  /** What is answered, for pictures. */
  readonly text: string;
  readonly fromCell: Cell | undefined;
  readonly value: unknown;
  /** Has the question be settled. */
  readonly settle: () => void;

  constructor(
    route: { readonly from: WorldMachine; readonly target: WorldMachine },
    asker: Cell | undefined,
    fromCell: Cell | undefined,
    answer: { readonly text: string; readonly value: unknown; readonly settle: () => void },
  ) {
    this.from = route.from;
    this.target = route.target;
    this.depth = route.from.depth + 1;
    this.asker = asker;
    this.fromCell = fromCell;
    this.text = answer.text;
    this.value = answer.value;
    this.settle = answer.settle;
  }
}

/** What nodes tell each other besides messages: it isn't lost, but late. */
export class ControlPacket {
  readonly from: WorldMachine;
  readonly target: WorldMachine;
  /** The only actor there that it concerns; undefined if it may be several. */
  readonly about: Reference | undefined;
  /** What is told, of whom and by whom: two that do the same have the same. */
  readonly text: string;
  readonly act: () => void;

  constructor(
    route: { readonly from: WorldMachine; readonly target: WorldMachine },
    about: Reference | undefined,
    text: string,
    act: () => void,
  ) {
    this.from = route.from;
    this.target = route.target;
    this.about = about;
    this.text = text;
    this.act = act;
  }
}

export type AnyPacket = Packet | AnswerPacket | ControlPacket;
