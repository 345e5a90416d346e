import type { Arrow } from "./arrows.ts";
import { rowHeight, type Layout } from "./layout.ts";

/** An arrow with its ends in pixels. One that was lost ends where its cross is. */
export interface PlacedArrow extends Arrow {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Half the size of the sign of an event; arrows end there. */
export const signRadius = 5;

// Where crosses are on the way to the next lane, of messages that one step lost at once.
const crossFirst = 0.34;
const crossStep = 0.2;
const crossLast = 0.8;
const stubWay = 0.3;

/** Gives each arrow its place. Arrows of a step that go the same way and end beside it get ends of their own. */
export function placeArrows(layout: Layout): PlacedArrow[] {
  const stubs = new Map<string, number>();
  return layout.arrows.map((arrow) => {
    const [x1, xTarget] = [layout.laneX(arrow.from), layout.laneX(arrow.to)];
    const y1 = arrow.start === undefined ? layout.top + 4 : layout.rowY(arrow.start);
    const direction = Math.sign(xTarget - x1);
    const atOnce = arrow.kind === "lost" && arrow.start === arrow.end;
    if (arrow.kind === "flying" || atOnce) {
      const key = `${arrow.start} ${direction}`;
      const before = stubs.get(key) ?? 0;
      stubs.set(key, before + 1);
      const way = atOnce ? Math.min(crossFirst + crossStep * before, crossLast) : stubWay;
      const drop = atOnce ? 0.62 : 0.8;
      return { ...arrow, x1, y1, x2: x1 + (direction || 0.5) * layout.gap * way, y2: y1 + rowHeight * drop };
    }
    const y2 = layout.rowY(arrow.end ?? 0);
    if (arrow.kind === "lost") {
      // One that was lost later ends a little before the line that it was for.
      const x2 = xTarget - (direction || -1) * layout.gap * crossFirst;
      return { ...arrow, x1, y1, x2, y2 };
    }
    return { ...arrow, x1, y1, x2: xTarget, y2 };
  });
}

/** The distance to the next lane on either side of a place, or to the edge of the lines' part. */
export function roomAround(layout: Layout, x: number): { readonly before: number; readonly behind: number } {
  let [before, behind] = [layout.left, layout.right];
  for (let lane = 0; lane < layout.lanes.all.length; lane++) {
    const laneX = layout.laneX(lane);
    if (laneX < x - 0.5) before = Math.max(before, laneX);
    if (laneX > x + 0.5) behind = Math.min(behind, laneX);
  }
  return { before: x - before, behind: behind - x };
}
