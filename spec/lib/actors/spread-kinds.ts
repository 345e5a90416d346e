// Actors of specs in which slots are lost, and of floods between slots.
import { setTimeout as wait } from "node:timers/promises";
import { actor, defineActors, tagged, type ActorReference, type AnyReference, type Ended } from "../../../lib/index.ts";

/** Knows in which process it is, and ends that. */
export const resident = actor({
  init: (word: string | undefined) => ({ word, words: [] as string[] }),
  receive: {
    pid: () => process.pid,
    say(state, word: string) {
      state.words.push(word);
    },
    words: (state) => state.words,
    child: (_state, near: AnyReference, ctx): AnyReference =>
      ctx.spawn(resident, undefined, { place: { kind: "near", actor: near } }),
    childOn: (_state, tag: string, ctx): AnyReference => ctx.spawn(resident, undefined, { place: tagged(tag) }),
    failingChild(_state, near: AnyReference, ctx): AnyReference {
      return ctx.spawn(fragile, undefined, { place: { kind: "near", actor: near } });
    },
    spin(_state, milliseconds: number) {
      for (const end = performance.now() + milliseconds; performance.now() < end;);
    },
    never: () => new Promise<void>(() => {}),
    listen(_state, topic: string, ctx) {
      ctx.subscribe(topic, "say");
    },
    stop(_state, _: undefined, ctx) {
      ctx.stop();
    },
    die() {
      process.kill(process.pid, "SIGKILL");
    },
  },
});

/** Fails, which its parent hears of. */
export const fragile = actor({
  init: () => ({}),
  receive: {
    fail() {
      throw new RangeError("broken");
    },
  },
  supervise: [{ do: "escalate" }],
});

/** Is told of ends. */
export const mourner = actor({
  init: () => ({ ends: [] as string[] }),
  receive: {
    watch(_state, other: AnyReference, ctx) {
      ctx.watch(other);
    },
    ends: (state) => state.ends,
  },
  watched(state, { reason }: Ended) {
    state.ends.push(reason);
  },
});

/** One of a kind and key. */
export const room = actor({
  init: (key: string) => ({ key, visits: 0 }),
  receive: {
    visit(state) {
      return { key: state.key, visits: ++state.visits, pid: process.pid };
    },
  },
});

/** Takes its time, and lets little wait. */
export const slow = actor({
  init: () => ({ taken: 0, order: true, last: 0 }),
  receive: {
    async take(state, message: { readonly number: number; readonly bytes?: Uint8Array }) {
      if (message.number !== state.last + 1) state.order = false;
      state.last = message.number;
      state.taken++;
      if (state.taken % 200 === 0) await wait(1);
    },
    taken: (state) => ({ taken: state.taken, order: state.order }),
  },
  mailbox: { limit: 100 },
});

/** Sends as fast as it is let. */
export const flood = actor({
  init: (to: ActorReference<{ take: (message: { number: number; bytes?: Uint8Array }) => void }>) => ({ to, sent: 0 }),
  receive: {
    send(state, { count, bytes }: { readonly count: number; readonly bytes: number }, ctx) {
      const now = Math.min(count, 10);
      for (let index = 0; index < now; index++) {
        state.to.tell("take", { number: ++state.sent, ...(bytes === 0 ? {} : { bytes: new Uint8Array(bytes) }) });
      }
      if (count > now) ctx.self.tell("send", { count: count - now, bytes });
    },
    sendPages(
      state,
      { count, every, bytes }: { readonly count: number; readonly every: number; readonly bytes: number },
    ) {
      const page = new Uint8Array(bytes);
      for (let index = 0; index < count; index++) {
        state.to.tell("take", { number: ++state.sent, bytes: index % every === 0 ? page : page.subarray(0, 3) });
      }
    },
    sent: (state) => state.sent,
  },
});

export default defineActors(import.meta.url, { resident, fragile, mourner, room, slow, flood });
