// A disk so small that specs can fill it.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A mounted disk. */
export interface SmallDisk {
  readonly path: string;
  readonly unmount: () => void;
}

/** Mounts a disk of 48 MB; undefined where none can be, and `skipped: needs ...` is printed, which the runner counts. */
export function mountSmallDisk(path: string): SmallDisk | undefined {
  mkdirSync(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", path], { stdio: "ignore" });
    return { path, unmount: () => void execFileSync("umount", ["-l", path], { stdio: "ignore" }) };
  } catch {
    console.log("skipped: needs the right to mount a tmpfs");
    return undefined;
  }
}

/** Takes all the space that is left. */
export function fillDisk(path: string): void {
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(join(path, "ballast"), new Uint8Array(bavail * bsize));
}

/** Gives back what `fillDisk` took. */
export function freeDisk(path: string): void {
  rmSync(join(path, "ballast"));
}
