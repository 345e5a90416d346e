import { tableFromIPC } from "apache-arrow";
import { createRequire } from "node:module";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import { writeArrow } from "../../../operators/sinks/arrow.ts";
import { writeParquet } from "../../../operators/sinks/parquet.ts";
import { suite } from "../../kit/suite.ts";
import { type Left, type MakeSink, recoveryContract } from "./recovery-contract.ts";

const pl = createRequire(import.meta.url)("nodejs-polars") as typeof import("nodejs-polars").default;
const batches = await loadBatches();

const formats: Readonly<Record<string, { readonly make: MakeSink; readonly read: (bytes: Buffer) => unknown }>> = {
  parquet: { make: (path, options) => writeParquet(path, options), read: (bytes) => pl.readParquet(bytes) },
  arrow: { make: (path, options) => writeArrow(path, options), read: (bytes) => tableFromIPC(bytes) },
  "arrow streams": {
    make: (path, options) => writeArrow(path, { ...options, format: "stream" }),
    read: (bytes) => tableFromIPC(bytes),
  },
};

for (const [format, { make, read }] of Object.entries(formats)) {
  const test = suite(`recovery of ${format}`);
  recoveryContract(test, make, ({ files }: Left) =>
    Object.entries(files).map(([name, text]) => [name, batches.toObjects(read(Buffer.from(text as string, "latin1")))]),
  );
  test.run();
}
