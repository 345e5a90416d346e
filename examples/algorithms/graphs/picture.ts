/**
 * A map of the airports, drawn by the flows beside it: circles are as large as ranks, and lines are the shortest ways from Boston.
 *
 *     node dist/examples/algorithms/graphs/picture.js examples/algorithms/graphs/airports.svg
 */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { local } from "qstream";
import type { Position } from "./flight-network.ts";
import pageRank from "./page-rank.ts";
import shortestPaths from "./shortest-paths.ts";

const [width, height] = [960, 600];
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Albers' equal-area projection of the contiguous states, and where a place is on the picture. */
function pointOf({ latitude, longitude }: Position): { readonly x: number; readonly y: number } {
  const [first, second, middle] = [radians(29.5), radians(45.5), radians(38)];
  const n = (Math.sin(first) + Math.sin(second)) / 2;
  const c = Math.cos(first) ** 2 + 2 * n * Math.sin(first);
  const distance = (angle: number): number => Math.sqrt(c - 2 * n * Math.sin(angle)) / n;
  const angle = n * radians(longitude + 96);
  const x = distance(radians(latitude)) * Math.sin(angle);
  const y = distance(middle) - distance(radians(latitude)) * Math.cos(angle);
  return { x: Math.round(width / 2 + 1230 * x), y: Math.round(height / 2 - 1230 * y) };
}

/** The map leaves out Alaska, Hawaii and the islands. */
function isOnMap({ latitude, longitude }: Position): boolean {
  return latitude > 24 && latitude < 50 && longitude > -126 && longitude < -66;
}

/** True for airports whose names would be on top of each other. */
function isNear(one: Position, other: Position): boolean {
  const [from, to] = [pointOf(one), pointOf(other)];
  return Math.hypot(from.x - to.x, from.y - to.y) < 24;
}

/** The map as SVG: the same bytes each time, as no result depends on order. */
export async function drawMap(): Promise<string> {
  const session = await local({ slots: 2, isolation: "none" });
  const { ranks } = await pageRank.run({}, { on: session });
  const { ways } = await shortestPaths.run({}, { on: session });
  await session.close();
  const shown = ranks.filter(isOnMap).toSorted((a, b) => b.rank - a.rank || (a.airport < b.airport ? -1 : 1));
  const places = new Map(shown.map((airport) => [airport.airport, pointOf(airport)]));
  const lines = ways
    .toSorted((a, b) => (a.airport < b.airport ? -1 : 1))
    .flatMap(({ airport, over = "" }) => {
      const [from, to] = [places.get(over), places.get(airport)];
      return from && to ? [`<path d="M${from.x} ${from.y}L${to.x} ${to.y}"/>`] : [];
    });
  const circles = shown.map((airport) => {
    const { x, y } = pointOf(airport);
    return `<circle cx="${x}" cy="${y}" r="${(110 * Math.sqrt(airport.rank)).toFixed(1)}"/>`;
  });
  const named = shown.slice(0, 20).filter((airport, at, all) => all.findIndex((one) => isNear(one, airport)) === at);
  const names = named.map((airport) => {
    const { x, y } = pointOf(airport);
    return `<text x="${x}" y="${y + 4}">${airport.airport}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fbfaf7"/>`,
    `<g stroke="#c0a070" stroke-width="0.7" fill="none">`,
    ...lines,
    `</g>`,
    `<g fill="#2f6f9f" fill-opacity="0.6" stroke="#fff" stroke-width="0.5">`,
    ...circles,
    `</g>`,
    `<g text-anchor="middle" font-weight="bold" fill="#102030">`,
    ...names,
    `</g>`,
    `</svg>`,
    ``,
  ].join("\n");
}

const [, , path] = process.argv;
if (path !== undefined && import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(path, await drawMap());
}
