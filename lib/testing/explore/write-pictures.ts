import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spaceTimeHtml, spaceTimeSvg } from "./diagram/index.ts";
import type { RunTrace } from "./trace.ts";

/**
 * Writes a run as SVG and as an HTML page.
 *
 * @param name - what ran: files are called so
 * @returns their paths
 */
export async function writePictures(folder: string, name: string, trace: RunTrace): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const base = join(folder, `${name.replaceAll(/[^\w.-]+/gu, "-")}${trace.seed === 0 ? "" : `-seed-${trace.seed}`}`);
  await Promise.all([writeFile(`${base}.svg`, spaceTimeSvg(trace)), writeFile(`${base}.html`, spaceTimeHtml(trace))]);
  return [`${base}.svg`, `${base}.html`];
}
