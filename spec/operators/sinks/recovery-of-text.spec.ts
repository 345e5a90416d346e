import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { writeCsv } from "../../../operators/sinks/csv.ts";
import { writeJsonLines } from "../../../operators/sinks/json-lines.ts";
import { writeLines } from "../../../operators/sinks/lines.ts";
import { suite } from "../../kit/suite.ts";
import { leaves, type MakeSink, nothing, objectTasks, recoveryContract } from "./recovery-contract.ts";

const line = (object: unknown): string => JSON.stringify(object, (_, value: unknown) => String(value));
const formats: Readonly<Record<string, MakeSink>> = {
  lines: (path, options) => writeLines(path, { ...options, line }),
  csv: (path, options) => writeCsv(path, options),
  "json lines": (path, options) => writeJsonLines(path, options),
};

for (const [format, make] of Object.entries(formats)) {
  const test = suite(`recovery of ${format}`);
  recoveryContract(test, make, (left) => left);

  test("what an open file has beyond its checkpoint is cut off, also where a write was torn", async () => {
    const expected = await leaves(make, objectTasks, {}, nothing);
    const left = await leaves(make, objectTasks, {}, async (lives, folder) => {
      await lives.lose(3, 3);
      for (const name of await readdir(folder)) await appendFile(join(folder, name), '{"torn');
    });
    assert.equal(left, expected);
  });

  test.run();
}
