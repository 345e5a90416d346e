import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../../kit/sources.ts";

/** How a printed spec ended, and what it said. */
export interface PrintedEnded {
  readonly code: number;
  readonly output: string;
}

const folder = join(projectFolder, "dist/spec/printed");

/** Runs a spec that was printed, in a process of its own, as somebody does who pastes it. */
export async function runPrinted(name: string, spec: string): Promise<PrintedEnded> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}-${process.pid}.mjs`);
  writeFileSync(file, spec);
  try {
    return await new Promise((resolve) => {
      execFile(process.execPath, [file], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : 1, output: `${stdout}${stderr}` }),
      );
    });
  } finally {
    rmSync(file);
  }
}
