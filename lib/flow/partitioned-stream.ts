import type { Many, ObjectIn, Operator, OperatorDefinition } from "../core/contracts/operator.ts";
import type { OutputSink } from "../core/contracts/sink.ts";
import type { EdgeFunction } from "../core/program.ts";
import type { Sink } from "./flow-builder.ts";
import { filtering, flatMapping, mapping, tapping } from "./functions.ts";
import type { StreamNode } from "./graph.ts";
import { nodeOf, operatorNode, sinkNode, type Input, type InputParts } from "./make-step.ts";
import type { QStream } from "./qstream.ts";
import type { ApplyOptions, FunctionContext, StepOptions } from "./stream-types.ts";

type MakeStream = <U>(node: StreamNode) => QStream<U>;

/** A stream whose partition function is chosen. Functions that are put on it run in the consuming channel. */
export class PartitionedStream<out T> implements Input<T> {
  declare readonly objectType?: T | undefined;
  /** @internal */
  readonly [nodeOf]: InputParts;

  readonly #stream: MakeStream;

  /** @internal `stream` makes the stream of a step: handed in, since streams make partitioned ones. */
  constructor(parts: InputParts, stream: MakeStream) {
    this[nodeOf] = parts;
    this.#stream = stream;
  }

  /** Adds an operator of one input, `in`, behind the partition function. */
  apply<Out, State = unknown>(
    id: string,
    operator: (() => Operator<{ in: T }, Out, State>) | OperatorDefinition<{ in: T }, Out, State>,
    options: ApplyOptions<"in"> = {},
  ): QStream<Out> {
    const { graph } = this[nodeOf];
    const step = operatorNode(graph, id, { in: this }, operator, options);
    return this.#stream<Out>({ step, port: "out", functions: undefined });
  }

  /** Adds a sink behind the partition function. */
  to<Result>(sink: OutputSink<T, Result>, options: StepOptions = {}): Sink<Result> {
    return sinkNode(this[nodeOf].graph, this, sink, options);
  }

  /** Makes one object of each, in the consumer. */
  map<U>(id: string, f: (object: T, ctx: FunctionContext) => U): PartitionedStream<U> {
    return this.#with(id, "map", mapping(id, f as never));
  }

  /** Keeps the objects for which `f` answers true, in the consumer. */
  filter(id: string, f: (object: T, ctx: FunctionContext) => unknown): PartitionedStream<T> {
    return this.#with(id, "filter", filtering(id, f as never));
  }

  /** Makes any number of objects of each, in the consumer. */
  flatMap<I extends Many<unknown>>(
    id: string,
    f: (object: T, ctx: FunctionContext) => I,
  ): PartitionedStream<ObjectIn<I>> {
    return this.#with(id, "flatMap", flatMapping(id, f as never));
  }

  /** Looks at each object in the consumer, and passes it on. */
  tap(id: string, f: (object: T, ctx: FunctionContext) => void): PartitionedStream<T> {
    return this.#with(id, "tap", tapping(id, f as never));
  }

  #with<U>(id: string, kind: string, apply: EdgeFunction["apply"]): PartitionedStream<U> {
    const parts = this[nodeOf];
    const { after } = parts;
    parts.graph.claim(id);
    const step: EdgeFunction = { id, kind, apply, previous: after.at(-1) };
    return new PartitionedStream<U>({ ...parts, after: [...after, step] }, this.#stream);
  }
}
