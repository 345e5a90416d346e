import type { CheckpointHead } from "../../lib/core/contracts/lineage.ts";
import { errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { LineageAuthority } from "../lineage/lineage-writer.ts";
import type { FromMachine, LineageWord } from "./protocol.ts";

interface Question {
  readonly driver: string;
  readonly resolve: (yes: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** The authority over an execution's lineage where that is another machine's: its driver. */
export class DistantAuthority implements LineageAuthority {
  readonly #driverOf: (execution: string) => string | undefined;
  readonly #tell: (driver: string, message: FromMachine) => void;
  readonly #questions = new Map<number, Question>();
  #next = 0;

  constructor(
    driverOf: (execution: string) => string | undefined,
    tell: (driver: string, message: FromMachine) => void,
  ) {
    this.#driverOf = driverOf;
    this.#tell = tell;
  }

  usable(execution: string, number: number, head: CheckpointHead): boolean | Promise<boolean> {
    // One that holds all of the state stands on none.
    return head.changes === undefined || this.#ask(execution, { kind: "usable", number, head });
  }

  saved(execution: string, number: number, seq: number, head: CheckpointHead): Promise<boolean> {
    return this.#ask(execution, { kind: "saved", number, seq, head });
  }

  damaged(execution: string, number: number, seq: number): void {
    this.#say(execution, { kind: "damaged", number, seq });
  }

  refused(execution: string, number: number, generation: number): void {
    this.#say(execution, { kind: "refused", number, generation });
  }

  failed(execution: string, error: Error): void {
    this.#say(execution, { kind: "failed", error: errorToData(error) });
  }

  answered(question: number, yes: boolean): void {
    this.#questions.get(question)?.resolve(yes);
    this.#questions.delete(question);
  }

  /** A driver is gone, and answers nothing any more. */
  driverGone(driver: string): void {
    for (const [number, question] of this.#questions) {
      if (question.driver !== driver) continue;
      this.#questions.delete(number);
      question.reject(new QStreamError("ABORTED", "the driver of the execution is gone"));
    }
  }

  #ask(execution: string, said: LineageWord): Promise<boolean> {
    const driver = this.#driverOf(execution);
    if (driver === undefined) return Promise.resolve(false);
    const question = this.#next++;
    return new Promise((resolve, reject) => {
      this.#questions.set(question, { driver, resolve, reject });
      this.#tell(driver, { kind: "lineage", execution, question, said });
    });
  }

  #say(execution: string, said: LineageWord): void {
    const driver = this.#driverOf(execution);
    if (driver !== undefined) this.#tell(driver, { kind: "lineage", execution, said });
  }
}
