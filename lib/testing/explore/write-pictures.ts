import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { QStreamError } from "../../core/errors.ts";
import { makeFolder } from "../../core/seam/make-folder.ts";
import { spaceTimeHtml, spaceTimeSvg } from "./diagram/index.ts";
import type { RunTrace } from "./trace.ts";

const advice = "Give a folder that can be made and written to";

/**
 * Writes a run as SVG and as an HTML page.
 *
 * @param name - what ran: files are called so
 * @returns their paths
 * @throws QStreamError OPTION_INVALID where they can't be written
 */
export async function writePictures(folder: string, name: string, trace: RunTrace): Promise<readonly string[]> {
  const base = join(folder, `${name.replaceAll(/[^\w.-]+/gu, "-")}${trace.seed === 0 ? "" : `-seed-${trace.seed}`}`);
  try {
    await makeFolder(resolve(folder), resolve(folder), advice);
    await Promise.all([writeFile(`${base}.svg`, spaceTimeSvg(trace)), writeFile(`${base}.html`, spaceTimeHtml(trace))]);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new QStreamError("OPTION_INVALID", `pictures can't be written to ${folder}: ${error.message}`, {
      // What makes folders has said it.
      ...(error instanceof QStreamError ? {} : { advice }),
      cause: error,
    });
  }
  return [`${base}.svg`, `${base}.html`];
}
