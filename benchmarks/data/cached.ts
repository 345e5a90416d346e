import { existsSync, mkdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A generated file that is kept between runs. It gets its name once it is whole. */
export function cachedFile(name: string, write: (path: string) => void): string {
  const folder = join(tmpdir(), "qstream-benchmarks");
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  process.stderr.write(`writing ${path} ...\n`);
  write(unfinished);
  renameSync(unfinished, path);
  return path;
}
