import type { Arrow } from "./arrows.ts";
import { signRadius, type PlacedArrow } from "./geometry.ts";
import { crossAt, element, path } from "./markup.ts";

const headLength = 8;
const headWidth = 3.5;
const crossSize = 4.5;
const loopWidth = 26;

/** Messages on their way, one group each. `data-start` and `data-end` are the rows of its ends. */
export function drawArrows(arrows: readonly PlacedArrow[]): string {
  return arrows
    .map((arrow) => {
      const { kind, start, end } = arrow;
      const attributes = {
        class: start === undefined ? `arrow ${kind} early` : `arrow ${kind}`,
        "data-start": start === undefined ? undefined : String(start),
        "data-end": end === undefined ? undefined : String(end),
      };
      return element("g", attributes, drawArrow(arrow));
    })
    .join("\n");
}

/** The line of a message with its head, or its cross. */
export function drawArrow(arrow: Pick<PlacedArrow, "x1" | "y1" | "x2" | "y2" | "kind" | "from" | "to">): string {
  const { kind, x1, y1, x2, y2 } = arrow;
  if (arrow.from === arrow.to && isDelivered(kind)) {
    const angle = Math.PI - 0.3;
    const shaft = path("shaft", [
      "M",
      x1,
      y1,
      "C",
      x1 + loopWidth,
      y1,
      x2 + loopWidth,
      y2 - 6,
      x2 + signRadius,
      y2 - 1,
    ]);
    return shaft + drawHead(x2 + signRadius, y2 - 1, angle);
  }
  const angle = Math.atan2(y2 - y1, x2 - x1);
  // A delivered one touches the sign of its delivery; others end in the open.
  const back = isDelivered(kind) ? signRadius : 0;
  const [x, y] = [x2 - back * Math.cos(angle), y2 - back * Math.sin(angle)];
  const shaft = path("shaft", ["M", x1, y1, "L", x, y]);
  return shaft + (kind === "lost" ? crossAt("cross", x2, y2, crossSize) : drawHead(x, y, angle));
}

function isDelivered(kind: Arrow["kind"]): boolean {
  return kind === "delivered" || kind === "duplicate";
}

function drawHead(x: number, y: number, angle: number): string {
  const [along, across] = [Math.cos(angle), Math.sin(angle)];
  const [x0, y0] = [x - headLength * along, y - headLength * across];
  const side = [headWidth * across, headWidth * along] as const;
  return path("head", ["M", x, y, "L", x0 - side[0], y0 + side[1], "L", x0 + side[0], y0 - side[1], "Z"]);
}
