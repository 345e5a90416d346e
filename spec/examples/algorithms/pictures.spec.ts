import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { drawRun, fileOf, pictures } from "../../../examples/algorithms/pictures.ts";
import { projectFolder } from "../../kit/sources.ts";
import { suite } from "../../kit/suite.ts";
import { explorations } from "./explorations.ts";

const test = suite("pictures of the algorithms' pages");

test("each page of an algorithm that is explored has one", () => {
  assert.equal(pictures.map(({ folder }) => folder).sort(), [...explorations].sort());
});

for (const picture of pictures) {
  test(`${picture.folder}: the picture of the page is the one that is drawn now`, async () => {
    const drawn = await drawRun(picture);
    const steps = drawn.match(/data-index=/gu)?.length ?? 0;
    assert.ok(steps >= 25 && steps <= 60, `it has ${steps} steps`);
    const committed = readFileSync(join(projectFolder, fileOf(picture)), "utf8");
    assert.ok(drawn === committed, "run node dist/examples/algorithms/pictures.js, and look at the picture");
  });
}

test.run();
