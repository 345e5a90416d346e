// What a client makes of what a head says, without a cluster behind it.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { encodeArguments } from "../../../actors/slot/arguments.ts";
import type { ExecutionMetrics } from "../../../actors/scheduler/execution-events.ts";
import { WireServer } from "../../../actors/transport/wire/server.ts";
import { cluster } from "../../../lib/cluster/open-cluster.ts";
import { encodeOutputs } from "../../../lib/cluster/outputs.ts";
import type { FromClient, ToClient } from "../../../lib/cluster/protocol.ts";
import { Talk } from "../../../lib/cluster/talk.ts";
import { errorToData, QStreamError } from "../../../lib/core/errors.ts";
import { Dataset } from "../../../lib/core/dataset.ts";
import { encodeStoredFlow, type StoredFlow } from "../../../lib/flow/stored-flow.ts";
import { defineFlow, items, type Execution, type ExecutionEvent } from "../../../lib/index.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("sessions on a cluster");

const token = "a token of enough characters";
const execution = "run-1";
const metrics = { execution, rowsRead: 3 } as unknown as ExecutionMetrics;

/** A head that answers as it is told. */
class FakeHead {
  readonly asked: FromClient[] = [];
  readonly #server: WireServer;

  private constructor(server: WireServer) {
    this.#server = server;
  }

  isClosed = false;

  /** @param leader - where the head is that leads, if it isn't this one */
  static async open(
    answer: (request: FromClient, tell: (message: ToClient) => void) => void,
    leader?: () => string,
  ): Promise<FakeHead> {
    const opened: { head?: FakeHead } = {};
    const server = await WireServer.open({
      bind: { host: "127.0.0.1", port: 0 },
      security: { token: token.replaceAll(" ", "-"), tls: undefined },
      admit: () => ({
        admitted: true,
        headers: {},
        connected: ({ socket }) => {
          const talk: Talk<ToClient, FromClient> = new Talk(socket, 5000, {
            told: (request) => {
              opened.head?.asked.push(request);
              answer(request, (message) => talk.tell(message));
            },
            ended: () => {},
          });
          if (leader === undefined) talk.tell({ kind: "welcome", epoch: 1 });
          else talk.tell({ kind: "elsewhere", leader: leader() });
        },
      }),
      answer: (_, request, response) => {
        request.resume();
        response.writeHead(200, { connection: "close" }).end();
      },
    });
    return (opened.head = new FakeHead(server));
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const open = (head: FakeHead, detach = false): ReturnType<typeof cluster> =>
  cluster({ url: head.url, token: token.replaceAll(" ", "-"), detach, leaseMs: 1000 });

const errorOf = async (tried: Promise<unknown>): Promise<QStreamError> => {
  const thrown = await tried.then(
    () => new Error("it succeeded"),
    (error: unknown) => error,
  );
  assert.instance(thrown, QStreamError, String(thrown));
  return thrown as QStreamError;
};

const flow = defineFlow(import.meta.url, (q) => ({ out: q.read("items", items([1])).collect() }));

test("what is no URL, isn't there, or wants another token, says so", async () => {
  assert.is((await errorOf(cluster({ url: "http://head/path" }))).code, "OPTION_INVALID");
  assert.is((await errorOf(cluster({ url: "ws://127.0.0.1:9", tokenFile: "not-there" }))).code, "OPTION_INVALID");
  assert.is((await errorOf(cluster({ url: "ws://127.0.0.1:9" }))).code, "MACHINE_UNREACHABLE");
  await using head = await FakeHead.open(() => {});
  const refused = await errorOf(cluster({ url: head.url, token: "another-token-of-some-length" }));
  assert.is(refused.code, "MACHINE_REFUSED");
  assert.match(refused.message, /the token is wrong\. Give the token .*--token-file/);
  assert.not.match(refused.message, "another-token");
});

test("an execution that is over when it is followed is heard of to its end", async () => {
  const outputs = await encodeOutputs({ out: [1, 2, 3] });
  await using head = await FakeHead.open((request, tell) => {
    // At once, so that all of it may come in one piece.
    tell({ kind: "submitted", execution });
    tell({ kind: "event", execution, event: { kind: "started", execution } });
    tell({ kind: "event", execution, event: { kind: "done", execution, metrics } });
    tell({ kind: "done", execution, outputs });
    assert.is(request.kind, "follow");
  });
  await using session = await open(head);
  const heard: string[] = [];
  const followed = await session.follow(execution, { onEvent: ({ kind }) => void heard.push(kind) });
  assert.equal(await followed.outputs, { out: [1, 2, 3] });
  assert.equal(heard, ["started", "done"]);
  assert.is(followed.metrics?.rowsRead, 3);
  const kinds: string[] = [];
  for await (const { kind } of followed.events()) kinds.push(kind);
  assert.equal(kinds, ["started", "done"]);
});

test("an error that fails an execution arrives with code, place and cause; what is refused is thrown", async () => {
  const failure = new QStreamError("STEP_FAILED", "it broke", { step: "map", cause: new RangeError("too much") });
  await using head = await FakeHead.open((request, tell) => {
    if (request.kind !== "follow") return;
    if (request.execution !== execution) {
      tell({ kind: "refused", error: errorToData(new QStreamError("EXECUTION_UNKNOWN", "there is none")) });
      return;
    }
    tell({ kind: "submitted", execution });
    tell({ kind: "failed", execution, error: errorToData(failure) });
  });
  await using session = await open(head);
  const error = await errorOf((await session.follow(execution)).outputs);
  assert.is(error.message, failure.message);
  assert.equal(error.place, { step: "map" });
  assert.match(String((error.cause as Error).message), "too much");
  assert.is((await errorOf(session.follow("run-2"))).code, "EXECUTION_UNKNOWN");
});

test("a session that closes cancels what was submitted on it, and not what it followed", async () => {
  let count = 0;
  await using head = await FakeHead.open((request, tell) => {
    if (request.kind === "submit") tell({ kind: "submitted", execution: `own-${count++}` });
    else if (request.kind === "follow") tell({ kind: "submitted", execution: request.execution });
    else if (request.kind === "cancel") tell({ kind: "cancelling", execution: request.execution });
  });
  const session = await open(head);
  const own = await flow.start({}, { on: session });
  const others = await session.follow("other");
  await session.close();
  assert.equal(
    head.asked.filter(({ kind }) => kind === "cancel").map((request) => "execution" in request && request.execution),
    ["own-0"],
  );
  assert.is((await errorOf(own.outputs)).code, "SESSION_CLOSED");
  assert.is((await errorOf(others.outputs)).code, "SESSION_CLOSED");
  assert.is((await errorOf(session.list())).code, "SESSION_CLOSED");
  const detached = await open(head, true);
  await flow.start({}, { on: detached });
  await detached.close();
  assert.is(head.asked.filter(({ kind }) => kind === "cancel").length, 1);
  const submitted = head.asked.flatMap((request) => (request.kind === "submit" ? [request.submission.detach] : []));
  assert.equal(submitted, [false, true]);
});

test("a head that is gone fails what is waited for, and what is asked later", async () => {
  const head = await FakeHead.open((request, tell) => {
    if (request.kind === "follow") tell({ kind: "submitted", execution });
  });
  const session = await open(head);
  const followed = await session.follow(execution);
  const failing = Promise.all([errorOf(followed.outputs), errorOf(session.list())]);
  await head.close();
  for (const { code } of await failing) assert.is(code, "MACHINE_UNREACHABLE");
  assert.is((await errorOf(session.list())).code, "MACHINE_UNREACHABLE");
  await session.close();
});

test("a head that waits says where the one is that leads; one that is lost is replaced, and executions are followed there", async () => {
  const outputs = await encodeOutputs({ out: [1] });
  await using next = await FakeHead.open((request, tell) => {
    if (request.kind !== "follow") return;
    tell({ kind: "submitted", execution });
    tell({ kind: "done", execution, outputs });
  });
  const first = await FakeHead.open((request, tell) => {
    if (request.kind === "follow") tell({ kind: "submitted", execution });
  });
  await using waiting = await FakeHead.open(
    () => {},
    () => (first.isClosed ? next.url : first.url),
  );
  await using session = await open(waiting);
  const followed = await session.follow(execution);
  assert.is(first.asked.length, 1);
  await first.close();
  assert.equal(await followed.outputs, { out: [1] });
  assert.equal(next.asked, [{ kind: "follow", execution }]);
});

test("what onEvent throws cancels the execution, and fails it", async () => {
  await using head = await FakeHead.open((request, tell) => {
    if (request.kind === "follow") {
      tell({ kind: "submitted", execution });
      tell({ kind: "event", execution, event: { kind: "started", execution } });
    }
    if (request.kind !== "cancel") return;
    tell({ kind: "cancelling", execution });
    tell({ kind: "failed", execution, error: errorToData(new QStreamError("ABORTED", "it was stopped")) });
  });
  await using session = await open(head);
  const broken = (event: ExecutionEvent): void => {
    throw new Error(`no ${event.kind}`);
  };
  const error = await errorOf((await session.follow(execution, { onEvent: broken })).outputs);
  assert.is(error.code, "STEP_FAILED");
  assert.match(error.message, "onEvent threw: no started");
});

const keeping = defineFlow(import.meta.url, (q) => ({ kept: q.read("items", items([1])).dataset() }));

test("a dataset can be released, and is when the session closes that made it; one that is followed isn't", async () => {
  const id = `${execution}/kept`;
  const outputs = await encodeOutputs({ kept: new Dataset<number>({ id, parts: [] }, undefined) });
  await using head = await FakeHead.open(({ kind }, tell) => {
    if (kind !== "submit" && kind !== "follow") return;
    tell({ kind: "submitted", execution });
    tell({ kind: "done", execution, outputs, held: false });
  });
  const released = async (): Promise<FromClient[]> => {
    await wait(20);
    return head.asked.splice(0).filter(({ kind }) => kind === "release-datasets");
  };
  const follower = await open(head);
  await (
    await follower.follow(execution)
  ).outputs;
  await follower.close();
  assert.equal(await released(), []);
  const session = await open(head);
  const { kept } = await keeping.run({}, { on: session });
  kept.release();
  assert.equal(await released(), [{ kind: "release-datasets", datasets: [id] }]);
  await keeping.run({}, { on: session });
  await session.close();
  assert.equal(await released(), [{ kind: "release-datasets", datasets: [id] }]);
});

/** What a store has of an execution, as far as its client looks at it. */
const described = async (flowName: string, fingerprint: string, codeHash: string): Promise<Uint8Array> => {
  const args = await encodeArguments({});
  const plan = { flow: flowName, fingerprint, steps: [], edges: [] };
  return encodeStoredFlow({ flow: flowName, codeHash, args, plan } as unknown as StoredFlow);
};

test("an execution is gone on with where flow and code are the same, and has the name that its driver says", async () => {
  let description = await described("another", "0", "1");
  let refuses = false;
  await using head = await FakeHead.open((request, tell) => {
    if (request.kind === "stored") tell({ kind: "stored", description });
    if (request.kind === "cancel") tell({ kind: "cancelling", execution });
    if (request.kind !== "submit") return;
    tell({ kind: "submitted", execution });
    const error = errorToData(new QStreamError("UNSUPPORTED", "they can't change"));
    if (refuses) tell({ kind: "failed", execution, error });
    else setTimeout(() => tell({ kind: "named", execution, name: `${execution}-r1` }), 30);
  });
  await using session = await open(head);
  const rescale = { out: 1 };
  const resume = (upgrade = false): Promise<Execution<unknown>> =>
    flow.resume(execution, { on: session, rescale, upgrade });
  const other = await errorOf(resume());
  assert.is(other.code, "FINGERPRINT_CHANGED");
  const [, name = "", fingerprint = ""] = /this is flow "(.+)" \((\w+)\)/u.exec(other.message) ?? [];
  description = await described(name, fingerprint, "1");
  const changed = await errorOf(resume());
  assert.is(changed.code, "CODE_CHANGED");
  assert.match(changed.message, / was 1 when execution run-1 was started, and is [\da-f]{24} now/);
  assert.not.ok(head.asked.some(({ kind }) => kind === "submit"));

  assert.is((await resume(true)).id, `${execution}-r1`);
  const asked = head.asked.at(-1);
  assert.equal(asked?.kind === "submit" ? asked.submission.resume : undefined, { execution, rescale });
  refuses = true;
  assert.is((await errorOf(resume(true))).code, "UNSUPPORTED");
  await using without = await cluster({ url: head.url, token: token.replaceAll(" ", "-"), store: "none" });
  const unkept = await errorOf(flow.resume(execution, { on: without }));
  assert.is(unkept.code, "OPTION_INVALID");
});

test.run();
