import { findHead } from "../../../cluster/find-head.ts";
import { decodeOutputs } from "../../../cluster/outputs.ts";
import type { FromClient, Submission, ToClient } from "../../../cluster/protocol.ts";
import { errorFromData, QStreamError } from "../../../core/errors.ts";
import { delay } from "../../../core/seam/clock.ts";
import type { Flow } from "../../../flow/define-flow.ts";
import type { Execution } from "../../../flow/execution.ts";
import type { FlowSession, SessionStart } from "../../../flow/session.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

export interface SimulatedUserOptions {
  readonly process: SimulatedProcess;
  /** URLs of heads. */
  readonly heads: readonly string[];
  readonly submission: Submission;
  readonly leaseMs: number;
  /** Hears what happens. */
  readonly onEvent?: (kind: string) => void;
}

const againMs = 50;
const patienceLeases = 20;

/** A program that submits a flow to a simulated cluster, and looks for the head that leads when its connection breaks. */
export class SimulatedUser {
  readonly #options: SimulatedUserOptions;
  readonly #never = new AbortController();
  /** Its execution, once a head has said that it is kept. */
  execution: string | undefined;
  /** How often it had to look for another head. */
  visits = 0;

  constructor(options: SimulatedUserOptions) {
    this.#options = options;
  }

  /** Fulfilled with the outputs. @throws the error of the execution */
  async run(): Promise<Record<string, unknown>> {
    const { process } = this.#options;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      const end = await this.#visit();
      if (end?.kind === "done") return decodeOutputs(end.outputs);
      if (end?.kind === "failed") throw errorFromData(end.error);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(process.clock, againMs);
    }
  }

  /** The end of the execution, or nothing where the connection broke before. */
  async #visit(): Promise<Extract<ToClient, { kind: "done" | "failed" }> | undefined> {
    const { process, heads, submission, leaseMs } = this.#options;
    this.visits++;
    let settle: (end: Extract<ToClient, { kind: "done" | "failed" }> | undefined) => void = () => {};
    let fail: (error: Error) => void = () => {};
    const settled = new Promise<Extract<ToClient, { kind: "done" | "failed" }> | undefined>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    const { talk } = await findHead({
      sockets: process.sockets,
      heads: heads.map((url) => new URL(url)),
      security: { token: undefined, tls: undefined },
      leaseMs,
      patienceMs: patienceLeases * leaseMs,
      signal: this.#never.signal,
      told: (message) => {
        if (message.kind === "submitted") this.execution = message.execution;
        else if (message.kind === "event") this.#options.onEvent?.(message.event.kind);
        else if (message.kind === "refused") this.#refused(errorFromData(message.error), fail, () => settle(undefined));
        else if (message.kind === "done" || message.kind === "failed") {
          if (message.execution === this.execution) settle(message);
        }
      },
      ended: () => settle(undefined),
    });
    const { execution } = this;
    const request: FromClient =
      execution === undefined ? { kind: "submit", submission } : { kind: "follow", execution };
    talk.tell(request);
    const end = await settled;
    if (end?.kind === "done" && end.held) talk.tell({ kind: "taken", execution: end.execution });
    talk.close();
    return end;
  }

  /** A head that is deposed, or can't reach Redis, may be another one soon; one that has forgotten what it kept mustn't be. */
  #refused(error: Error, fail: (error: Error) => void, again: () => void): void {
    const code = error instanceof QStreamError ? error.code : undefined;
    if (code === "HEAD_DEPOSED" || code === "STORE_UNAVAILABLE") again();
    else fail(error);
  }
}

/** What a session would be asked to start. */
export async function startOf<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
): Promise<SessionStart> {
  const asked: { start?: SessionStart } = {};
  const idle: Execution<Record<string, unknown>> = {
    id: "",
    outputs: new Promise(() => {}),
    // oxlint-disable-next-line require-yield -- nothing happens
    async *events() {},
    metrics: undefined,
    cancel: () => {},
  };
  const session: FlowSession = {
    start: async (start) => {
      asked.start = start;
      return idle;
    },
    findStored: () => Promise.reject(new Error("nothing is stored")),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const start = flow.start as (args: Args, options: object) => Promise<unknown>;
  await start(args, { on: session });
  if (asked.start === undefined) throw new Error("the flow wasn't started");
  return asked.start;
}
