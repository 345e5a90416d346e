import { actor, broadcaster, router, startActors, workerPool, type ActorDefinition, type ActorReference } from "qstream";

const counter = actor({
  init: (start: number) => ({ count: start }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    get: (state) => state.count,
  },
});
const system = startActors();
actor({
  // @ts-expect-error: a migration that gives no state
  durable: { version: 2, migrate: (state) => void state },
  init: () => ({ count: 0 }),
  receive: { get: (state) => state.count },
});
const reference = system.spawn(counter, 1);

// @ts-expect-error: a payload of another type
reference.tell("add", "three");
// @ts-expect-error: a payload is missing
reference.tell("add");
// @ts-expect-error: there is no such message
reference.tell("substract", 3);
// @ts-expect-error: a payload for a message that has none
reference.tell("get", 5);
// @ts-expect-error: options where the payload belongs
void reference.ask("get", { timeoutMs: 5 });
// @ts-expect-error: there is no such option
void reference.ask("get", undefined, { timeout: 5 });
// @ts-expect-error: a reply of another type
export const reply: Promise<string> = reference.ask("get");
// @ts-expect-error: arguments are missing
system.spawn(counter);
// @ts-expect-error: arguments of another type
system.spawn(counter, "five");
// @ts-expect-error: an option that there isn't
system.spawn(counter, 5, { nmae: "ann" });
// @ts-expect-error: an entity is made with its key
system.entity(counter, "ann");
// @ts-expect-error: a reference of a smaller protocol where a larger one is wanted
export const larger: ActorReference<{ add: (amount: number) => void; reset: () => void }> = reference;
// @ts-expect-error: the message has another payload
export const other: ActorReference<{ add: (amount: string) => void }> = reference;

// @ts-expect-error: a definition without handlers
actor({ init: () => 0 });
// @ts-expect-error: a definition without a state
actor({ receive: { go() {} } });
// @ts-expect-error: a handler that is no function
actor({ init: () => 0, receive: { go: 5 } });
// @ts-expect-error: a handler of another state
actor({ init: () => 0, receive: { go(_state: string) {} } });
actor({
  init: () => ({ count: 0 }),
  receive: {
    go(state) {
      // @ts-expect-error: the state has no such property
      state.cuont++;
    },
  },
});
// @ts-expect-error: an option that there isn't
actor({ init: () => 0, receive: { go() {} }, recieve: {} });
// @ts-expect-error: a mode with a message that there isn't
actor({ init: () => 0, receive: { go() {} }, modes: { open: { come() {} } } });
// @ts-expect-error: a mode that answers with something else
actor({ init: () => 0, receive: { get: () => 5 }, modes: { open: { get: () => "five" } } });
// @ts-expect-error: a rule that does something that there isn't
actor({ init: () => 0, receive: { go() {} }, supervise: [{ do: "retry" }] });
// @ts-expect-error: something else when full
actor({ init: () => 0, receive: { go() {} }, mailbox: { full: "block" } });
// @ts-expect-error: a definition that lacks a message of the protocol
export const lacking: ActorDefinition<{ go: () => void; come: () => void }, void> = actor({
  init: () => 0,
  receive: { go() {} },
});

// @ts-expect-error: a pool needs a size
workerPool(counter, {});
// @ts-expect-error: a key is a function
workerPool(counter, { size: 2, key: "customer" });
// @ts-expect-error: a pool takes the arguments of its workers
system.spawn(workerPool(counter, { size: 2 }), "five");
// @ts-expect-error: what is routed has the actors' protocol
system.spawn(router([reference])).tell("substract", 1);
// @ts-expect-error: who asks all gets a list
export const all: Promise<number> = system.spawn(broadcaster([reference])).ask("get");
