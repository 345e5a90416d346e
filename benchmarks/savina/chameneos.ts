import { actor, type ActorReference, type AnyReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

const colours = ["blue", "red", "yellow"] as const;
type Colour = (typeof colours)[number];

interface Meetings {
  readonly creatures: number;
  readonly meetings: number;
}

interface MallProtocol {
  meet: (colour: Colour) => void;
  faded: (met: number) => void;
}

interface Creature {
  colour: Colour;
  met: number;
  readonly mall: ActorReference<MallProtocol>;
}

/** Goes to the mall, meets another one there, and takes the colour that neither has. */
export const creature = actor({
  kind: "creature",
  init: ({ colour, mall }: { readonly colour: Colour; readonly mall: ActorReference<MallProtocol> }): Creature => ({
    colour,
    met: 0,
    mall,
  }),
  receive: {
    arrive({ mall, colour }) {
      mall.tell("meet", colour);
    },
    met(state, other: Colour) {
      state.met++;
      state.colour = complement(state.colour, other);
      state.mall.tell("meet", state.colour);
    },
    fade({ mall, met }, _nothing: undefined, ctx) {
      mall.tell("faded", met);
      ctx.stop();
    },
  },
});

interface Mall {
  meetingsLeft: number;
  creaturesLeft: number;
  waiting: { readonly colour: Colour; readonly who: AnyReference } | undefined;
  met: number;
  over: Deferred<number> | undefined;
}

/** Where two meet, as often as it is open for. */
export const mall = actor({
  kind: "mall",
  init: ({ creatures, meetings }: Meetings): Mall => ({
    meetingsLeft: meetings,
    creaturesLeft: creatures,
    waiting: undefined,
    met: 0,
    over: undefined,
  }),
  receive: {
    over(state, _nothing: undefined, ctx) {
      const over = ctx.deferred<number>();
      state.over = over;
      return over;
    },
    meet(state, colour: Colour, ctx) {
      const who = ctx.sender;
      if (who === undefined) return;
      const { waiting } = state;
      if (state.meetingsLeft === 0) who.tell("fade");
      else if (waiting === undefined) state.waiting = { colour, who };
      else {
        state.meetingsLeft--;
        state.waiting = undefined;
        waiting.who.tell("met", colour);
        who.tell("met", waiting.colour);
      }
    },
    faded(state, met: number) {
      state.met += met;
      if (--state.creaturesLeft === 0) state.over?.send(state.met);
    },
  },
});

/** Many that compete for a meeting with any other one; gives how often all have met. */
export const chameneos: Program<Meetings, number> = {
  name: "chameneos",
  run: (system, size) => {
    const place = system.spawn(mall, size);
    const over = place.ask("over", undefined, wholeRun);
    for (let number = 0; number < size.creatures; number++) {
      const colour = colours[number % colours.length] ?? "blue";
      system.spawn(creature, { colour, mall: place }).tell("arrive");
    }
    return over;
  },
  plain: ({ meetings }) => 2 * meetings,
  small: { creatures: 20, meetings: 800 },
  large: { creatures: 100, meetings: 200_000 },
};

function complement(left: Colour, right: Colour): Colour {
  return left === right ? left : (colours.find((colour) => colour !== left && colour !== right) ?? left);
}
