// What holds of actors wherever they run: called for each way to start a system of them. What only one slot can show, with a clock that
// stands still, is in spec/actors/system.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { ActorEvent, ActorMetrics, ActorSystem } from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import type { Suite } from "../kit/suite.ts";
import { clerk, counter, door, gate, listener, narrow, relay, tally, ticker } from "./actor-kinds.ts";

/** A system of actors, as far as the contract uses it. */
export interface ActorsUnderTest extends Pick<
  ActorSystem,
  "spawn" | "entity" | "find" | "stop" | "ended" | "publish" | "close"
> {
  metrics: () => ActorMetrics | Promise<ActorMetrics>;
}

/** A way to have actors. Those of spec/contract/actor-kinds.ts are what is spawned. */
export interface ActorTopology {
  readonly name: string;
  readonly start: (options: { onEvent: (event: ActorEvent) => void }) => Promise<ActorsUnderTest>;
}

type Body = (system: ActorsUnderTest, events: readonly ActorEvent[]) => Promise<void>;
type Add = (sentence: string, body: Body) => void;

/** Adds the tests to a suite. */
export function actorContract(test: Suite, { name, start }: ActorTopology): void {
  const add: Add = (sentence, body) => {
    test(`${sentence} (${name})`, async () => {
      const events: ActorEvent[] = [];
      const system = await start({ onEvent: (event) => void events.push(event) });
      try {
        await body(system, events);
      } finally {
        await system.close();
      }
    });
  };
  messages(add);
  answers(add);
  refusals(add);
  behaviour(add);
  lives(add);
  ends(add);
  names(add);
  topics(add);
  entities(add);
  closing(add);
}

/** Waits until something holds: what one actor says of another may take its way. */
async function eventually(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return;
    await wait(2);
  }
  assert.unreachable(`${what} didn't come to be`);
}

function messages(add: Add): void {
  add("messages change a state that only the actor has", async (system) => {
    const [one, other] = [system.spawn(counter, 5), system.spawn(counter, 100)];
    one.tell("add", 2);
    one.tell("add", 3);
    other.tell("add", 1);
    assert.is(await one.ask("get"), 10);
    assert.is(await other.ask("get"), 101);
  });

  add("messages of one actor to another come in the order in which they were sent", async (system) => {
    const target = system.spawn(gate);
    const words = Array.from({ length: 2000 }, (_, index) => String(index));
    for (const word of words) target.tell("note", word);
    assert.equal(await target.ask("handled"), words);
  });

  add("an actor takes no other message while its handler waits", async (system) => {
    const target = system.spawn(gate);
    target.tell("note", "before");
    target.tell("sleep", 5);
    target.tell("note", "after");
    assert.equal(await target.ask("handled"), ["before", "sleep", "after"]);
  });

  add("self and sender are references that can be sent to and compared", async (system) => {
    const [one, other, between] = [system.spawn(counter, 1), system.spawn(counter, 2), system.spawn(relay)];
    const self = await one.ask("self");
    assert.ok(self.equals(one) && one.equals(self) && !self.equals(other));
    assert.is(await self.ask("get"), 1);
    assert.is(await one.ask("sender"), undefined);
    assert.ok((await between.ask("whoAsks", one))?.equals(between));
  });

  add("references travel in messages", async (system) => {
    const [target, between] = [system.spawn(counter, 0), system.spawn(relay)];
    between.tell("tell", { to: target, amount: 7 });
    assert.is(await between.ask("ask", { to: target }), 7);
  });

  add("a message is handed on with its sender, and answered by who has it then", async (system) => {
    const [target, between] = [system.spawn(counter, 0), system.spawn(clerk)];
    const asker = system.spawn(relay);
    await between.ask("serveWith", target);
    assert.ok((await asker.ask("whoAsks", between))?.equals(asker));
    assert.is(await between.ask("get"), 0);
    between.tell("add", 4);
    assert.is(await between.ask("get"), 4);
  });
}

function answers(add: Add): void {
  add("an ask is answered with what the handler returns, also later", async (system) => {
    const target = system.spawn(gate);
    assert.is(await target.ask("note", "word"), "word");
    const [first, second] = [target.ask("wait"), target.ask("wait")];
    await eventually(async () => (await target.ask("size")) === 2, "both questions");
    target.tell("open", "sesame");
    assert.equal(await Promise.all([first, second]), ["sesame", "sesame"]);
  });

  add("an answer that comes later can be an error", async (system) => {
    const target = system.spawn(gate);
    const answer = target.ask("wait").then(
      () => "answered",
      (error: Error) => error.message,
    );
    target.tell("shut", "closed for good");
    assert.is(await answer, "closed for good");
  });

  add("an ask that has no answer in time is given up", async (system) => {
    const target = system.spawn(gate);
    const error = await failure(() => target.ask("wait", undefined, { timeoutMs: 20 }), "ASK_TIMEOUT");
    assert.match(error.message, /"wait" of gate.* 20 ms/);
  });

  add("an ask that is given up before it is handled isn't handled", async (system) => {
    const target = system.spawn(gate);
    target.tell("sleep", 30);
    const abort = new AbortController();
    const aborted = failure(() => target.ask("note", "aborted", { signal: abort.signal }), "ABORTED");
    const late = failure(() => target.ask("note", "late", { timeoutMs: 5 }), "ASK_TIMEOUT");
    abort.abort();
    await Promise.all([aborted, late]);
    target.tell("note", "heard");
    assert.equal(await target.ask("handled"), ["sleep", "heard"]);
  });

  add("an ask with a signal that was aborted before fails at once", async (system) => {
    const target = system.spawn(gate);
    const reason = new Error("not any more");
    const error = await failure(() => target.ask("note", "word", { signal: AbortSignal.abort(reason) }), "ABORTED");
    assert.is(error.cause, reason);
    assert.equal(await target.ask("handled"), []);
  });
}

function refusals(add: Add): void {
  add("who asks gets the error of a handler, and the actor is made anew", async (system, events) => {
    const target = system.spawn(counter, 5);
    target.tell("add", 1);
    for (const name of ["fail", "failLater"] as const) {
      const error = await target.ask(name, "broken").then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      assert.is(error?.message, "broken");
      assert.is(error?.name, name === "fail" ? "Error" : "RangeError");
    }
    assert.is(await target.ask("get"), 5);
    assert.is(await target.ask("restarts"), 2);
    await eventually(() => events.filter(({ kind }) => kind === "actor-failed").length === 2, "both failures");
  });

  add("what is refused is no failure", async (system, events) => {
    const target = system.spawn(counter, 5);
    target.tell("add", 1);
    const error = await target.ask("refuse", "no").catch((thrown: Error) => thrown);
    assert.is((error as Error).name, "TypeError");
    assert.is(await target.ask("get"), 6);
    assert.is(events.length, 0);
  });

  add("a message without a handler is a dead letter, and an ask of it refused", async (system, events) => {
    const target = system.spawn(counter, 5);
    const other = target as unknown as { tell: (name: string) => void; ask: (name: string) => Promise<unknown> };
    other.tell("substract");
    await failure(() => other.ask("toString"), "MESSAGE_UNHANDLED");
    await eventually(() => events.length === 2, "two dead letters");
    assert.equal(
      events.map((event) => (event.kind === "dead-letter" ? `${event.message} ${event.why}` : event.kind)),
      ["substract no-handler", "toString no-handler"],
    );
    assert.is((await system.metrics()).deadLetters, 2);
  });

  add("what is sent to who has stopped is a dead letter, and an ask refused", async (system, events) => {
    const target = system.spawn(counter, 5);
    system.stop(target);
    await system.ended(target);
    target.tell("add", 1);
    await failure(() => target.ask("get"), "ACTOR_STOPPED");
    await eventually(() => events.length === 2, "two dead letters");
  });

  add("what a full mailbox refuses, the sender is told", async (system) => {
    const target = system.spawn(narrow);
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => target.ask("take", index)));
    const refused = results.filter(({ status }) => status === "rejected");
    assert.ok(refused.length >= 10, `${refused.length} refused`);
    for (const each of refused) assert.is((each as { reason: { code: string } }).reason.code, "MAILBOX_FULL");
    assert.is((await target.ask("numbers")).length, 20 - refused.length);
  });
}

function behaviour(add: Add): void {
  add("a mode has handlers that come before the others, and what was put aside is handled first", async (system) => {
    const target = system.spawn(door);
    for (const word of ["one", "two"]) target.tell("say", word);
    assert.equal(await target.ask("words"), []);
    target.tell("open");
    target.tell("say", "three");
    target.tell("close");
    target.tell("say", "four");
    assert.equal(await target.ask("words"), ["one", "two", "three"]);
    target.tell("open");
    assert.equal(await target.ask("words"), ["one", "two", "three", "four"]);
  });

  add("timers send messages, once or again and again, until they are cancelled", async (system) => {
    const target = system.spawn(ticker);
    const timer = await target.ask("after", { ms: 10_000, word: "never" });
    target.tell("after", { ms: 5, word: "once" });
    target.tell("every", { ms: 2, word: "again" });
    await eventually(
      async () => (await target.ask("words")).filter((word) => word === "again").length >= 3,
      "three ticks",
    );
    assert.is(await target.ask("cancel", timer), true);
    assert.is(await target.ask("cancel", timer), false);
    assert.is(await target.ask("cancel", undefined), true);
    await eventually(async () => (await target.ask("words")).includes("once"), "the timer that goes off once");
    const words = await target.ask("words");
    await wait(20);
    assert.equal(await target.ask("words"), words);
    assert.ok(!words.includes("never"));
  });
}

function lives(add: Add): void {
  add("children stop with their parent", async (system) => {
    const parent = system.spawn(relay);
    const child = await parent.ask("spawn", 3);
    assert.is(await child.ask("get"), 3);
    system.stop(parent);
    assert.is((await system.ended(child)).reason, "stopped");
    await failure(() => child.ask("get"), "ACTOR_STOPPED");
  });

  add("an actor stops itself, others, and after its mail", async (system) => {
    const [parent, target] = [system.spawn(relay), system.spawn(counter, 1)];
    parent.tell("stop", target);
    assert.is((await system.ended(target)).reason, "stopped");
    parent.tell("stopSelf");
    assert.is((await system.ended(parent)).reason, "stopped");
    const last = system.spawn(gate);
    last.tell("sleep", 5);
    const answers = ["a", "b"].map((word) => last.ask("note", word));
    system.stop(last, { afterMail: true });
    const tooLate = failure(() => last.ask("note", "c"), "ACTOR_STOPPED");
    assert.equal(await Promise.all(answers), ["a", "b"]);
    assert.is((await system.ended(last)).reason, "stopped");
    await tooLate;
  });

  add("a stop isn't behind the mail", async (system) => {
    const target = system.spawn(gate);
    target.tell("sleep", 1);
    const waiting = Array.from({ length: 1000 }, () => target.ask("note", "never").catch((error: Error) => error));
    system.stop(target);
    await system.ended(target);
    for (const answer of await Promise.all(waiting)) assert.is((answer as { code?: string }).code, "ACTOR_STOPPED");
  });
}

function ends(add: Add): void {
  add("who watches is told of the end and its reason, also afterwards", async (system) => {
    const [watcher, stopped] = [system.spawn(relay), system.spawn(counter, 1)];
    const failed = system.spawn(counter, 1, { supervise: [{ do: "stop" }] });
    for (const actor of [stopped, failed]) watcher.tell("watch", actor);
    await watcher.ask("ends");
    system.stop(stopped);
    failed.tell("fail", "broken");
    await eventually(async () => (await watcher.ask("ends")).length === 2, "both ends");
    watcher.tell("watch", stopped);
    await eventually(async () => (await watcher.ask("ends")).length === 3, "the end that was before");
    const told = await watcher.ask("ends");
    const ofStopped = told.filter(({ actor }) => actor.equals(stopped));
    assert.equal(ofStopped.map(({ reason }) => reason).slice(0, 1), ["stopped"]);
    const ofFailed = told.find(({ actor }) => actor.equals(failed));
    assert.is(ofFailed?.reason, "failed");
    assert.match(ofFailed?.error ?? "", /broken/);
  });

  add("who doesn't watch any more isn't told", async (system) => {
    const [watcher, target] = [system.spawn(relay), system.spawn(counter, 1)];
    watcher.tell("watch", target);
    watcher.tell("unwatch", target);
    await watcher.ask("ends");
    system.stop(target);
    await system.ended(target);
    assert.equal(await watcher.ask("ends"), []);
  });
}

function names(add: Add): void {
  add("an actor is found by its name as long as it lives", async (system) => {
    const [finder, target] = [system.spawn(relay), system.spawn(counter, 1, { name: "the counter" })];
    await eventually(async () => (await finder.ask("find", "the counter")) !== undefined, "the name");
    assert.ok((await finder.ask("find", "the counter"))?.equals(target));
    assert.ok((await system.find("the counter"))?.equals(target));
    assert.is(await finder.ask("find", "nobody"), undefined);
    // Elsewhere than in the slot that knows the name, the refusal comes a little later: as the end of the actor.
    const second = await finder.ask("spawnCalled", "the counter").catch((error: Error) => error);
    const refused = second instanceof Error ? second : (await system.ended(second)).error;
    assert.is((refused as { readonly code?: string } | undefined)?.code, "NAME_TAKEN");
    system.stop(target);
    await system.ended(target);
    await eventually(async () => (await system.find("the counter")) === undefined, "the name's end");
    const next = await finder.ask("spawnCalled", "the counter");
    assert.is(await next.ask("get"), 0);
  });
}

function topics(add: Add): void {
  add("what is published reaches all who listen, in order, and nobody else", async (system) => {
    const [first, second] = [system.spawn(listener, "news"), system.spawn(listener, "news")];
    const [other, speaker] = [system.spawn(listener, "weather"), system.spawn(relay)];
    for (const each of [first, second, other]) await each.ask("words");
    for (const word of ["a", "b"]) speaker.tell("publish", { topic: "news", word });
    await eventually(async () => (await first.ask("words")).length === 2, "both words");
    await eventually(async () => (await second.ask("words")).length === 2, "both words");
    second.tell("leave", "news");
    await second.ask("words");
    system.publish("news", "c");
    await eventually(async () => (await first.ask("words")).length === 3, "the third word");
    assert.equal(await first.ask("words"), ["a", "b", "c"]);
    assert.equal(await second.ask("words"), ["a", "b"]);
    assert.equal(await other.ask("words"), []);
  });
}

function entities(add: Add): void {
  add("an entity is one for all who name it, and comes again after it has stopped", async (system) => {
    const [one, other] = [system.spawn(relay), system.spawn(relay)];
    const ann = system.entity(tally, "ann");
    for (let round = 0; round < 10; round++) {
      for (const each of [one, other]) each.tell("entityAdd", { key: "ann", amount: 1 });
      ann.tell("add", 1);
    }
    await eventually(async () => (await ann.ask("get")) === "ann: 30", "all that was added");
    assert.ok(ann.equals(system.entity(tally, "ann")) && !ann.equals(system.entity(tally, "bob")));
    assert.is(await system.entity(tally, "bob").ask("get"), "bob: 0");
    ann.tell("stop");
    await eventually(async () => (await ann.ask("get")) === "ann: 0", "the next life");
  });
}

function closing(add: Add): void {
  add("a system that is closed refuses what is asked, and what waits isn't forgotten", async (system) => {
    const [target, busy] = [system.spawn(gate), system.spawn(gate)];
    const codes = [
      target.ask("wait", undefined, { timeoutMs: Infinity }),
      busy.ask("sleep", 20),
      busy.ask("note", "never"),
    ].map((answer) =>
      answer.then(
        () => "answered",
        (error: { code: string }) => error.code,
      ),
    );
    await target.ask("size");
    const ended = system.ended(target);
    await system.close();
    assert.is((await ended).reason, "stopped");
    for (const code of await Promise.all(codes)) {
      assert.ok(["SESSION_CLOSED", "ACTOR_STOPPED", "answered"].includes(code), code);
    }
    await failure(() => target.ask("size"), "SESSION_CLOSED");
    await failure(() => system.spawn(counter, 1), "SESSION_CLOSED");
    await failure(() => system.ended(target), "SESSION_CLOSED");
    await system.close();
  });
}
