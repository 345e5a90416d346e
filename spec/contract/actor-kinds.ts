// The kinds of actors that the contract of actors is told with. In a module of their own: where actors are in other slots or machines,
// these load it.
import { actor, type ActorReference, type AnyReference, type Deferred, type Ended } from "../../lib/index.ts";

export const counter = actor({
  kind: "counter",
  init: (start: number) => ({ count: start }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    get: (state) => state.count,
    fail(_state, message: string): never {
      throw new Error(message);
    },
    async failLater(_state, message: string): Promise<never> {
      await Promise.resolve();
      throw new RangeError(message);
    },
    refuse(_state, message: string, ctx): never {
      return ctx.refuse(new TypeError(message));
    },
    restarts: (_state, _: undefined, ctx) => ctx.restarts,
    self: (_state, _: undefined, ctx) => ctx.self,
    sender: (_state, _: undefined, ctx) => ctx.sender,
  },
});

export type Counter = ActorReference<{
  add: (amount: number) => void;
  get: () => number;
}>;

/** Answers when it is told to. */
export const gate = actor({
  kind: "gate",
  init: () => ({ waiting: [] as Deferred<string>[], held: [] as (() => void)[], handled: [] as string[] }),
  receive: {
    /** Answered by `open`; others are handled meanwhile. */
    wait(state, _: undefined, ctx) {
      const answer = ctx.deferred<string>();
      state.waiting.push(answer);
      return answer;
    },
    open(state, word: string) {
      for (const answer of state.waiting.splice(0)) answer.send(word);
    },
    shut(state, message: string) {
      for (const answer of state.waiting.splice(0)) answer.fail(new Error(message));
    },
    /** Takes no other message for so long. */
    async sleep(state, ms: number) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      state.handled.push("sleep");
    },
    note(state, word: string) {
      state.handled.push(word);
      return word;
    },
    handled: (state) => state.handled,
    size: (state) => state.waiting.length,
  },
});

/** Sends on, and says what comes of it. */
export const relay = actor({
  kind: "relay",
  init: () => ({ ends: [] as { actor: AnyReference; reason: Ended["reason"]; error: string | undefined }[] }),
  receive: {
    tell(_state, { to, amount }: { to: Counter; amount: number }) {
      to.tell("add", amount);
    },
    ask: (_state, { to }: { to: Counter }) => to.ask("get"),
    whoAsks: (_state, to: ActorReference<{ sender: () => AnyReference | undefined }>) => to.ask("sender"),
    watch(_state, actor: AnyReference, ctx) {
      ctx.watch(actor);
    },
    unwatch(_state, actor: AnyReference, ctx) {
      ctx.unwatch(actor);
    },
    ends: (state) => state.ends,
    spawn: (_state, start: number, ctx) => ctx.spawn(counter, start),
    spawnCalled: (_state, name: string, ctx) => ctx.spawn(counter, 0, { name }),
    stop(_state, actor: AnyReference, ctx) {
      ctx.stop(actor);
    },
    stopSelf(_state, _: undefined, ctx) {
      ctx.stop();
    },
    find: (_state, name: string, ctx) => ctx.find(name),
    publish(_state, { topic, word }: { topic: string; word: string }, ctx) {
      ctx.publish(topic, word);
    },
    entityAdd(_state, { key, amount }: { key: string; amount: number }, ctx) {
      ctx.entity(tally, key).tell("add", amount);
    },
  },
  watched(state, { actor, reason, error }) {
    state.ends.push({ actor, reason, error: error?.message });
  },
});

/** Hands on what it is sent to a counter. */
export const clerk = actor({
  kind: "clerk",
  init: () => ({ counter: undefined as AnyReference | undefined }),
  receive: {
    serveWith(state, actor: AnyReference) {
      state.counter = actor;
    },
    add(state, _amount: number, ctx) {
      if (state.counter !== undefined) ctx.forward(state.counter);
    },
    get(state, _: undefined, ctx): number {
      if (state.counter !== undefined) ctx.forward(state.counter);
      return -1;
    },
    async sender(state, _: undefined, ctx): Promise<AnyReference | undefined> {
      await Promise.resolve();
      if (state.counter !== undefined) ctx.forward(state.counter);
      return ctx.self;
    },
  },
});

/** Opens, counts while it is open, and keeps for later what comes while it is closed. */
export const door = actor({
  kind: "door",
  init: () => ({ words: [] as string[] }),
  receive: {
    say(_state, _word: string, ctx) {
      ctx.stash();
    },
    open(_state, _: undefined, ctx) {
      ctx.become("open");
      ctx.unstash();
    },
    close() {},
    words: (state) => state.words,
  },
  modes: {
    open: {
      say(state, word: string) {
        state.words.push(word);
      },
      close(_state, _: undefined, ctx) {
        ctx.become();
      },
    },
  },
});

/** Has timers. */
export const ticker = actor({
  kind: "ticker",
  init: () => ({ words: [] as string[], every: undefined as number | undefined }),
  receive: {
    after(_state, { ms, word }: { ms: number; word: string }, ctx) {
      return ctx.after(ms, "say", word);
    },
    every(state, { ms, word }: { ms: number; word: string }, ctx) {
      state.every = ctx.every(ms, "say", word);
    },
    cancel: (state, timer: number | undefined, ctx) => ctx.cancel(timer ?? state.every ?? 0),
    say(state, word: string) {
      state.words.push(word);
    },
    words: (state) => state.words,
  },
});

/** Listens to a topic. */
export const listener = actor({
  kind: "listener",
  init: (topic: string, ctx): string[] => {
    ctx.subscribe(topic, "heard");
    return [];
  },
  receive: {
    heard(words, word: string) {
      words.push(word);
    },
    words: (words) => words,
    leave(_words, topic: string, ctx) {
      ctx.unsubscribe(topic);
    },
  },
});

/** An entity. */
export const tally = actor({
  kind: "tally",
  init: (key: string) => ({ key, count: 0 }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    get: (state) => `${state.key}: ${state.count}`,
    stop(_state, _: undefined, ctx) {
      ctx.stop();
    },
  },
});

/** Takes one message while another one waits: of what comes then it drops what its mailbox says. */
export const narrow = actor({
  kind: "narrow",
  init: () => ({ numbers: [] as number[] }),
  receive: {
    async take(state, number: number) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      state.numbers.push(number);
    },
    numbers: (state) => state.numbers,
  },
  mailbox: { limit: 4, full: "fail" },
});
