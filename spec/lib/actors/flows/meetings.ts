import {
  local,
  startActors,
  type ActorSystem,
  type DistributedActors,
  type FlowSession,
  type SessionOptions,
} from "../../../../lib/index.ts";
import bank from "./ledger-actors.ts";

/** A session, and actors that flows on it can reach. */
export interface Meeting {
  readonly session: FlowSession;
  readonly system: ActorSystem | DistributedActors;
}

/** A way for flows and actors to meet. */
export interface MeetingPlace {
  readonly name: string;
  readonly open: () => Promise<Meeting>;
  readonly close: () => Promise<void>;
}

// Failures are what some specs want.
const onEvent = (): void => {};
const common = { slots: 2, store: "memory", checkpointEveryMs: 20 } as const;

/** Actors of the client's thread, and actors on the slots of the session. */
export const meetingPlaces: readonly MeetingPlace[] = [
  meetingPlace("actors and slots in one thread", { isolation: "none" }, true),
  meetingPlace("actors of this thread, slots in threads", { isolation: "thread" }, true),
  meetingPlace("actors on slots in one thread", { isolation: "none" }, false),
  meetingPlace("actors on slots in threads", { isolation: "thread" }, false),
  meetingPlace("actors on slots in processes", { isolation: "process" }, false),
  meetingPlace("actors on one of two slots in threads", { isolation: "thread" }, false, 1),
  meetingPlace("actors on one of two slots in processes", { isolation: "process" }, false, 1),
];

/** @param isHere - whether actors are in this thread only */
function meetingPlace(name: string, options: SessionOptions, isHere: boolean, hosts?: number): MeetingPlace {
  let opened: Promise<Meeting> | undefined;
  const open = async (): Promise<Meeting> => {
    const session = await local({ ...common, ...options });
    return {
      session,
      system: isHere
        ? startActors({ onEvent })
        : await bank.start({ on: session, onEvent, ...(hosts === undefined ? {} : { hosts }) }),
    };
  };
  return {
    name,
    open: () => (opened ??= open()),
    close: async () => {
      const meeting = await opened;
      await meeting?.system.close();
      await meeting?.session.close();
    },
  };
}
