import { MessageChannel } from "node:worker_threads";
import { systemClock, type Clock } from "./clock.ts";

/**
 * A clock whose delays keep the process alive: for what is waited for when all slots and connections are closed. Those of a virtual
 * clock don't: where its world ends, they never come.
 */
export function keepingAlive(clock: Clock): Clock {
  if (clock !== systemClock) return clock;
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    soon: (callback) => clock.soon(callback),
    after(delayMs, callback) {
      const letGo = keepAlive(clock);
      const cancel = clock.after(delayMs, () => {
        letGo();
        callback();
      });
      return () => {
        letGo();
        cancel();
      };
    },
  };
}

/** Keeps the process alive until the function that it returns is called; on a virtual clock there is nothing to keep. */
export function keepAlive(clock: Clock): () => void {
  if (clock !== systemClock) return () => {};
  // A port that somebody might write to is what holds a process without a timer of the machine's.
  const { port1 } = new MessageChannel();
  port1.ref();
  return () => port1.close();
}
