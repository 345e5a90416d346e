import type { ChannelNotes } from "../../../actors/slot/turn-notes.ts";
import type { Program, StepCode } from "../../core/program.ts";
import type { HangingNotesOptions } from "./hanging-notes.ts";
import type { WaitingCode } from "./waiting-code.ts";

/** The operator of one channel. */
export interface LiveOperator<Operator> {
  readonly channel: number;
  readonly operator: Operator;
}

/** The operators of a simulated run, to be looked at and not changed. */
export interface LiveOperators {
  /** Virtual milliseconds since the run's start. */
  readonly nowMs: number;
  /** Tasks that have begun. */
  readonly tasks: number;
  /**
   * The operators of a step: one for each channel, that of its newest life. A channel that was lost keeps the one that it had until
   * another life takes its place.
   */
  of: <Operator>(step: string) => readonly LiveOperator<Operator>[];
}

/** Knows the operators that a simulated world has, and by which life of which channel. */
export class OperatorsOfWorld implements LiveOperators {
  tasks = 0;
  readonly #now: () => number;
  readonly #waiting: WaitingCode;
  readonly #operators = new Map<string, { readonly notes: ChannelNotes; readonly operator: unknown }>();

  constructor(now: () => number, waiting: WaitingCode) {
    this.#now = now;
    this.#waiting = waiting;
  }

  get nowMs(): number {
    return this.#now();
  }

  of<Operator>(step: string): readonly LiveOperator<Operator>[] {
    const found: LiveOperator<Operator>[] = [];
    for (const [key, { notes, operator }] of this.#operators) {
      const known = this.#waiting.channelOf(notes.execution, notes.life);
      if (known === undefined) this.#operators.delete(key);
      else if (known.step === step) found.push({ channel: known.channel, operator: operator as Operator });
    }
    return found.sort((one, other) => one.channel - other.channel);
  }

  /**
   * The program of a slot, whose operators are known from then on.
   *
   * @param present - what of the slot's channels runs now
   */
  watching(program: Program, present: () => ChannelNotes | undefined): Program {
    return { ...program, steps: program.steps.map((step) => this.#watching(step, present)) };
  }

  #watching(step: StepCode, present: () => ChannelNotes | undefined): StepCode {
    if (step.kind !== "operator") return step;
    const create: typeof step.create = () => {
      const operator = step.create();
      const notes = present();
      if (notes !== undefined) this.#operators.set(`${notes.execution} ${notes.life}`, { notes, operator });
      return operator;
    };
    return { ...step, create };
  }
}

/** The operators of a world, and who is told when they may have changed. */
export interface WatchedOperators {
  readonly of: OperatorsOfWorld;
  /** @param isTask - a task begins; else a channel's turn is over */
  readonly changed: (isTask: boolean) => void;
}

/** What a slot does when a task of one of its channels begins, and when a turn is over. */
export function taskHooks(
  work: (() => void) | undefined,
  operators: WatchedOperators | undefined,
): Pick<HangingNotesOptions, "onTask" | "onRest"> {
  if (operators === undefined) return work === undefined ? {} : { onTask: work };
  const onTask = (): void => {
    work?.();
    operators.changed(true);
  };
  return { onTask, onRest: () => operators.changed(false) };
}
