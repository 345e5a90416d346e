/**
 * Draws the runs that the pages of the algorithms show: of each a seed in which there is something to see, and the steps in which it is.
 *
 *     node dist/examples/algorithms/pictures.js
 */
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { recordRun, spaceTimeSvg, type Exploration } from "qstream/testing";

interface Picture {
  readonly folder: string;
  readonly seed: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

export const pictures: readonly Picture[] = [
  // The highest number goes all the way round, lower ones don't.
  { folder: "ring-election", seed: 12, firstStep: 7, lastStep: 38 },
  // Deferred replies; two ask at the same time of their clocks, and the lower number is first.
  { folder: "mutual-exclusion", seed: 1, firstStep: 10, lastStep: 45 },
  // A token that comes by while there is work turns black.
  { folder: "termination", seed: 7, firstStep: 10, lastStep: 38 },
  // Money that was on its way is part of the snapshot.
  { folder: "snapshot", seed: 240, firstStep: 84, lastStep: 126 },
  // A participant crashes, and is told again; another transfer is aborted.
  { folder: "two-phase-commit", seed: 7, firstStep: 44, lastStep: 83 },
  // Lost messages are a suspicion, which the one that is suspected denies.
  { folder: "membership", seed: 87, firstStep: 13, lastStep: 66 },
  // A replica is cut off, and comes to the same afterwards.
  { folder: "replicated-types", seed: 45, firstStep: 197, lastStep: 244 },
  // Two trainers are cut off, and the third has to wait for them.
  { folder: "parameter-server", seed: 8, firstStep: 40, lastStep: 92 },
  // What gets lost is sent again.
  { folder: "distributed-sort", seed: 138, firstStep: 5, lastStep: 59 },
  // The leader crashes; another is elected, and the old one is given what it missed.
  { folder: "raft", seed: 138, firstStep: 86, lastStep: 132 },
];

/** The run as SVG: the same bytes each time, as a seed is always the same run. */
export async function drawRun({ folder, seed, ...steps }: Picture): Promise<string> {
  const { default: exploration } = (await import(`./${folder}/exploration.js`)) as { default: Exploration };
  const path = `examples/algorithms/${folder}/exploration.ts`;
  return spaceTimeSvg(await recordRun(exploration, { seed, path }), steps);
}

/** The file of a picture, from the project's folder on. */
export function fileOf({ folder }: Picture): string {
  return `examples/algorithms/${folder}/run.svg`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const picture of pictures) {
    // oxlint-disable-next-line no-await-in-loop -- explorations take turns anyway
    writeFileSync(fileOf(picture), await drawRun(picture));
  }
}
