/**
 * The clusters as a picture: colours are clusters, shapes are species.
 *
 *     node dist/examples/algorithms/k-means/picture.js examples/algorithms/k-means/penguins.svg
 */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import kMeans, { type Clustered } from "./k-means.ts";

const [width, height, margin] = [720, 480, 50];
const colours = ["#2f6f9f", "#c8553d", "#4f8a4c", "#8a6bbf", "#c09030"];
/** Of beaks, in tenths of a millimetre. */
const [lengths, depths] = [
  [310, 610],
  [125, 220],
] as const;

const scaled = (value: number, [from, to]: readonly [number, number]): number => (value - from) / (to - from);

function pointOf(measures: readonly number[]): { readonly x: number; readonly y: number } {
  const [length = 0, depth = 0] = measures;
  return {
    x: Math.round(margin + scaled(length, lengths) * (width - 2 * margin)),
    y: Math.round(height - margin - scaled(depth, depths) * (height - 2 * margin)),
  };
}

function shapeOf({ species, measures, cluster }: Clustered): string {
  const { x, y } = pointOf(measures);
  const fill = `fill="${colours[cluster % colours.length] ?? ""}"`;
  if (species === "Adelie") return `<circle cx="${x}" cy="${y}" r="4" ${fill}/>`;
  if (species === "Gentoo") return `<rect x="${x - 3.5}" y="${y - 3.5}" width="7" height="7" ${fill}/>`;
  return `<path d="M${x} ${y - 5}l5 8.5h-10z" ${fill}/>`;
}

/** A cross at the mean of a cluster. */
function crossOf(penguins: readonly Clustered[]): string {
  const mean = (at: number): number =>
    penguins.reduce((sum, { measures }) => sum + (measures[at] ?? 0), 0) / penguins.length;
  const { x, y } = pointOf([mean(0), mean(1)]);
  return `<path d="M${x - 8} ${y - 8}l16 16m0 -16l-16 16" stroke="#102030" stroke-width="3"/>`;
}

function label(x: number, y: number, text: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${more}>${text}</text>`;
}

/** The picture as SVG: the same bytes each time, as no result depends on order. */
export async function drawClusters(): Promise<string> {
  const { penguins } = await kMeans.run({}, { slots: 2, isolation: "none" });
  const clusters = [...new Set(penguins.map(({ cluster }) => cluster))].toSorted((a, b) => a - b);
  const legend = ["Adelie", "Chinstrap", "Gentoo"].flatMap((species, at) => {
    const [length, depth] = [lengths[0] + 8, depths[0] + 18 - 6 * at];
    const { x, y } = pointOf([length, depth]);
    const shape = shapeOf({ species, island: "", measures: [length, depth], cluster: NaN });
    return [shape.replace('fill=""', 'fill="#777"'), label(x + 12, y + 4, species)];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#102030">`,
    `<rect width="${width}" height="${height}" fill="#fbfaf7"/>`,
    `<path d="M${margin} ${margin}V${height - margin}H${width - margin}" stroke="#102030" fill="none"/>`,
    label(width / 2, height - 18, "length of the beak, 31 to 61 mm", 'text-anchor="middle"'),
    label(0, 0, "depth, 12.5 to 22 mm", `text-anchor="middle" transform="translate(32 ${height / 2}) rotate(-90)"`),
    `<g stroke="#fff" stroke-width="0.6" fill-opacity="0.85">`,
    ...penguins.map(shapeOf).toSorted(),
    `</g>`,
    ...clusters.map((cluster) => crossOf(penguins.filter((penguin) => penguin.cluster === cluster))),
    ...legend,
    `</svg>`,
    ``,
  ].join("\n");
}

const [, , path] = process.argv;
if (path !== undefined && import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(path, await drawClusters());
}
