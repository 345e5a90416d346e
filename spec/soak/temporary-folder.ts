import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inSlot } from "../kit/suite.ts";

/** A folder for the temporary files of this process and its slots alone, so that what is left in it can be seen. */
export interface TemporaryFolder {
  /** What is in it now, without the code and the sockets that a session keeps while it's open. */
  entries: () => string[];
  remove: () => void;
}

/** Makes the folder, and the one that slots take from now on. In a slot, that is done already. */
export function ownTemporaryFolder(): TemporaryFolder {
  if (inSlot) return { entries: () => [], remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "qstream-soak-"));
  process.env["TMPDIR"] = folder;
  return {
    entries: () =>
      readdirSync(folder).filter((name) => /^qstream-\d+-/.test(name) && !holdsSockets(join(folder, name))),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function holdsSockets(folder: string): boolean {
  return readdirSync(folder).some((name) => name.endsWith(".sock"));
}
