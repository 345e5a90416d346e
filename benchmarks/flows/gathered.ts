import type { OutputSink } from "qstream";

/** All objects of all channels, at the client. */
export function gathered<T>(): OutputSink<T, T[]> {
  return {
    kind: "gathered",
    guarantee: "idempotent",
    placement: "client",
    open() {
      const all: T[] = [];
      return {
        write(objects) {
          for (const object of objects) all.push(object);
        },
        done: () => all,
      };
    },
    result: (parts) => (parts as readonly T[][]).flat(),
  };
}
