// Generates lib/core/envelope/generated and lib/core/lineage/generated from their .fbs files with flatc (Debian: apt-get install flatbuffers-compiler), then
// makes it compile under our flags: `.ts` imports, and constants for enums, which erasableSyntaxOnly forbids.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

for (const schema of ["envelope/envelope.fbs", "lineage/record.fbs"]) {
  const source = fileURLToPath(new URL(`../lib/core/${schema}`, import.meta.url));
  const folder = join(dirname(source), "generated");
  const made = mkdtempSync(join(tmpdir(), "qstream-flatc-"));
  try {
    execFileSync("flatc", ["--ts", "-o", made, source], { stdio: "inherit" });
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(made)) {
      // The file that exports all others again has nothing of its own.
      if (name.endsWith("_generated.ts")) continue;
      writeFileSync(join(folder, name), patch(readFileSync(join(made, name), "utf8")));
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function patch(source) {
  return source
    .replaceAll(/^import \* as flatbuffers from 'flatbuffers';/gmu, 'import * as flatbuffers from "flatbuffers";')
    .replaceAll(/^import \{ (\w+) \} from '\.?\.?\/(?:.*\/)?([\w-]+)';/gmu, 'import { $1 } from "./$2.ts";')
    .replaceAll(/^export enum (\w+) \{([^}]*)\}/gmu, (_, name, body) => {
      const members = body.replaceAll(" = ", ": ").trimEnd();
      return `export const ${name} = {${members},\n} as const;\n\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
    })
    .replaceAll(/(this\.bb!\.readUint8\(.*\)) : (\w+)\.(\w+);/gu, "($1 as $2) : $2.$3;");
}
