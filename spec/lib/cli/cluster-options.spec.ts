import * as assert from "uvu/assert";
import { parseSubject } from "../../../lib/cli/cluster-options.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("options of clusters");

test("a command is for one execution or machine, and says so where there is none or several", async () => {
  assert.is(parseSubject("machine", ["vm-1"]), "vm-1");
  const messageOf = async (...words: string[]): Promise<string> =>
    (await failure(async () => parseSubject("execution", words), "OPTION_INVALID")).message;
  assert.match(await messageOf(), "which execution? qstream ps lists them");
  assert.match(await messageOf("run-1", "run-2"), "one execution at a time, not run-1 and run-2");
});

test.run();
