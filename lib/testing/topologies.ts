import { local, type Session, type SessionOptions } from "../flow/session.ts";

/** A way to run the same flow: the result must not depend on it. */
export interface Topology {
  readonly name: string;
  /** The session, opened at the first use and kept warm for the whole file. */
  session: () => Promise<Session>;
  close: () => Promise<void>;
}

/** One thread, two threads and two processes. */
export function topologies(options: SessionOptions = {}): readonly Topology[] {
  return [
    topology("one thread", { ...options, slots: 2, isolation: "none" }),
    topology("two threads", { ...options, slots: 2, isolation: "thread" }),
    topology("two processes", { ...options, slots: 2, isolation: "process" }),
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
