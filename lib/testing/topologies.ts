import { local, type Session, type SessionOptions } from "../flow/session.ts";

/** A way to run the same flow: the result must not depend on it. */
export interface Topology {
  readonly name: string;
  /** The session, opened at the first use and kept warm for the whole file. */
  session: () => Promise<Session>;
  close: () => Promise<void>;
}

/**
 * One thread, two threads and two processes. On threads, tasks are logged and states saved, in memory.
 */
export function topologies(options: SessionOptions = {}): readonly Topology[] {
  return [
    topology("one thread", { slots: 2, isolation: "none", ...options }),
    topology("two threads", { slots: 2, isolation: "thread", store: "memory", ...options }),
    topology("two processes", { slots: 2, isolation: "process", store: "none", ...options }),
  ];
}

/** A topology of any session options. */
export function topology(name: string, options: SessionOptions): Topology {
  let opened: Promise<Session> | undefined;
  return {
    name,
    session: () => (opened ??= local(options)),
    close: async () => {
      await (await opened)?.close();
      opened = undefined;
    },
  };
}
