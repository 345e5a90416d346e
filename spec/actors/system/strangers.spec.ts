// References to actors of other systems, which no node of this one reaches.
import * as assert from "uvu/assert";
import { AwayReference } from "../../../actors/system/away-reference.ts";
import { actor, type AnyReference } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors of other systems");

const stranger = new AwayReference({
  home: { system: "another", reach: "slots" },
  label: "stranger-1",
  isEntity: false,
  slot: undefined,
  doors: [],
  bind: () => assert.unreachable("nobody is here") as never,
  address: [1, 1, "stranger"],
});

const native = actor({
  kind: "native",
  init: () => ({ told: [] as string[] }),
  receive: {
    handOn(_state, to: AnyReference, ctx) {
      ctx.forward(to);
    },
    watch: (_state, other: AnyReference, ctx) => ctx.watch(other),
    unwatch: (_state, other: AnyReference, ctx) => {
      ctx.watch(other);
      ctx.unwatch(other);
    },
    stop: (_state, other: AnyReference, ctx) => ctx.stop(other),
    told: ({ told }) => told,
  },
  watched: ({ told }, { actor: ended, reason }) => void told.push(`${ended.label} ${reason}`),
  supervise: [{ do: "resume" }],
});

test("what is handed on to one is a dead letter, and who asked is refused at once", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(native);
  await failure(() => under.answer(target.ask("handOn", stranger)), "ACTOR_STOPPED");
  target.tell("handOn", stranger);
  await under.settle();
  assert.equal(under.deadLetters, ["handOn unknown-actor", "handOn unknown-actor"]);
});

test("who watches one is told that it is unknown, unless it doesn't want to know any more", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(native);
  target.tell("watch", stranger);
  target.tell("unwatch", stranger);
  assert.equal(await under.answer(target.ask("told")), ["stranger-1 unknown"]);
});

test("one can't be stopped, and who tries is told so", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(native);
  const error = await failure(() => under.answer(target.ask("stop", stranger)), "ACTOR_UNREACHABLE");
  assert.match(error.message, /stranger-1 can't be stopped from here/);
  await failure(() => under.answer(target.ask("stop", {} as never)), "OPTION_INVALID");
  assert.is(under.node.size, 1);
});

test.run();
