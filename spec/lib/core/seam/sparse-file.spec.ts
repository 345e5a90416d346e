import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createSparseFile } from "../../../../lib/core/seam/sparse-file.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("sparse file");
const folder = mkdtempSync(join(tmpdir(), "qstream-sparse-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test("has its length, what was written, and zeros elsewhere, until it is removed", async () => {
  const file = await createSparseFile(join(folder, "file"), 1000);
  await file.write(990, Uint8Array.of(7, 8));
  await file.write(10, Uint8Array.of(1, 2, 3));
  await file.close();
  const expected = Buffer.alloc(1000);
  expected.set([1, 2, 3], 10);
  expected.set([7, 8], 990);
  assert.equal(readFileSync(file.path), expected);
  await file.remove();
  assert.not(existsSync(file.path));
});

test.run();
