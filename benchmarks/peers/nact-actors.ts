import { dispatch, spawn, start, stop, type ActorSystemRef, type Ref } from "nact";

type Counted = { readonly add: number } | { readonly end: (total: number) => void };

// What one handler sends, so that the mailbox of the other one stays short: much slower without.
const inTurn = 1000;

/** One actor tells another, and takes the total at the end. */
export function tellInNact(messages: number): Promise<number> {
  return inSystem(
    (system) =>
      new Promise((resolve) => {
        const counter = spawn(
          system,
          (state: { total: number }, message: Counted) => {
            if ("add" in message) state.total += message.add;
            else message.end(state.total);
            return state;
          },
          "counter",
          { initialState: { total: 0 } },
        );
        const producer: Ref<number> = spawn(system, (_state: undefined, left: number) => {
          const most = Math.min(left, inTurn);
          for (let sent = 0; sent < most; sent++) dispatch(counter, { add: 1 });
          if (left > most) dispatch(producer, left - most);
          else dispatch(counter, { end: resolve });
          return undefined;
        });
        dispatch(producer, messages);
      }),
  );
}

interface Ball {
  readonly from: Ref<Ball>;
}

/** Two actors and one message between them; gives how often it came back. */
export function exchangeInNact(exchanges: number): Promise<number> {
  return inSystem(
    (system) =>
      new Promise((resolve) => {
        const returner: Ref<Ball> = spawn(system, (_state: undefined, { from }: Ball) => {
          dispatch(from, { from: returner });
          return undefined;
        });
        const server: Ref<Ball> = spawn(
          system,
          (state: { returned: number }, { from }: Ball) => {
            state.returned++;
            if (state.returned < exchanges) dispatch(from, { from: server });
            else resolve(state.returned);
            return state;
          },
          "server",
          { initialState: { returned: 0 } },
        );
        dispatch(returner, { from: server });
      }),
  );
}

interface Branch {
  readonly parent: Ref<number>;
  readonly first: number;
  readonly leaves: number;
}

/** A tree of actors; a leaf tells its number, a branch the sum of its ten children. */
export function skynetInNact(leaves: number): Promise<number> {
  return inSystem(
    (system) =>
      new Promise((resolve) => {
        const top: Ref<number> = spawn(system, (_state: undefined, sum: number) => resolve(sum));
        growInNact(top, { parent: top, first: 0, leaves });
      }),
  );
}

function growInNact(owner: Ref<unknown>, { parent, first, leaves }: Branch): void {
  const branch: Ref<number | "grow"> = spawn(
    owner,
    (state: { left: number; sum: number }, message: number | "grow") => {
      if (message !== "grow") {
        state.sum += message;
        state.left--;
      } else if (leaves === 1) state.sum = first;
      else {
        state.left = 10;
        const part = leaves / 10;
        for (let child = 0; child < 10; child++) {
          growInNact(branch, { parent: branch as Ref<number>, first: first + child * part, leaves: part });
        }
      }
      if (state.left > 0) return state;
      dispatch(parent, state.sum);
      stop(branch);
      return state;
    },
    String(first),
    { initialState: { left: 0, sum: 0 } },
  );
  dispatch(branch, "grow");
}

/** Actors that have handled one message each, and a way to be rid of them. */
export async function idleInNact(actors: number): Promise<() => void> {
  const system = start();
  await new Promise<void>((resolve) => {
    let left = actors;
    for (let number = 0; number < actors; number++) {
      const counter = spawn(
        system,
        (state: { total: number }, amount: number) => {
          state.total += amount;
          if (--left === 0) resolve();
          return state;
        },
        String(number),
        { initialState: { total: 0 } },
      );
      dispatch(counter, 1);
    }
  });
  return () => stop(system);
}

async function inSystem<Result>(run: (system: ActorSystemRef) => Promise<Result>): Promise<Result> {
  const system = start();
  try {
    return await run(system);
  } finally {
    stop(system);
  }
}
