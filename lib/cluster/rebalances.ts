import type { ChannelMove } from "../../actors/scheduler/execution-events.ts";
import { errorToData, QStreamError, type ErrorData } from "../core/errors.ts";
import type { RebalancedExecution, ToDriver } from "./protocol.ts";

/** A driver, as far as it is asked to move channels. */
export interface Askable {
  readonly execution: string;
  readonly driver: { readonly tell: (message: ToDriver) => void } | undefined;
}

/** Requests to move channels that drivers have yet to answer. */
export class Rebalances {
  readonly #waiting = new Map<string, Set<(answer: RebalancedExecution) => void>>();

  /** Fulfilled once each of these executions has said what moves, or has ended. */
  ask(executions: readonly Askable[]): Promise<readonly RebalancedExecution[]> {
    return Promise.all(
      executions.map(async ({ execution, driver }) => {
        const answer = new Promise<RebalancedExecution>((resolve) => {
          const waiting = this.#waiting.get(execution) ?? new Set();
          this.#waiting.set(execution, waiting.add(resolve));
        });
        if (driver === undefined) this.gone(execution);
        driver?.tell({ kind: "rebalance" });
        return answer;
      }),
    );
  }

  answered(execution: string, moves: readonly ChannelMove[], error: ErrorData | undefined): void {
    const answer = { execution, moves, ...(error === undefined ? {} : { error }) };
    for (const resolve of this.#waiting.get(execution) ?? []) resolve(answer);
    this.#waiting.delete(execution);
  }

  /** The driver of an execution ended: nobody answers. */
  gone(execution: string): void {
    const error = new QStreamError("EXECUTION_UNKNOWN", `execution ${execution} has no driver at the moment`);
    this.answered(execution, [], errorToData(error));
  }

  /** Another head leads. */
  clear(): void {
    for (const execution of this.#waiting.keys()) this.gone(execution);
  }
}
