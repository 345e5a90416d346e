import type {
  Campaign,
  Coordination,
  KeptCluster,
  KeptExecution,
  SubmittedExecution,
} from "../../lib/core/contracts/coordination.ts";
import { bundleGone, headDeposed } from "./cluster-errors.ts";
import type { RedisArgument, RedisReply } from "./redis-connection.ts";
import {
  bundlePieceScript,
  campaignScript,
  cancelScript,
  driverScript,
  endScript,
  executionScript,
  loadScript,
  machineGoneScript,
  machineScript,
  measuresScript,
  readBundleScript,
  renewScript,
  resignScript,
  resumeScript,
  submitScript,
  tidiedScript,
} from "./cluster-scripts.ts";
import { bufferOf, bytesOf, listOf, numberOf, textOf } from "./redis-replies.ts";
import type { RedisScript } from "./redis-scripts.ts";
import { RedisSteps, type RedisStoreOptions } from "./redis-steps.ts";

// A bundle travels in pieces, so that nobody's commit waits for all of it.
const pieceBytes = 1 << 20;
// Of all bundles that are kept; beyond, those go that nothing runs of.
const piecesMax = 512;
const endedMax = 100;
const measuredMax = 256;
const endBytesMax = 256 << 20;
const bundleKeptMs = 600_000;

/**
 * What a cluster keeps in Redis so that any head can go on with it: who leads, machines, bundles and executions. Writes are those
 * of the head that leads: each carries its epoch, which is checked in the same step.
 */
export class ClusterState implements Coordination {
  readonly #steps: RedisSteps;
  readonly #head: string;
  #epoch = 0;

  private constructor(steps: RedisSteps, head: string) {
    this.#steps = steps;
    this.#head = head;
  }

  /**
   * @param head - a name that no other head, and no other life of this one, has
   * @throws QStreamError OPTION_INVALID, STORE_UNAVAILABLE, STORE_REFUSED
   */
  static async open(url: string, head: string, options: RedisStoreOptions = {}): Promise<ClusterState> {
    return new ClusterState(await RedisSteps.open(url, options), head);
  }

  close(): void {
    this.#steps.close();
  }

  /** Leads from now on, unless another head does. */
  async campaign(url: string, leaseMs: number, above = 0): Promise<Campaign> {
    const [state, answer] = await this.#run(campaignScript, [this.#head, url, String(leaseMs), String(above)]);
    if (state !== "leads") return { leads: false, leader: textOf(answer) };
    this.#epoch = numberOf(answer);
    return { leads: true, epoch: this.#epoch };
  }

  /** Goes on leading, with these machines. @throws QStreamError HEAD_DEPOSED */
  async renew(leaseMs: number, machines: readonly string[]): Promise<void> {
    await this.#led(renewScript, [String(leaseMs), ...machines]);
  }

  async resign(): Promise<void> {
    await this.#led(resignScript, []);
  }

  async machine(leaseMs: number, id: string, description: string): Promise<void> {
    await this.#led(machineScript, [String(leaseMs), id, description]);
  }

  async machineGone(id: string): Promise<void> {
    await this.#led(machineGoneScript, [id]);
  }

  async putBundle(hash: string, bytes: Uint8Array): Promise<void> {
    const pieces = Math.max(1, Math.ceil(bytes.byteLength / pieceBytes));
    for (let piece = 0; piece < pieces; piece++) {
      const part = bufferOf(bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes));
      // oxlint-disable-next-line no-await-in-loop -- the last piece makes it whole
      await this.#led(bundlePieceScript, [hash, String(piece), part, String(pieces), String(piecesMax)]);
    }
  }

  /** The bytes of a bundle, or undefined where it isn't here. */
  async bundle(hash: string): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (let piece = 0; ; piece++) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      const [, pieces, bytes] = await this.#run(readBundleScript, [hash, String(piece)]);
      if (pieces === null || bytes === null) return undefined;
      parts.push(bytesOf(bytes));
      if (parts.length === numberOf(pieces)) return Buffer.concat(parts);
    }
  }

  /** @throws QStreamError FLOW_NOT_FOUND where its bundle isn't here (any more), HEAD_DEPOSED */
  async submit(one: SubmittedExecution): Promise<void> {
    if ((await this.#led(submitScript, argumentsOf(one))) === "no-code") throw bundleGone();
  }

  /** One that has ended runs again. False where it runs. @throws QStreamError FLOW_NOT_FOUND, HEAD_DEPOSED */
  async resume(one: SubmittedExecution, driver: number): Promise<boolean> {
    const state = await this.#led(resumeScript, [...argumentsOf(one), String(driver)]);
    if (state === "no-code") throw bundleGone();
    return state === "ok";
  }

  /** A driver goes on with an execution, or is about to begin with its channels. False where it has ended. */
  async driver(execution: string, number: number, begins = false): Promise<boolean> {
    return (await this.#led(driverScript, [execution, String(number), begins ? "begins" : ""])) === "ok";
  }

  async cancel(execution: string, reason: string): Promise<void> {
    await this.#led(cancelScript, [execution, reason]);
  }

  /** An execution has ended. False where it had ended already, or another driver goes on with it. */
  async end(execution: string, driver: number, status: string, end: Uint8Array, endedAt: number): Promise<boolean> {
    const args = [execution, String(driver), status, bufferOf(end), String(endedAt)];
    const kept = [String(endedMax), String(endBytesMax), String(bundleKeptMs)];
    return (await this.#led(endScript, [...args, ...kept])) === "ok";
  }

  async keepMeasures(flow: string, measures: string): Promise<void> {
    await this.#led(measuresScript, [flow, measures, String(measuredMax)]);
  }

  /** The lineage of an execution that has ended is as it is to stay. */
  async tidied(execution: string): Promise<void> {
    await this.#led(tidiedScript, [execution]);
  }

  /** What a head that leads from now on takes over. Of machines, those whose lease ended before `graceMs` aren't. */
  async load(graceMs: number): Promise<KeptCluster> {
    const [, machines, executions, leftovers, measures] = await this.#run(loadScript, [String(graceMs)]);
    const texts = (reply: RedisReply | undefined): string[] =>
      listOf(reply)
        .map((one) => textOf(one))
        .filter((text) => text !== "");
    return {
      machines: texts(machines),
      executions: texts(executions),
      leftovers: texts(leftovers),
      measures: listOf(measures).map((one) => {
        const [flow, kept] = listOf(one);
        return { flow: textOf(flow), measures: textOf(kept) };
      }),
    };
  }

  async execution(execution: string): Promise<KeptExecution | undefined> {
    const [, kept] = await this.#run(executionScript, [execution]);
    const [status, flow, submittedAt, bundle, submission, cancel, end, driver, begun] = listOf(kept);
    if (textOf(status) === "") return undefined;
    return {
      execution,
      status: textOf(status),
      flow: textOf(flow),
      submittedAt: numberOf(submittedAt),
      bundle: textOf(bundle),
      submission: bytesOf(submission),
      cancel: cancel === null ? undefined : textOf(cancel),
      end: bytesOf(end),
      driver: numberOf(driver),
      begun: begun !== null && begun !== undefined,
    };
  }

  /** A step of a head that leads. */
  async #led(script: RedisScript, args: readonly RedisArgument[]): Promise<string> {
    const [state] = await this.#run(script, [this.#head, String(this.#epoch), ...args]);
    if (state === "deposed") throw headDeposed();
    return textOf(state);
  }

  #run(script: RedisScript, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    return this.#steps.run(script, "cluster", args);
  }
}

function argumentsOf({ execution, bundle, flow, submission, submittedAt }: SubmittedExecution): RedisArgument[] {
  return [execution, bundle, flow, bufferOf(submission), String(submittedAt)];
}
