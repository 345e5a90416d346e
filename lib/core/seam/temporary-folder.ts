import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const named = /^qstream-(?:code-)?(?<pid>\d+)-/;

/** Makes a temporary folder that only this user can enter. Its name holds the process, so that it can be swept after a crash. */
export function makeTemporaryFolder(kind: "" | "code-" = ""): string {
  sweepTemporaryFolders();
  return mkdtempSync(join(tmpdir(), `qstream-${kind}${process.pid}-`));
}

/** Removes a folder. One that is busy stays for the next sweep: this is called while a process ends. */
export function removeTemporaryFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Somebody else removes it too, or still writes there.
  }
}

let swept = false;

/** Removes what processes left behind that were killed. Looks once in a process. */
function sweepTemporaryFolders(): void {
  if (swept) return;
  swept = true;
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(named.exec(name)?.groups?.["pid"]);
    if (!Number.isNaN(pid) && isGone(pid)) removeTemporaryFolder(join(tmpdir(), name));
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // A process of another user can't be signalled, but is there.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
