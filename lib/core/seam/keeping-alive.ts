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
      // A port that somebody might write to is what holds a process without a timer of the machine's.
      const { port1 } = new MessageChannel();
      port1.ref();
      const cancel = clock.after(delayMs, () => {
        port1.close();
        callback();
      });
      return () => {
        port1.close();
        cancel();
      };
    },
  };
}
