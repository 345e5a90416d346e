import { createActor, fromTransition, type ActorRefFrom, type AnyActorRef } from "xstate";

type Counted = { readonly type: "add"; readonly amount: number };

const counter = fromTransition(
  (state: { total: number }, { amount }: Counted) => {
    state.total += amount;
    return state;
  },
  () => ({ total: 0 }),
);

interface Order {
  readonly type: "produce";
  readonly messages: number;
}

const producer = fromTransition(
  (target: ActorRefFrom<typeof counter>, { messages }: Order) => {
    for (let sent = 0; sent < messages; sent++) target.send({ type: "add", amount: 1 });
    return target;
  },
  ({ input }: { input: ActorRefFrom<typeof counter> }) => input,
);

/** One actor tells another, which handles each message at once, inside of the sender's turn. */
export function tellInXstate(messages: number): number {
  const target = createActor(counter).start();
  createActor(producer, { input: target }).start().send({ type: "produce", messages });
  return target.getSnapshot().context.total;
}

type Ball = { readonly type: "ball"; readonly from: AnyActorRef };

const returner = fromTransition((state: undefined, { from }: Ball, { self }) => {
  from.send({ type: "ball", from: self });
  return state;
}, undefined);

const server = fromTransition(
  (state: { returned: number; readonly exchanges: number }, { from }: Ball, { self }) => {
    state.returned++;
    if (state.returned < state.exchanges) from.send({ type: "ball", from: self });
    return state;
  },
  ({ input }: { input: number }) => ({ returned: 0, exchanges: input }),
);

/** Two actors and one message between them; gives how often it came back. */
export function exchangeInXstate(exchanges: number): number {
  const first = createActor(server, { input: exchanges }).start();
  createActor(returner).start().send({ type: "ball", from: first });
  return first.getSnapshot().context.returned;
}

/** Actors that have handled one message each. */
export function idleInXstate(actors: number): readonly AnyActorRef[] {
  return Array.from({ length: actors }, () => {
    const reference = createActor(counter).start();
    reference.send({ type: "add", amount: 1 });
    return reference;
  });
}
