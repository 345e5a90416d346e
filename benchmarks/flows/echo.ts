import { defineFlow, run, tagged, type Operator, type Reader, type Task } from "qstream";

/** What goes to the other machine and comes back. */
export type Ping = Uint8Array;

const pingBytes = 100;

/** Reader and last operator are in one slot, and share this module: who waits for the answer to the ping on its way. */
let answered: ((ping: Ping) => void) | undefined;

/** Sends a ping, waits for its answer, and sends the next; then gives the median of the times. */
function pings(warmups: number, count: number): Reader<Ping, number> {
  return {
    kind: "pings",
    options: { count },
    splits: () => [warmups + count],
    async *read(total) {
      times.length = 0;
      for (let index = 0; index < total; index++) {
        const ping = new Uint8Array(pingBytes).fill(index);
        const answer = new Promise<Ping>((resolve) => (answered = resolve));
        const from = performance.now();
        yield run([ping]);
        if ((await answer)[0] !== ping[0]) throw new Error("another ping came back than was sent");
        if (index >= warmups) times.push(performance.now() - from);
      }
    },
  };
}

const times: number[] = [];

class Echo implements Operator<{ in: Ping }, Ping> {
  execute({ objects }: Task<{ in: Ping }>): readonly Ping[] {
    return objects;
  }

  done(): Ping[] {
    return [];
  }
}

class Answers implements Operator<{ in: Ping }, number> {
  execute({ objects }: Task<{ in: Ping }>): void {
    for (const ping of objects) answered?.(ping);
  }

  done(): number[] {
    return [...times];
  }
}

/** Round trips of parcels of one small object between two machines, one at a time: the milliseconds of each. */
export const echoes = defineFlow(import.meta.url, (q, args: { warmups: number; count: number }) => {
  const milliseconds = q
    .read("pings", pings(args.warmups, args.count), { place: tagged("sender") })
    .apply("echo", () => new Echo(), { place: tagged("receiver") })
    .apply("answers", () => new Answers(), { place: tagged("sender") });
  return { milliseconds: milliseconds.collect() };
});
