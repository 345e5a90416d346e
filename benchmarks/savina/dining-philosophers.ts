import { actor, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface DinnerSize {
  readonly philosophers: number;
  /** For each. */
  readonly meals: number;
}

interface Dinner {
  readonly meals: number;
  /** Times that somebody was given a fork that another one had. */
  readonly conflicts: number;
}

interface WaiterProtocol {
  hungry: (seat: number) => boolean;
  sated: (seat: number) => void;
  left: (meals: number) => void;
}

interface Waiter {
  /** Whose each fork is; -1: nobody's. */
  readonly forks: number[];
  /** Who waits for both forks, in this order. */
  readonly hungry: Map<number, Deferred<boolean>>;
  seatsLeft: number;
  meals: number;
  conflicts: number;
  over: Deferred<Dinner> | undefined;
}

/** Gives out both forks of a seat, or makes whoever sits there wait for them. */
export const waiter = actor({
  kind: "waiter",
  init: (philosophers: number): Waiter => ({
    forks: Array.from({ length: philosophers }, () => -1),
    hungry: new Map(),
    seatsLeft: philosophers,
    meals: 0,
    conflicts: 0,
    over: undefined,
  }),
  receive: {
    over(state, _nothing: undefined, ctx) {
      const over = ctx.deferred<Dinner>();
      state.over = over;
      return over;
    },
    hungry(state, seat: number, ctx) {
      if (areFree(state, seat)) return take(state, seat);
      const later = ctx.deferred<boolean>();
      state.hungry.set(seat, later);
      return later;
    },
    sated(state, seat: number) {
      for (const fork of forksOf(state, seat)) {
        if (state.forks[fork] !== seat) state.conflicts++;
        state.forks[fork] = -1;
      }
      const seats = state.forks.length;
      for (const neighbour of [(seat + 1) % seats, (seat + seats - 1) % seats]) {
        const waiting = state.hungry.get(neighbour);
        if (waiting === undefined || !areFree(state, neighbour)) continue;
        state.hungry.delete(neighbour);
        waiting.send(take(state, neighbour));
      }
    },
    left(state, meals: number) {
      state.meals += meals;
      if (--state.seatsLeft === 0) state.over?.send({ meals: state.meals, conflicts: state.conflicts });
    },
  },
});

interface Seat {
  readonly seat: number;
  readonly meals: number;
  readonly waiter: ActorReference<WaiterProtocol>;
}

/** Thinks, asks for forks, and eats, so many times. */
export const philosopher = actor({
  kind: "philosopher",
  init: (place: Seat) => place,
  receive: {
    async dine({ seat, meals, waiter: attendant }, _nothing: undefined, ctx) {
      for (let meal = 0; meal < meals; meal++) {
        await attendant.ask("hungry", seat, wholeRun);
        attendant.tell("sated", seat);
      }
      attendant.tell("left", meals);
      ctx.stop();
    },
  },
});

/** Actors that compete for what neighbours share, without a deadlock. */
export const diningPhilosophers: Program<DinnerSize, Dinner> = {
  name: "dining-philosophers",
  run: (system, { philosophers, meals }) => {
    const attendant = system.spawn(waiter, philosophers);
    const over = attendant.ask("over", undefined, wholeRun);
    for (let seat = 0; seat < philosophers; seat++) {
      system.spawn(philosopher, { seat, meals, waiter: attendant }).tell("dine");
    }
    return over;
  },
  plain: ({ philosophers, meals }) => ({ meals: philosophers * meals, conflicts: 0 }),
  small: { philosophers: 20, meals: 50 },
  large: { philosophers: 20, meals: 5000 },
};

function forksOf({ forks }: Waiter, seat: number): readonly [number, number] {
  return [seat, (seat + 1) % forks.length];
}

function areFree(state: Waiter, seat: number): boolean {
  return forksOf(state, seat).every((fork) => state.forks[fork] === -1);
}

function take(state: Waiter, seat: number): true {
  for (const fork of forksOf(state, seat)) state.forks[fork] = seat;
  return true;
}
