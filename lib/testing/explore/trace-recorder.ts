import type { Cell } from "../../../actors/system/cell.ts";
import { cellFlag } from "../../../actors/system/cell.ts";
import type { Envelope } from "../../../actors/system/envelope.ts";
import { Reference } from "../../../actors/system/reference.ts";
import type { ExploredNode } from "./explored-node.ts";
import { AnswerPacket, type Packet } from "./packet.ts";
import { shortText, type Show } from "./show.ts";
import type { Resumption } from "./world.ts";
import type { LostMessage, RunLine, RunMessage, RunSend, RunStep, RunStepKind } from "./trace.ts";

const outsideLine = "outside";
// A run that is longer keeps its newest steps.
const stepsMax = 100_000;

type Sent = Omit<RunMessage, "duplicate">;

/** The parts of a step that is being recorded. */
interface OpenStep {
  at: number;
  step: number;
  line: string;
  kind: RunStepKind;
  message?: RunMessage;
  text?: string;
  groups?: readonly (readonly string[])[];
  sends: RunSend[];
  lost: LostMessage[];
  cell: Cell | undefined;
}

/** Writes down a run that is run again to be shown. */
export class TraceRecorder {
  readonly #show: Show;
  readonly #lines = new Map<string, RunLine>();
  readonly #steps: RunStep[] = [];
  readonly #sent = new WeakMap<object, Sent>();
  readonly #copies = new WeakSet<object>();
  readonly #timers = new WeakSet<Envelope>();
  readonly #states = new Map<string, string>();
  #open: OpenStep | undefined;
  #messages = 0;

  constructor(show: Show) {
    this.#show = show;
  }

  get lines(): readonly RunLine[] {
    return [...this.#lines.values()];
  }

  get steps(): readonly RunStep[] {
    this.ended();
    return this.#steps;
  }

  /** Something from outside: what it sends is told until `ended`. */
  outside(step: number, at: number): void {
    const kind = this.#steps.length === 0 && this.#open === undefined ? "start" : "note";
    this.#begin({ at, step, line: outsideLine, kind, sends: [], lost: [], cell: undefined });
  }

  began(cell: Cell, envelope: Envelope | undefined, step: number, at: number): void {
    const line = this.#lineOf(cell);
    const open: OpenStep = { at, step, line, kind: "deliver", sends: [], lost: [], cell };
    if (envelope === undefined) {
      const isStart = (cell.flags & cellFlag.starting) !== 0;
      open.kind = isStart ? "start" : "note";
      if (!isStart) open.text = endText(cell);
    } else if (this.#timers.has(envelope)) {
      open.kind = "timer";
      open.text = this.#show.message(envelope.name, envelope.payload);
    } else open.message = this.#messageOf(envelope, at, step, this.#show.message(envelope.name, envelope.payload));
    this.#begin(open);
  }

  /** Somebody's question was settled: by an answer from another machine, if there is a packet. */
  resumed({ asker, what, value }: Resumption, packet: AnswerPacket | undefined, step: number, at: number): void {
    const line = asker === undefined ? this.#outside() : this.#lineOf(asker);
    const base = { at, step, line, sends: [], lost: [], cell: asker };
    const message = packet === undefined ? undefined : this.#sent.get(packet);
    if (message !== undefined) this.#begin({ ...base, kind: "deliver", message });
    else this.#begin({ ...base, kind: "note", text: `${what}: ${answerText(value)}` });
  }

  fault(
    fault: { kind: RunStepKind; line: string; text: string; groups?: readonly (readonly string[])[] },
    step: number,
    at: number,
  ): void {
    const { kind, line, text, groups } = fault;
    const named = text === "" ? {} : { text };
    this.#begin({
      at,
      step,
      line,
      kind,
      ...named,
      ...(groups === undefined ? {} : { groups }),
      sends: [],
      lost: [],
      cell: undefined,
    });
    if (kind === "crash") this.#states.clear();
  }

  /** Writes something beside the step that is being recorded, or that was last. */
  note(text: string): void {
    const open = this.#open;
    const step = open ?? this.#steps.at(-1);
    if (step === undefined) return;
    const both = step.text === undefined ? text : `${step.text}; ${text}`;
    if (open !== undefined) open.text = both;
    else this.#steps[this.#steps.length - 1] = { ...step, text: both };
  }

  sentAway(packet: Packet | AnswerPacket): void {
    const text =
      packet instanceof AnswerPacket
        ? `answer ${answerText(packet.value)} to ${packet.text}`
        : this.#show.message(packet.name, packet.payload);
    this.#remember(packet, this.#receiverOf(packet), packet.fromCell, text);
  }

  sentHere(cell: Cell, envelope: Envelope, from: Cell | undefined, isTimer: boolean): void {
    if (this.#sent.has(envelope)) return;
    if (isTimer && envelope.sender === cell.self) this.#timers.add(envelope);
    else this.#remember(envelope, this.#lineOf(cell), from, this.#show.message(envelope.name, envelope.payload));
  }

  copied(packet: Packet | AnswerPacket, copy: Packet | AnswerPacket): void {
    const sent = this.#sent.get(packet);
    // A second answer is the same packet once more, and whichever comes first is the answer.
    if (sent === undefined || copy === packet) return;
    this.#sent.set(copy, sent);
    this.#copies.add(copy);
  }

  lost(packet: Packet | AnswerPacket, reason: string): void {
    const sent = this.#sent.get(packet);
    if (sent === undefined) return;
    const lost = { ...sent, to: this.#receiverOf(packet), reason };
    const open = this.#open ?? this.#lastStep();
    open?.lost.push(lost);
  }

  /** The step is over: its actor's state is as it left it. */
  ended(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { cell, sends, lost, ...rest } = open;
    this.#steps.push({
      ...rest,
      ...(sends.length === 0 ? {} : { sends }),
      ...(lost.length === 0 ? {} : { lost }),
      ...this.#stateOf(cell, rest.line),
    });
    if (this.#steps.length > stepsMax) this.#steps.splice(0, this.#steps.length - stepsMax);
  }

  #begin(open: OpenStep): void {
    this.ended();
    this.#open = open;
    if (open.line === outsideLine) this.#outside();
  }

  /** What gets lost between two steps is shown with the one before. */
  #lastStep(): { lost: LostMessage[] } | undefined {
    const last = this.#steps.at(-1);
    if (last === undefined) return undefined;
    const lost = [...(last.lost ?? [])];
    this.#steps[this.#steps.length - 1] = { ...last, lost };
    return { lost };
  }

  #remember(message: object, to: string, from: Cell | undefined, text: string): void {
    const open = this.#open;
    const id = ++this.#messages;
    const line = from === undefined ? (open?.line ?? this.#outside()) : this.#lineOf(from);
    this.#sent.set(message, { id, from: line, sentAt: open?.at ?? 0, sentStep: open?.step ?? 0, text });
    open?.sends.push({ id, to, text });
  }

  #messageOf(envelope: Envelope, at: number, step: number, text: string): RunMessage {
    const sent = this.#sent.get(envelope) ?? {
      id: ++this.#messages,
      from: this.#outside(),
      sentAt: at,
      sentStep: step,
      text,
    };
    return this.#copies.has(envelope) ? { ...sent, duplicate: "the network made a second one" } : sent;
  }

  #receiverOf(packet: Packet | AnswerPacket): string {
    if (packet instanceof AnswerPacket)
      return packet.asker === undefined ? this.#outside() : this.#lineOf(packet.asker);
    const { cell } = packet.to;
    return cell === undefined ? this.#line(packet.to.label, packet.target.name) : this.#lineOf(cell);
  }

  #stateOf(cell: Cell | undefined, line: string): { readonly state?: string } {
    if (cell === undefined) return {};
    const state = cell.state === undefined ? "" : this.#show.state(cell.state, cell.self);
    if (state === "" || this.#states.get(line) === state) return {};
    this.#states.set(line, state);
    return { state };
  }

  /** An actor's line: residents have labels of their own, others are told apart by their machines. */
  #lineOf(cell: Cell): string {
    const { machine } = cell.node as ExploredNode;
    const isResident = machine.residents.some(({ reference }) => reference === cell.self);
    return this.#line(isResident ? cell.label : `${machine.name}/${cell.label}`, machine.name);
  }

  #line(id: string, machine: string): string {
    if (!this.#lines.has(id)) this.#lines.set(id, { id, machine });
    return id;
  }

  #outside(): string {
    if (!this.#lines.has(outsideLine)) this.#lines.set(outsideLine, { id: outsideLine });
    return outsideLine;
  }
}

function answerText(value: unknown): string {
  return value instanceof Error ? value.message : shortText(value);
}

function endText(cell: Cell): string {
  const ended = cell.extras?.ends?.[0];
  return ended === undefined
    ? ""
    : `${ended.actor instanceof Reference ? ended.actor.label : "an actor"} ended: ${ended.reason}`;
}
