import { actor, type ActorReference } from "qstream";
import { mixed, wholeRun, type Program } from "./program.ts";

interface BufferSize {
  readonly room: number;
  readonly producers: number;
  readonly consumers: number;
  /** Items of each producer. */
  readonly items: number;
}

interface Consumed {
  readonly items: number;
  readonly sum: number;
  /** The buffer never had more than it has room for. */
  readonly isWithinRoom: boolean;
}

interface BufferProtocol {
  put: (item: number) => void;
  take: () => number;
}

interface Buffer {
  readonly room: number;
  readonly items: number[];
  most: number;
}

/** Takes items while there is room, and gives them while there are some: what can't be done now is put aside. */
export const buffer = actor({
  kind: "buffer",
  init: (room: number): Buffer => ({ room, items: [], most: 0 }),
  receive: {
    put(state, item: number, ctx) {
      if (state.items.length === state.room) {
        ctx.stash();
        return;
      }
      state.items.push(item);
      state.most = Math.max(state.most, state.items.length);
      if (state.items.length === 1) ctx.unstash();
    },
    take(state, _nothing: undefined, ctx) {
      const item = state.items.shift();
      if (item === undefined) ctx.stash();
      else if (state.items.length === state.room - 1) ctx.unstash();
      return item ?? 0;
    },
    most: ({ most }) => most,
  },
});

interface Producer {
  readonly number: number;
  readonly items: number;
  readonly buffer: ActorReference<BufferProtocol>;
}

/** Puts an item when there was room for the one before. */
export const bufferProducer = actor({
  kind: "buffer-producer",
  init: (producer: Producer) => producer,
  receive: {
    async produce({ number, items, buffer: target }) {
      for (let item = 0; item < items; item++) await target.ask("put", itemOf(number, item), wholeRun);
    },
  },
});

/** Takes so many items, and answers with their sum. */
export const bufferConsumer = actor({
  kind: "buffer-consumer",
  init: (source: ActorReference<BufferProtocol>) => source,
  receive: {
    async consume(source, items: number) {
      let sum = 0;
      for (let taken = 0; taken < items; taken++) sum += await source.ask("take", undefined, wholeRun);
      return sum;
    },
  },
});

/** Producers and consumers on both sides of a buffer with little room. */
export const boundedBuffer: Program<BufferSize, Consumed> = {
  name: "bounded-buffer",
  run: async (system, { room, producers, consumers, items }) => {
    const target = system.spawn(buffer, room);
    const total = producers * items;
    const sums = Array.from({ length: consumers }, (_, number) => {
      const share = Math.floor((total * (number + 1)) / consumers) - Math.floor((total * number) / consumers);
      return system.spawn(bufferConsumer, target).ask("consume", share, wholeRun);
    });
    for (let number = 0; number < producers; number++) {
      system.spawn(bufferProducer, { number, items, buffer: target }).tell("produce");
    }
    const sum = (await Promise.all(sums)).reduce((left, right) => left + right, 0);
    return { items: total, sum, isWithinRoom: (await target.ask("most")) <= room };
  },
  plain: ({ producers, items }) => {
    let sum = 0;
    for (let number = 0; number < producers; number++) {
      for (let item = 0; item < items; item++) sum += itemOf(number, item);
    }
    return { items: producers * items, sum, isWithinRoom: true };
  },
  small: { room: 5, producers: 10, consumers: 4, items: 60 },
  large: { room: 50, producers: 40, consumers: 40, items: 2500 },
};

function itemOf(number: number, item: number): number {
  return mixed(number, item) & 0xffff;
}
