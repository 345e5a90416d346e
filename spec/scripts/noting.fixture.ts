// What the runner shows of a file that passes: its notes, and nothing else that it prints.
import { note } from "../kit/note.ts";
import { suite } from "../kit/suite.ts";

const test = suite("notes");

test("something is noted, and something is only printed", () => {
  console.log("nobody sees this");
  note("3 of 4 done\nsurvived: one");
});

test.run();
