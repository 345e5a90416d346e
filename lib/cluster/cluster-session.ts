import type { ChannelMove } from "../../actors/scheduler/execution-events.ts";
import { upload } from "../../actors/transport/wire/download.ts";
import type { Security, Tls } from "../../actors/transport/wire/security.ts";
import { codeHash } from "../code/code-hash.ts";
import { machineBundle, type MachineBundle } from "../code/machine-bundle.ts";
import { errorFromData, QStreamError } from "../core/errors.ts";
import { orAborted, reasonOf } from "../flow/aborting.ts";
import type { Execution } from "../flow/execution.ts";
import type { FlowSession, SessionStart } from "../flow/session.ts";
import { decodeStoredFlow, type StoredFlow } from "../flow/stored-flow.ts";
import { securityOf } from "./client-security.ts";
import { ClusterDatasets } from "./cluster-datasets.ts";
import { findHead, type FoundHead } from "./find-head.ts";
import { ActorsEnds } from "./actors-ends.ts";
import { Followed, sessionClosed, type ClusterListing, type FollowedParts, type FollowOptions } from "./followed.ts";
import { headUrl, plainUrl } from "./head-url.ts";
import { decodeOutputs, eventFrom } from "./outputs.ts";
import type { FromClient, RebalancedExecution, ToClient } from "./protocol.ts";

export type { ClusterListing, FollowOptions } from "./followed.ts";

/** Which cluster, and what lets this program in. */
export interface ClusterOptions {
  /** URL of the head: `ws://host:port`, or `wss://` with TLS; of several heads, with commas, the one that leads is found. */
  readonly url: string;
  /** The cluster's token, or the file that it is in. */
  readonly token?: string;
  readonly tokenFile?: string;
  /** Certificates in PEM: who signs that of the head, and where the cluster asks for one, this program's own. */
  readonly tls?: { readonly [K in keyof Tls]?: Tls[K] };
  /** Executions go on when this program ends. Default false: they are cancelled. */
  readonly detach?: boolean;
  /**
   * `none`: executions of this session keep no lineage, which saves its time, and a machine that is lost fails them. Otherwise
   * lineage is in the cluster's store.
   */
  readonly store?: "none";
  /** Milliseconds without a word after which the head is taken for gone. Default 10,000. */
  readonly leaseMs?: number;
}

/** Somebody who waits for the answer to a request. */
interface Waiting {
  readonly answered: (answer: ToClient) => void;
  readonly failed: (error: unknown) => void;
}

/** A connection with the head of a cluster. Close it when it isn't needed any more: `await using`. */
export class ClusterSession implements FlowSession {
  readonly #options: ClusterOptions;
  readonly #heads: readonly URL[];
  readonly #security: Security;
  readonly #ending = new AbortController();
  /** The head that leads; undefined while it is looked for. */
  #head: FoundHead | undefined;
  readonly #executions = new Map<string, Followed>();
  readonly #actors = new ActorsEnds((message) => this.#head?.talk.tell(message));
  readonly #bundles = new Map<string, Promise<MachineBundle>>();
  /** Hashes of those that the cluster has been given. */
  readonly #uploaded = new Set<string>();
  /** Who waits for answers, oldest first: the head answers in order. */
  readonly #waiting: Waiting[] = [];
  readonly #datasets = new ClusterDatasets(this, (datasets) => {
    // Where nobody leads at the moment, they stay until room is needed.
    this.#head?.talk.tellPlainly({ kind: "release-datasets", datasets });
  });
  #closed = false;
  /** Why nothing can be asked while the head is looked for. */
  #broken: QStreamError | undefined;

  private constructor(options: ClusterOptions, heads: readonly URL[], security: Security) {
    this.#options = options;
    this.#heads = heads;
    this.#security = security;
  }

  /** @internal Use `cluster`. */
  static async open(options: ClusterOptions): Promise<ClusterSession> {
    // Who writes JavaScript may have forgotten it.
    if (typeof (options as Partial<ClusterOptions>).url !== "string") {
      throw new QStreamError("OPTION_INVALID", "the option url of a cluster is wanted: where its head listens", {
        advice:
          'For example cluster({ url: "ws://127.0.0.1:7420" }), or the URLs of several heads with commas between them',
      });
    }
    const heads = options.url.split(",").map((url) => headUrl(url.trim()));
    const session = new ClusterSession(options, heads, securityOf(options));
    session.#head = await session.#find(0);
    return session;
  }

  #find(patienceMs: number): Promise<FoundHead> {
    return findHead({
      heads: this.#heads,
      security: this.#security,
      leaseMs: this.#leaseMs,
      patienceMs,
      signal: this.#ending.signal,
      told: (message) => this.#told(message),
      ended: () => this.#ended(),
    });
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? leaseMsDefault;
  }

  /** The machines of the cluster, and its executions. */
  async list(): Promise<ClusterListing> {
    return this.#ask({ kind: "list" }, (answer) =>
      answer.kind === "listed" ? answer : { machines: [], executions: [], refusedConnections: 0 },
    );
  }

  /**
   * Cancels an execution, whoever submitted it. Fulfilled once the head has taken that.
   *
   * @throws QStreamError EXECUTION_UNKNOWN, MACHINE_REFUSED
   */
  async cancel(execution: string, reason = "it was cancelled"): Promise<void> {
    await this.#ask({ kind: "cancel", execution, reason }, () => {});
  }

  /**
   * Lets a machine go: what it runs moves to others, while they go on. Fulfilled when nothing needs it any more.
   *
   * @throws QStreamError MACHINE_UNREACHABLE where there is no such machine, MACHINE_REFUSED
   */
  async drain(machine: string): Promise<void> {
    await this.#ask({ kind: "drain", machine }, () => {});
  }

  /**
   * Moves channels of an execution to slots that have less to do, a machine's that has just joined, say: by checkpoint and replay,
   * while the others go on. Channels stay where they are where moving them would gain little.
   *
   * @returns the channels that go elsewhere; `recovered` is the event for when they are there
   * @throws QStreamError EXECUTION_UNKNOWN; UNSUPPORTED for one that keeps no lineage; MACHINE_REFUSED
   */
  async rebalance(execution: string): Promise<readonly ChannelMove[]> {
    const answer = await this.#ask({ kind: "rebalance", execution }, (said) => said);
    const [found] = answer.kind === "rebalanced" ? answer.executions : [];
    if (found?.error !== undefined) throw errorFromData(found.error);
    return found?.moves ?? [];
  }

  /** @internal The same for all executions that run. */
  async rebalanceAll(): Promise<readonly RebalancedExecution[]> {
    const answer = await this.#ask({ kind: "rebalance", execution: undefined }, (said) => said);
    return answer.kind === "rebalanced" ? answer.executions : [];
  }

  /**
   * Watches an execution that somebody has submitted, or that ended not long ago. It goes on when the session is closed. Outputs
   * that hold objects of classes need the module that registers their codecs to be imported here.
   *
   * @throws QStreamError EXECUTION_UNKNOWN, MACHINE_REFUSED
   */
  async follow(execution: string, { onEvent }: FollowOptions = {}): Promise<Execution<Record<string, unknown>>> {
    const request = { kind: "follow", execution } as const;
    const followed = await this.#ask(request, (answer) =>
      this.#watch(answer, { name: execution, onEvent, own: false }),
    );
    return followed.execution;
  }

  /** @internal Asks something of a system of actors that somebody has started, as JSON. */
  view(execution: string, request: string): Promise<string> {
    return this.#ask({ kind: "view", execution, request }, (said) => (said.kind === "viewed" ? said.answer : "null"));
  }

  /** @internal Starts an execution; users call `flow.run(args, { on: session })`. */
  async start(start: SessionStart): Promise<Execution<Record<string, unknown>>> {
    const { reference, args, options, resumed, rescale, relayed } = start;
    this.#leader();
    const [bundle, code] = await Promise.all([this.#bundleOf(reference.module), codeHash(reference.module)]);
    const isNew = !this.#uploaded.has(bundle.hash);
    if (isNew) await this.#upload(bundle);
    const { limits, strict, verifyReplay, exactlyOnce, attempts, checkpointEveryMs, onEvent, signal } = options;
    const { store } = this.#options;
    const submission = {
      module: reference.module,
      flow: reference.name,
      args,
      options: { limits, strict, verifyReplay, exactlyOnce, attempts, checkpointEveryMs, store },
      bundle: bundle.hash,
      codeHash: code,
      detach: this.#options.detach ?? false,
      ...(resumed === undefined ? {} : { resume: { execution: resumed.execution, rescale } }),
    };
    const submit = (): Promise<Followed> =>
      this.#ask({ kind: "submit", submission }, (answer) =>
        this.#watch(answer, { name: resumed?.execution, onEvent, own: true, relayed }),
      );
    const followed = await submit().catch(async (error: unknown) => {
      // Code that nobody has used for long isn't kept.
      if (isNew || !(error instanceof QStreamError) || error.code !== "FLOW_NOT_FOUND") throw error;
      await this.#upload(bundle);
      return submit();
    });
    const { execution } = followed;
    // With other channels it gets another name, once what is on its way has been taken; or it can't have them, and fails.
    if (resumed !== undefined && rescale !== undefined) {
      await orAborted(Promise.race([followed.named, execution.outputs]), signal).catch((error: unknown) => {
        if (signal?.aborted === true) execution.cancel(reasonOf(signal));
        throw error;
      });
    }
    return execution;
  }

  async #upload({ hash, bytes }: MachineBundle): Promise<void> {
    await upload(plainUrl(this.#leader().url, `/bundles/${hash}`), this.#security, bytes);
    this.#uploaded.add(hash);
  }

  /** @internal What the cluster keeps of an execution that ended before it was done. */
  async findStored(execution: string): Promise<StoredFlow> {
    if (this.#options.store === "none") {
      throw new QStreamError(
        "OPTION_INVALID",
        `execution ${execution} can't be gone on with: the session keeps no lineage`,
        {
          advice: 'Open it without the store "none"',
        },
      );
    }
    const answer = await this.#ask({ kind: "stored", execution }, (said) => said);
    return decodeStoredFlow(execution, answer.kind === "stored" ? answer.description : new Uint8Array());
  }

  /** Ends the connection. Executions that were submitted here are cancelled, and their datasets released, but for `detach`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#options.detach !== true) {
      const running = [...this.#executions].filter(([, { own }]) => own);
      await Promise.allSettled(running.map(([execution]) => this.cancel(execution, "its session was closed")));
      this.#datasets.releaseAll();
    }
    this.#closed = true;
    this.#ending.abort();
    if (this.#head === undefined) this.#failAll(sessionClosed());
    else this.#head.talk.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Hears of an execution from now on; what the head says of it comes behind its answer. */
  #watch(
    answer: ToClient,
    how: Omit<FollowedParts, "name" | "cancel"> & Pick<SessionStart, "relayed"> & { readonly name: string | undefined },
  ): Followed {
    const execution = answer.kind === "submitted" ? answer.execution : "";
    const name = how.name ?? execution;
    const followed = new Followed({ ...how, name, cancel: (reason) => this.#stop(execution, reason) });
    this.#executions.set(execution, followed);
    this.#actors.open(execution, how.relayed);
    return followed;
  }

  #stop(id: string, reason: string | undefined): void {
    // Where the head is gone, or the execution over, the outputs say so.
    this.cancel(id, reason).catch(() => {});
  }

  #bundleOf(module: string): Promise<MachineBundle> {
    let made = this.#bundles.get(module);
    if (made === undefined) {
      made = machineBundle(module);
      this.#bundles.set(module, made);
      made.catch(() => this.#bundles.delete(module));
    }
    return made;
  }

  /** @throws QStreamError SESSION_CLOSED, MACHINE_UNREACHABLE */
  #leader(): FoundHead {
    if (this.#closed) throw sessionClosed();
    if (this.#head === undefined) throw this.#broken ?? sessionClosed();
    return this.#head;
  }

  /** @param answered - called before anything is heard that the head says after its answer */
  async #ask<T>(request: FromClient, answered: (answer: ToClient) => T): Promise<T> {
    const { talk } = this.#leader();
    return new Promise((resolve, reject) => {
      if (request.kind === "submit") talk.tell(request);
      else talk.tellPlainly(request);
      this.#waiting.push({ answered: (answer) => resolve(answered(answer)), failed: reject });
    });
  }

  #told(message: ToClient): void {
    switch (message.kind) {
      case "listed":
      case "submitted":
      case "stored":
      case "cancelling":
      case "drained":
      case "viewed":
      case "rebalanced":
        this.#waiting.shift()?.answered(message);
        return;
      case "refused":
        this.#waiting.shift()?.failed(errorFromData(message.error));
        return;
      case "welcome":
      case "elsewhere":
        // Said first of all, to whoever looked for the head.
        return;
      case "named":
        this.#executions.get(message.execution)?.goesOnAs(message.name);
        return;
      case "event": {
        const event = eventFrom(message.event);
        const known = this.#executions.get(message.execution);
        known?.log.add(event);
        known?.listener.call(event);
        return;
      }
      case "actors":
      case "view":
        this.#actors.told(message);
        return;
      case "done":
        this.#over(message.execution, async (followed) => {
          const { listener, own } = followed;
          const outputs = await decodeOutputs(message.outputs);
          if (message.held) this.#head?.talk.tellPlainly({ kind: "taken", execution: message.execution });
          listener.end();
          followed.resolve(this.#datasets.join(outputs, own));
        });
        return;
      case "failed":
        this.#over(message.execution, (followed) => {
          // An execution that was cancelled because onEvent threw fails with what that threw.
          followed.listener.end();
          followed.reject(errorFromData(message.error));
        });
    }
  }

  #over(execution: string, settle: (followed: Followed) => void | Promise<void>): void {
    const followed = this.#executions.get(execution);
    if (followed === undefined) return;
    this.#executions.delete(execution);
    this.#actors.over(execution, sessionClosed());
    followed.log.end();
    void Promise.resolve()
      .then(() => settle(followed))
      .catch((error: unknown) => followed.reject(error));
  }

  /** The connection is over. A head that leads, the same or another, is looked for: executions go on meanwhile. */
  #ended(): void {
    const host = this.#head?.url.host ?? "";
    this.#head = undefined;
    if (this.#closed) {
      this.#failAll(sessionClosed());
      return;
    }
    const broken = new QStreamError("MACHINE_UNREACHABLE", `the connection with the head ${host} broke`, {
      advice: "Its executions go on for a while, or, with detach, to their end: qstream ps --cluster shows them",
    });
    this.#broken = broken;
    this.#actors.broken(broken);
    for (const { failed } of this.#waiting.splice(0)) failed(broken);
    this.#find(this.#leaseMs).then(
      (head) => this.#found(head),
      () => this.#failAll(this.#closed ? sessionClosed() : broken),
    );
  }

  #found(head: FoundHead): void {
    if (this.#closed) {
      head.talk.close();
      this.#failAll(sessionClosed());
      return;
    }
    this.#head = head;
    for (const execution of this.#executions.keys()) {
      this.#ask({ kind: "follow", execution }, () => {}).catch((error: unknown) => {
        // A connection that broke again is another's affair.
        if (error !== this.#broken) this.#over(execution, (followed) => followed.reject(error));
      });
    }
  }

  #failAll(error: QStreamError): void {
    for (const { failed } of this.#waiting.splice(0)) failed(error);
    for (const execution of this.#executions.keys()) this.#over(execution, (followed) => followed.reject(error));
  }
}

const leaseMsDefault = 10_000;
