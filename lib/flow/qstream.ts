import type { Operator, OperatorDefinition } from "../core/contracts/operator.ts";
import { QStreamError } from "../core/errors.ts";
import type { PartitionFunction } from "../core/contracts/partition.ts";
import type { StreamNode } from "./graph.ts";
import { operatorNode } from "./make-step.ts";
import { PartitionedStream } from "./partitioned-stream.ts";
import { StreamSinks } from "./stream-sinks.ts";
import type { ApplyOptions, PassedOver } from "./stream-types.ts";

/**
 * A stream of objects of any kind, while a flow is being built: the handle of a step's output. It is lazy and immutable; any
 * number of steps may take it.
 */
export class QStream<out T> extends StreamSinks<T> {
  // Not in the type, which has side outputs only where the reader has them: for those who have no compiler to say so.
  static {
    Object.defineProperty(this.prototype, "sides", {
      get(this: QStream<unknown>): never {
        throw noSides(this.node.step.id);
      },
    });
  }

  /**
   * Adds an operator of one input, `in`.
   *
   * @param operator - a factory, called once for each channel, or a definition
   * @example
   * stream.apply("total", () => new Total(), { channels: 1 })
   */
  apply<Out, State = unknown>(
    id: string,
    operator: (() => Operator<{ in: T }, Out, State>) | OperatorDefinition<{ in: T }, Out, State>,
    options: ApplyOptions<"in"> = {},
  ): QStream<Out> {
    const step = operatorNode(this.graph, id, { in: this }, operator, options);
    return new QStream<Out>(this.graph, { step, port: "out", functions: undefined });
  }

  /**
   * What the step passed over, since its operator failed on it again and again: for steps with `onFailure: "skip"`.
   *
   * @throws QStreamError INPUT_UNKNOWN for other steps
   */
  get failed(): QStream<PassedOver> {
    const { step } = this.node;
    if (step.skips) return new QStream<PassedOver>(this.graph, { step, port: "failed", functions: undefined });
    throw new QStreamError("INPUT_UNKNOWN", `step "${step.id}" passes nothing over`, {
      step: step.id,
      advice: 'Tell it to: apply(id, operator, { onFailure: "skip" })',
    });
  }

  /** @internal */
  protected override stream<U>(node: StreamNode): QStream<U> {
    return new QStream<U>(this.graph, node);
  }

  /** @internal */
  protected override partitioned(partition: PartitionFunction<never>): PartitionedStream<T> {
    const parts = { graph: this.graph, from: this.node, partition, after: [] };
    return new PartitionedStream<T>(parts, (node) => this.stream(node));
  }
}

function noSides(step: string): QStreamError {
  return new QStreamError("INPUT_UNKNOWN", `step "${step}" has no side outputs`, {
    step,
    advice: 'Bad rows go to sides.bad where the reader is told so: csv(path, { badRows: "side" })',
  });
}
