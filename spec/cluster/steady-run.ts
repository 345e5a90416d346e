import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { ClusterSession, Execution, ExecutionEvent } from "../../lib/index.ts";
import { multiset } from "../../lib/testing/multiset.ts";
import { steadySums } from "./matrix-flows.ts";

type Outputs = Awaited<ReturnType<typeof steadySums.run>>;
let runs = 0;
let expected: Promise<unknown> | undefined;

/** An execution with a steady load, which ends when it is told to. */
export class SteadyRun {
  readonly execution: Execution<Outputs>;
  readonly events: ExecutionEvent[];
  readonly out: string;
  readonly #folder: string;
  readonly #gate: string;

  private constructor(execution: Execution<Outputs>, events: ExecutionEvent[], { folder, gate, out }: Places) {
    this.execution = execution;
    this.events = events;
    this.out = out;
    this.#folder = folder;
    this.#gate = gate;
    // Who is told that it failed asks later.
    execution.outputs.catch(() => {});
  }

  /** @param folder - for its files */
  static async start(session: ClusterSession, folder: string): Promise<SteadyRun> {
    const places = placesIn(folder);
    const events: ExecutionEvent[] = [];
    const onEvent = (event: ExecutionEvent): void => void events.push(event);
    const { gate, out } = places;
    return new SteadyRun(await steadySums.start({ gate, out }, { on: session, onEvent }), events, places);
  }

  /** Starts one, and waits until it has read something. */
  static async begin(session: ClusterSession, folder: string): Promise<SteadyRun> {
    const begun = await SteadyRun.start(session, folder);
    await begun.reads();
    return begun;
  }

  /** Goes on with it, once it has failed. */
  async resume(session: ClusterSession): Promise<SteadyRun> {
    const [events, folder, gate, out] = [[] as ExecutionEvent[], this.#folder, this.#gate, this.out];
    const onEvent = (event: ExecutionEvent): void => void events.push(event);
    const execution = await steadySums.resume(this.execution.id, { on: session, onEvent });
    return new SteadyRun(execution, events, { folder, gate, out });
  }

  /** Waits until it has read so many rows. */
  async reads(rows = 1): Promise<void> {
    for await (const event of this.execution.events()) {
      if ("metrics" in event && event.metrics.rowsRead >= rows) return;
    }
    await this.execution.outputs;
  }

  get rowsRead(): number {
    return this.execution.metrics?.rowsRead ?? 0;
  }

  count(kind: ExecutionEvent["kind"]): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  /** Kinds of all events but those that come anyway, for messages. */
  get kinds(): string {
    return this.events
      .map(({ kind }) => kind)
      .filter((kind) => kind !== "progress")
      .join();
  }

  /** What is left comes at once. */
  hurry(): void {
    writeFileSync(this.#gate, "");
  }

  /** Has it end, and compares what it gives with what one thread gives. */
  async endsRight(): Promise<void> {
    this.hurry();
    await this.isRight(await this.execution.outputs);
  }

  /** Compares what it gave with what one thread gives. */
  async isRight(outputs: Outputs): Promise<void> {
    assert.equal(resultOf(outputs, this.out), await (expected ??= aloneIn(this.#folder)), this.kinds);
  }
}

interface Places {
  readonly folder: string;
  readonly gate: string;
  readonly out: string;
}

function placesIn(folder: string): Places {
  const own = join(folder, `run-${runs++}`);
  mkdirSync(own);
  return { folder, gate: join(own, "gate"), out: join(own, "out") };
}

async function aloneIn(folder: string): Promise<unknown> {
  const places = placesIn(folder);
  const { gate, out } = places;
  writeFileSync(gate, "");
  return resultOf(await steadySums.run({ gate, out }, { isolation: "none" }), out);
}

function resultOf({ sums, some }: Outputs, out: string): unknown {
  const lines = readdirSync(out)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) => readFileSync(join(out, name), "utf8").split("\n"))
    .filter((line) => line !== "");
  return {
    sums: multiset(sums),
    some: some.toSorted((left, right) => left - right),
    lines: lines.map(Number).toSorted((left, right) => left - right),
  };
}
