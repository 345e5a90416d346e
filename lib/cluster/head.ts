import type { IncomingMessage } from "node:http";
import { Refusal } from "../../actors/transport/wire/refusal.ts";
import { addressOf, checkAdvertised, type Bind, type Security } from "../../actors/transport/wire/security.ts";
import type { Admission, Rights, Visitor } from "../../actors/transport/wire/server.ts";
import type { Listener } from "../../actors/transport/wire/sockets.ts";
import { checkVersion } from "../../actors/transport/wire/wire-hello.ts";
import type { Coordination } from "../core/contracts/coordination.ts";
import { errorToData, QStreamError } from "../core/errors.ts";
import type { MachineFiles } from "../files/index.ts";
import { startedName } from "../flow/rescaled-name.ts";
import { BundleShelf } from "./bundle-shelf.ts";
import { checkFromClient, checkFromWorker } from "./check-talk.ts";
import { HeadExecutions } from "./head-executions.ts";
import { HeadMachines } from "./head-machines.ts";
import { tellFormerLeader } from "./former-leader.ts";
import { systemHeadWorld, type HeadWorld } from "./head-world.ts";
import { Leadership } from "./leadership.ts";
import type { FromClient, FromWorker, ListedMachine, ToClient, ToWorker } from "./protocol.ts";
import { Reign } from "./reign.ts";
import { Talk } from "./talk.ts";

export interface HeadOptions {
  readonly bind: Bind;
  readonly security: Security;
  /** `host` or `host:port`: where machines, clients and other heads find this one, and at that host its drivers. Default: what is bound. */
  readonly advertise?: string | undefined;
  /** `redis://...`: where lineage and checkpoints of executions are, and what heads have to know of each other. */
  readonly store: string;
  /** Milliseconds without a sign of life after which a machine, a client or a leading head is given up. */
  readonly leaseMs: number;
  /** What drivers read and write of this host: they list inputs, and commit what sinks wrote. */
  readonly files?: MachineFiles | undefined;
  /** Channels of executions move to machines with less to do, without anybody asking for it. */
  readonly rebalances?: boolean | undefined;
  /** How many executions run at once; others wait. Default 16. */
  readonly executions?: number | undefined;
  /** Default: that of a process. */
  readonly world?: HeadWorld | undefined;
  /** Called when this head begins to lead, with its epoch, and when it waits (again). */
  readonly onLead?: (epoch: number | undefined) => void;
  /** Something went wrong that somebody should look at, though the cluster goes on. */
  readonly onTrouble?: (error: QStreamError) => void;
}

type ClientTalk = Talk<ToClient, FromClient>;
type WorkerTalk = Talk<ToWorker, FromWorker>;

/**
 * Where machines meet and flows are submitted. Of all heads with one store one leads; the others wait, and say where it is. A head
 * runs no code of users: each execution has a driver, a process of its own.
 */
export class Head {
  readonly #options: HeadOptions;
  readonly #world: HeadWorld;
  readonly #bundles: BundleShelf;
  readonly #machines: HeadMachines;
  readonly #executions: HeadExecutions;
  /** Whoever is connected while this head leads. */
  readonly #talks = new Set<ClientTalk | WorkerTalk>();
  readonly #clients = new Set<ClientTalk>();
  /** A name that no other head, and no other life of this one, has. */
  readonly #name: string;
  #leadership: Leadership | undefined;
  #reign: Reign | undefined;
  #server: Listener | undefined;
  /** Connections that were ended because of what came over them. */
  #hungUp = 0;

  private constructor(options: HeadOptions) {
    this.#options = options;
    this.#world = options.world ?? systemHeadWorld;
    const world = this.#world;
    this.#name = world.freshId("head");
    this.#bundles = new BundleShelf(
      () => this.#reign,
      () => this.#executions.bundles,
    );
    this.#machines = new HeadMachines({
      clock: world.sockets.clock,
      leaseMs: options.leaseMs,
      joined: ({ id, url }) => this.#executions.machineJoined({ id, url }),
      gone: (id) => this.#executions.machineGone(id),
      failed: () => this.#leadership?.lookNow(),
    });
    this.#executions = new HeadExecutions({
      ...options,
      world,
      machines: () => this.#machines.usable.map(({ id, url }) => ({ id, url })),
      bundleUrl: (hash) => `${this.url}/bundles/${hash}`,
    });
  }

  /** Fulfilled once it is known whether this head leads. @throws QStreamError OPTION_INVALID, STORE_UNAVAILABLE, STORE_REFUSED */
  static async open(options: HeadOptions): Promise<Head> {
    const { store, bind, security, advertise, leaseMs, world = systemHeadWorld } = options;
    checkAdvertised(bind, advertise);
    if (!/^rediss?:\/\//u.test(store)) {
      // A password has no place in an error.
      const shown = JSON.stringify(store.replace(/\/\/.*@/su, "//***@").slice(0, 200));
      throw new QStreamError("OPTION_INVALID", `a cluster keeps its state in a Redis, and ${shown} isn't one`, {
        advice: "Give --store redis://host:port/db: machines of a cluster share it, and a folder they don't",
      });
    }
    const head = new Head(options);
    const leadership = await Leadership.open({
      world,
      store,
      head: head.#name,
      url: () => head.url.replace(/^http/u, "ws"),
      leaseMs,
      machines: () => head.#machines.connected,
      leads: (epoch, state, former) => head.#lead(epoch, state, former),
      deposed: (lost) => head.#depose(lost),
      trouble: options.onTrouble,
    });
    head.#leadership = leadership;
    try {
      head.#server = await world.sockets.listen({
        bind,
        security,
        admit: (url, request, rights) => head.#admit(url, request, rights),
        answer: (url, request, response, rights) => {
          const [, hash = ""] = /^\/bundles\/(.+)$/u.exec(url.pathname) ?? [];
          head.#bundles.answer(hash, request, response, rights);
        },
      });
    } catch (error) {
      await leadership.close();
      throw error;
    }
    await leadership.start();
    return head;
  }

  /** Where others find it: `http://host:port`, or https. */
  get url(): string {
    const { bind, security, advertise } = this.#options;
    const address = addressOf(bind, this.#server?.port ?? bind.port, advertise);
    return `${security.tls === undefined ? "http" : "https"}://${address}`;
  }

  /** Its epoch while it leads. */
  get epoch(): number | undefined {
    return this.#leadership?.epoch;
  }

  get machines(): readonly ListedMachine[] {
    return this.#machines.listed;
  }

  /** What runs goes on with the next head that leads: one that waits, or one that is started later. */
  async close(): Promise<void> {
    await this.#leadership?.close();
    await this.#server?.close();
  }

  async #lead(epoch: number, state: Coordination, former: string): Promise<void> {
    const reign = new Reign({
      epoch,
      state,
      clock: this.#world.sockets.clock,
      keepBundle: (hash) => this.#bundles.keepAgain(hash),
      deposed: () => this.#leadership?.lookNow(),
    });
    await this.#machines.lead(state);
    await this.#executions.lead(reign);
    this.#reign = reign;
    this.#options.onLead?.(epoch);
    if (former === "") return;
    const { security, leaseMs } = this.#options;
    const leader = this.url.replace(/^http/u, "ws");
    const leads = (): boolean => this.epoch === epoch;
    const outrun = (by: number): void => {
      if (leads()) void this.#leadership?.outrun(by);
    };
    void tellFormerLeader({
      url: former,
      sockets: this.#world.sockets,
      security,
      leaseMs,
      leader,
      epoch,
      outrun,
      leads,
    });
  }

  /** @param lost - Redis has lost all that ran: nobody goes on with it */
  async #depose(lost?: QStreamError): Promise<void> {
    this.#reign = undefined;
    if (lost !== undefined) this.#failAll(lost);
    this.#machines.depose();
    const ended = this.#executions.depose();
    for (const talk of this.#talks) talk.close();
    await ended;
    this.#options.onLead?.(undefined);
  }

  #failAll(lost: QStreamError): void {
    const error = errorToData(lost);
    for (const { execution, status } of this.#executions.listed()) {
      if (status !== "running" && status !== "waiting") continue;
      for (const client of this.#clients) client.tell({ kind: "failed", execution, error });
    }
  }

  #admit(url: URL, { headers }: IncomingMessage, rights: Rights): Admission {
    const otherVersion = headers["x-qstream-version"] === undefined ? undefined : checkVersion(headers);
    if (otherVersion !== undefined) return { admitted: false, status: 400, reason: otherVersion };
    const admitted = (connected: (visitor: Visitor) => void): Admission => ({ admitted: true, headers: {}, connected });
    if (url.pathname === "/client") return admitted((visitor) => this.#client(visitor));
    if (url.pathname !== "/machine") return { admitted: false, status: 404, reason: "nothing is here" };
    if (rights !== "all") return { admitted: false, status: 403, reason: "this token only lets you look" };
    return admitted((visitor) => this.#machine(visitor));
  }

  #machine({ socket, stream }: Visitor): void {
    let id: string | undefined;
    const { leaseMs } = this.#options;
    const { epoch } = this;
    const talk: WorkerTalk = new Talk(socket, leaseMs, {
      stream,
      clock: this.#world.sockets.clock,
      told: (message) => {
        if (this.#reign === undefined || this.epoch !== epoch) return;
        const said = checkFromWorker(message);
        if (said.kind === "later") {
          void this.#leadership?.outrun(said.epoch);
          return;
        }
        if (said.kind === "counts") {
          if (id !== undefined) this.#machines.counted(id, said.counts, talk);
          return;
        }
        if (said.kind === "drain") {
          // One that isn't known has nothing that anybody needs, and hears of that by itself.
          if (id !== undefined) this.#drain(id).catch(() => {});
          return;
        }
        ({ id } = said.offer);
        this.#machines.offered(said.offer, talk);
      },
      nonsense: () => this.#hungUp++,
      ended: () => {
        this.#talks.delete(talk);
        if (id !== undefined) this.#machines.left(id, talk);
      },
    });
    this.#welcome(talk, (at) => talk.tell({ kind: "welcome", leaseMs, epoch: at, head: this.#name }));
  }

  #client({ socket, stream, rights }: Visitor): void {
    let asked = Promise.resolve();
    // One after the other: answers come in the order of requests.
    const answer = (request: () => void | Promise<void>): void => {
      asked = asked.then(request).catch((error: unknown) => {
        talk.tell({ kind: "refused", error: errorToData(error) });
        if (!(error instanceof Refusal)) return;
        this.#hungUp++;
        talk.close();
      });
    };
    const talk: ClientTalk = new Talk(socket, this.#options.leaseMs, {
      stream,
      clock: this.#world.sockets.clock,
      told: (message) => {
        // Not behind requests, of which some take long.
        if (isOfActors(message) && rights === "all") this.#actorsTold(talk, message);
        else answer(() => this.#asked(talk, message, rights));
      },
      unread: rights === "all" ? undefined : () => answer(refuseReader),
      nonsense: () => this.#hungUp++,
      ended: () => {
        this.#talks.delete(talk);
        this.#clients.delete(talk);
        this.#executions.clientGone(talk);
      },
    });
    this.#welcome(talk, (epoch) => {
      this.#clients.add(talk);
      talk.tell({ kind: "welcome", epoch });
    });
  }

  #actorsTold(talk: ClientTalk, told: FromClient): void {
    const message = checkFromClient(told);
    const { actors } = this.#executions;
    if (message.kind === "actors") actors.fromClient(message.execution, talk, message.content);
    else if (message.kind === "viewed") actors.viewed(message.view, message.answer, message.error);
  }

  /** A head that waits says where the one is that leads. */
  #welcome(talk: ClientTalk | WorkerTalk, welcome: (epoch: number) => void): void {
    const { epoch } = this;
    if (epoch !== undefined && this.#reign !== undefined) {
      this.#talks.add(talk);
      welcome(epoch);
      return;
    }
    talk.tell({ kind: "elsewhere", leader: this.#leadership?.leader ?? "" });
    talk.close();
  }

  async #asked(talk: ClientTalk, asked: FromClient, rights: Rights): Promise<void> {
    if (asked.kind === "list") {
      const refusedConnections = (this.#server?.refused ?? 0) + this.#hungUp;
      talk.tell({ kind: "listed", machines: this.machines, executions: this.#executions.listed(), refusedConnections });
      return;
    }
    if (rights !== "all") refuseReader();
    const message = checkFromClient(asked);
    switch (message.kind) {
      case "list":
        return;
      case "submit": {
        const { submission } = message;
        const { resume } = submission;
        const execution = resume === undefined ? this.#world.freshId("run") : startedName(resume.execution);
        await this.#executions.submit(execution, submission);
        talk.tell({ kind: "submitted", execution });
        this.#executions.start(execution, talk);
        return;
      }
      case "stored":
        talk.tell({ kind: "stored", description: await this.#executions.stored(message.execution) });
        return;
      case "follow":
        await this.#executions.follow(message.execution, talk);
        return;
      case "actors":
      case "viewed":
        return;
      case "view":
        talk.tell({ kind: "viewed", answer: await this.#executions.actors.view(message.execution, message.request) });
        return;
      case "deposed":
        await this.#leadership?.deposedBy(message.leader, message.epoch);
        return;
      case "taken":
        this.#executions.taken(message.execution);
        return;
      case "cancel":
        await this.#executions.cancel(message.execution, message.reason);
        talk.tell({ kind: "cancelling", execution: message.execution });
        return;
      case "release-datasets":
        this.#machines.releaseDatasets(message.datasets);
        return;
      case "rebalance":
        talk.tell({ kind: "rebalanced", executions: await this.#executions.rebalance(message.execution) });
        return;
      case "drain":
        await this.#drain(message.machine);
        talk.tell({ kind: "drained", machine: message.machine });
    }
  }

  async #drain(machine: string): Promise<void> {
    if (this.#machines.get(machine) === undefined) {
      throw new QStreamError("MACHINE_UNREACHABLE", `the cluster has no machine ${machine}`, {
        advice: "qstream ps lists those that it has",
      });
    }
    this.#machines.drain(machine);
    await this.#executions.drain(machine);
    this.#machines.drained(machine);
  }
}

function refuseReader(): never {
  throw new QStreamError("MACHINE_REFUSED", "this token only lets you look", {
    advice: "Give the token that lets you submit and cancel",
  });
}

/** What clients of systems of actors say that isn't behind their requests. */
function isOfActors({ kind }: FromClient): boolean {
  return kind === "actors" || kind === "viewed";
}
