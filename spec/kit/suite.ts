import { setTimeout as wait } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import { suite as uvuSuite } from "uvu";
import { isSlot } from "../../lib/core/flow-registry.ts";

type Body = () => void | Promise<void>;

/** A suite as specs use it: sentences to bodies. In a slot that loads the spec for its flows, it does nothing. */
export interface Suite {
  (sentence: string, body: Body, timeoutMs?: number): void;
  after: (body: Body) => void;
  before: (body: Body) => void;
  run: () => void;
}

/** True where this module was loaded by a slot or a driver, which wants the flows of a spec file and not its tests. */
export const inSlot = !isMainThread || process.env["QSTREAM_SLOT"] !== undefined || isSlot();

/** Makes a uvu suite whose tests end after a time (20 s unless told), and which is inert in slots. */
export function suite(name: string): Suite {
  if (inSlot) {
    const inert = (): void => {};
    return Object.assign(inert, { after: inert, before: inert, run: inert });
  }
  const test = uvuSuite(name);
  const add = (sentence: string, body: Body, timeoutMs = 40_000): void => {
    test(sentence, () => within(timeoutMs, sentence, body));
  };
  return Object.assign(add, {
    after: (body: Body) => test.after(body),
    before: (body: Body) => test.before(body),
    run: () => test.run(),
  });
}

async function within(timeoutMs: number, sentence: string, body: Body): Promise<void> {
  const abort = new AbortController();
  const late = wait(timeoutMs, undefined, { signal: abort.signal }).then(
    () => {
      throw new Error(`"${sentence}" didn't end within ${timeoutMs} ms`);
    },
    () => {},
  );
  try {
    await Promise.race([Promise.resolve().then(body), late]);
  } finally {
    abort.abort();
  }
}
