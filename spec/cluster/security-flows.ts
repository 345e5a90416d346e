import { createHash } from "node:crypto";
import { defineFlow, items, jsonLines, lines } from "qstream";

/** How many lines files have. */
export const reading = defineFlow(import.meta.url, (q, { path }: { path: string }) => ({
  count: q.read("lines", lines(path)).count("count").collect(),
}));

/** Writes files. */
export const writing = defineFlow(import.meta.url, (q, { path }: { path: string }) => ({
  written: q.read("items", items(["a", "b"])).toLines(path),
}));

/** Where its files are: lines.txt and keys.jsonl; and a name that the machine's environment has something under. */
interface Given {
  readonly folder: string;
  readonly name: string;
}

/** All that a flow may do: read and write files of a folder, know a secret by its name, and meet what it didn't expect. */
export const everything = defineFlow(import.meta.url, (q, { folder, name }: Given) => ({
  count: q
    .read("lines", lines(`${folder}/lines.txt`))
    .count("count")
    .collect(),
  written: q.read("items", items(["a", "b"])).toLines(`${folder}/written`),
  digests: q
    .read("names", items([name]))
    .map("digest", (one) =>
      createHash("sha256")
        .update(process.env[one] ?? "")
        .digest("hex"),
    )
    .collect(),
  found: q
    .read("objects", jsonLines<Record<string, unknown>>(`${folder}/keys.jsonl`))
    .map("look", (object) => ({
      keys: Object.keys(object),
      isAdmin: ({} as { isAdmin?: boolean }).isAdmin ?? false,
      copied: { ...object },
    }))
    .collect(),
}));
