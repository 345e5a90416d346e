import { MessageChannel } from "node:worker_threads";
import type { Clock } from "./clock.ts";

/** A clock whose delays keep the process alive: for what is waited for when all slots and connections are closed. */
export function keepingAlive(clock: Clock): Clock {
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
