import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryFolder, removeTemporaryFolder } from "../../lib/core/seam/temporary-folder.ts";

/** Where a machine keeps the code that it was sent. Only this user can enter it; it goes with the process. */
export class BundleFolder {
  #path: string | undefined;

  /** Writes a bundle that isn't there yet, and returns its path. */
  write(hash: string, code: string): string {
    this.#path ??= makeTemporaryFolder("code-");
    const path = pathIn(this.#path, hash);
    if (existsSync(path)) return path;
    const temporary = `${path}.part`;
    writeFileSync(temporary, code, { mode: 0o600 });
    renameSync(temporary, path);
    return path;
  }

  /** Removes a bundle that nobody needs any more. */
  drop(hash: string): void {
    if (this.#path !== undefined) rmSync(pathIn(this.#path, hash), { force: true });
  }

  remove(): void {
    if (this.#path !== undefined) removeTemporaryFolder(this.#path);
    this.#path = undefined;
  }
}

function pathIn(folder: string, hash: string): string {
  return join(folder, `${hash.slice(0, 24)}.mjs`);
}
