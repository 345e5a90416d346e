import { cellFlag, type Cell } from "../../../actors/system/cell.ts";
import type { WorldMachine } from "./machine.ts";
import type { World } from "./world.ts";

/** Who waits when a run is over, in words, of each kind one. */
export interface Waiting {
  /** For what nothing in the world gives. */
  readonly outside?: string;
  /** For an answer. */
  readonly answer?: string;
}

/** Finds actors whose handlers wait. */
export function whoWaits(world: World): Waiting {
  let waiting: Waiting = {};
  for (const machine of world.machines) {
    if (!machine.isUp) continue;
    for (const cell of machine.node.living()) {
      if ((cell.flags & cellFlag.suspended) === 0) continue;
      waiting = { ...whatFor(world, machine, cell), ...waiting };
    }
  }
  return waiting;
}

function whatFor(world: World, machine: WorldMachine, cell: Cell): Waiting {
  const who = `${cell.label} waits ${whereOf(cell)}`;
  for (const { asker, what } of machine.asks) if (asker === cell) return { answer: `${who} for an answer to ${what}` };
  for (const { asker } of [...world.resumptions, ...machine.held]) if (asker === cell) return {};
  const advice = "let time be ctx.after, and what others do be a message or a question";
  return { outside: `${who} for something that isn't in the world: ${advice}` };
}

function whereOf(cell: Cell): string {
  const name = cell.extras?.handling?.name;
  if (name !== undefined) return `at "${name}"`;
  return (cell.flags & cellFlag.starting) === 0 ? "where it is told of an end" : "as it starts";
}
