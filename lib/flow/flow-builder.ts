import { fromActor, type FromActorOptions } from "../../readers/from-actor.ts";
import type { ActorReference } from "../core/contracts/actor.ts";
import type { LoopOperator } from "../core/contracts/loop.ts";
import type { NamesGiving, ObjectsGiven } from "../core/contracts/message-names.ts";
import type { Operator, OperatorDefinition } from "../core/contracts/operator.ts";
import type { Reader, SidedReader } from "../core/contracts/reader.ts";
import { QStreamError } from "../core/errors.ts";
import type { Graph, StepNode } from "./graph.ts";
import type { OptionsOfLoop } from "./loop-options.ts";
import { loopStep } from "./loop-step.ts";
import { makeStep, type nodeOf, operatorNode, type Input } from "./make-step.ts";
import { QStream } from "./qstream.ts";
import { besideActors, partOptions } from "./step-options.ts";
import type { ApplyOptions, StepOptions } from "./stream-types.ts";

/** The handle of a sink: the builder returns it under the name of an output. */
export interface Sink<out Result> {
  /** @internal */
  readonly [nodeOf]: StepNode;
  /** Never present: carries the type of the output. */
  readonly result?: Result | undefined;
}

/** A stream with side outputs. */
export interface Sided<Sides extends Record<string, unknown>> {
  readonly sides: { readonly [K in keyof Sides]: QStream<Sides[K]> };
}

/** What a flow is built with: readers and operators become streams. */
export class FlowBuilder {
  readonly #graph: Graph;

  /** @internal */
  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Adds a reader that has side outputs, bad rows for example. */
  read<T, Sides extends Record<string, unknown>>(
    id: string,
    reader: SidedReader<T, Sides>,
    options?: StepOptions,
  ): QStream<T> & Sided<Sides>;
  /**
   * Adds a reader.
   *
   * @param id - unique in the flow; metrics, errors and recovery go by it
   * @param options - channels and placement, where one channel a slot doesn't fit
   */
  read<T>(id: string, reader: Reader<T>, options?: StepOptions): QStream<T>;
  read(id: string, reader: Reader<unknown>, options: StepOptions = {}): QStream<unknown> {
    if (typeof reader?.read !== "function" || typeof reader.splits !== "function") {
      throw new QStreamError("OPTION_INVALID", `q.read("${id}") got no reader`, {
        step: id,
        advice: "A reader has splits and read: use one of ours, or reader({ splits, read })",
      });
    }
    const parallelism = reader.locate !== undefined ? "with-data" : (reader.parallelism ?? "per-slot");
    const step = makeStep(this.#graph, {
      id,
      what: reader.kind,
      code: { kind: "reader", reader },
      options: reader.options,
      parallelism,
      inputs: [],
      step: options,
    });
    const stream = new QStream<unknown>(this.#graph, { step, port: "out", functions: undefined });
    if (!("sides" in reader)) return stream;
    const sides: Record<string, QStream<unknown>> = {};
    for (const port of Object.keys(reader.sides as object)) {
      sides[port] = new QStream<unknown>(this.#graph, { step, port, functions: undefined });
    }
    return Object.defineProperty(stream, "sides", { value: sides, enumerable: true });
  }

  /**
   * Adds a reader of what actors give when they are asked: it asks when the flow wants more, and not before.
   *
   * @param actors - a reference, or several, each asked by a channel of its own unless `channels` says how many there are; passed to
   * the flow as an argument
   * @param name - of the message: its payload is how many objects there may be, its answer an array of them, and `undefined` at the end
   * @throws QStreamError OPTION_INVALID
   * @example
   * const orders = q.fromActor("orders", args.shop, "next");
   */
  fromActor<P, Name extends NamesGiving<P>>(
    id: string,
    actors: ActorReference<P> | readonly ActorReference<P>[],
    name: Name,
    options: FromActorOptions & StepOptions = {},
  ): QStream<ObjectsGiven<P, Name>> {
    const { own, step } = partOptions<FromActorOptions & StepOptions>("fromActor", options);
    const reader = fromActor(actors, name, own);
    const channels = step.channels ?? (Array.isArray(actors) && actors.length > 1 ? actors.length : undefined);
    const placed = channels === undefined ? step : besideActors(reader.parallelism, { ...step, channels });
    return this.read(id, reader, placed);
  }

  /**
   * Adds an operator with named inputs.
   *
   * @param inputs - a stream for each input of the operator, with or without a partition function
   * @param operator - a factory, called once for each channel, or a definition
   * @example
   * q.apply("join", { left: orders.partition(hash("id")), right: users.partition(hash("id")) }, () => new MyJoin());
   */
  apply<Inputs, Out, State = unknown>(
    id: string,
    inputs: { readonly [K in keyof Inputs]: Input<Inputs[K]> },
    operator: (() => Operator<Inputs, Out, State>) | OperatorDefinition<Inputs, Out, State>,
    options?: ApplyOptions<NoInfer<keyof Inputs>>,
  ): QStream<Out> {
    const step = operatorNode(this.#graph, id, inputs, operator, options ?? {});
    return new QStream<Out>(this.#graph, { step, port: "out", functions: undefined });
  }

  /**
   * Adds a loop: an operator whose output returns as its own input `feedback`. In rounds, all of which was fed back in one round
   * is taken in the next; state stays in the channels. With `rounds: false`, what is fed back is taken as it comes, and the loop
   * ends once nothing is on its way any more.
   *
   * @param inputs - a stream for each input of the operator but `feedback`; taken in round 0
   * @param operator - a factory, called once for each channel
   * @param options - the feedback edge, which an operator without an input `feedback` needn't have; and what ends the loop
   * @throws QStreamError OPTION_INVALID, INPUT_UNKNOWN
   * @example
   * q.iterate("labels", { edges: edges.partition(hash("from")) }, () => new Labels(), { feedback: hash("to") });
   */
  iterate<All extends object, Out, Fed, Vote = unknown, State = unknown>(
    id: string,
    inputs: { readonly [K in keyof All as Exclude<K, "feedback">]: Input<All[K]> },
    operator: () => LoopOperator<All, Out, Fed, Vote, State>,
    options: OptionsOfLoop<NoInfer<All>, NoInfer<Fed>, NoInfer<Vote>>,
  ): QStream<Out> {
    const step = loopStep(this.#graph, id, inputs, operator, options as never);
    return new QStream<Out>(this.#graph, { step, port: "out", functions: undefined });
  }
}
