import type { ExecutionMetrics } from "../../actors/scheduler/execution-events.ts";
import type { KeptMeasures } from "../core/contracts/coordination.ts";
import type { StepBytes } from "../placement/index.ts";

/** What the steps of a flow took and sent. */
export type StepMeasures = readonly (readonly [step: string, bytes: StepBytes])[];

export interface MeasuresParts {
  /** Keeps what was measured for heads after this one; undefined while none leads here. */
  readonly keep: (flow: string, text: string) => Promise<void> | undefined;
  /** Flows of which measures are remembered. Default 256. */
  readonly flowsMax?: number;
  /** Characters that those of one may have. Default 64 KiB: some thousand steps. */
  readonly textMax?: number;
}

const flowsMaxDefault = 256;
const textMaxDefault = 64 * 2 ** 10;

/** What flows had to carry when they were last done, by which their channels are placed the next time. */
export class Measures {
  readonly #parts: MeasuresParts;
  /** The flow that was done last is the last. */
  readonly #texts = new Map<string, string>();

  constructor(parts: MeasuresParts) {
    this.#parts = parts;
  }

  /** Takes over what the head before this one knew, the oldest first. */
  restore(kept: readonly KeptMeasures[]): void {
    this.#texts.clear();
    for (const { flow, measures } of kept) this.#remember(flow, measures);
  }

  of(flow: string): StepMeasures | undefined {
    const text = this.#texts.get(flow);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as StepMeasures;
    } catch {
      return undefined;
    }
  }

  /** A flow is done. */
  learn(flow: string, metrics: ExecutionMetrics | undefined): void {
    // What another driver had begun wasn't measured as a whole.
    if (metrics === undefined || metrics.resumed === true) return;
    const measures: StepMeasures = metrics.steps.map(({ step, metrics: { bytesIn, bytesOut } }) => [
      step,
      { bytesIn, bytesOut },
    ]);
    const text = JSON.stringify(measures);
    if (!this.#remember(flow, text)) return;
    // Without them the next head begins with an even deal.
    this.#parts.keep(flow, text)?.catch(() => {});
  }

  #remember(flow: string, text: string): boolean {
    const { flowsMax = flowsMaxDefault, textMax = textMaxDefault } = this.#parts;
    if (text.length > textMax) return false;
    this.#texts.delete(flow);
    this.#texts.set(flow, text);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= flowsMax) break;
      this.#texts.delete(oldest);
    }
    return true;
  }
}
