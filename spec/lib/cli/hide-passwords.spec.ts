import * as assert from "uvu/assert";
import { hidePasswords } from "../../../lib/cli/hide-passwords.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("passwords among a command's words");

test("passwords of URLs go from the process's title, and nothing else does", () => {
  const before = process.title;
  hidePasswords(["node", "main.js", "ps", "--cluster", "ws://127.0.0.1:7420"]);
  assert.is(process.title, before);
  hidePasswords([
    "node",
    "head",
    "--store",
    "redis://user:s3c:r@t@host:1/0",
    "--x=rediss://:s3cret@host",
    "--arg",
    "u=http://a:s3cret@b/c",
  ]);
  // The system has no room for a longer title than the words that it was started with.
  const start = "node head --store redis://user:***@host:1/0 --x=rediss://:***@host --arg u=http://a:***@b/c";
  assert.ok(start.startsWith(process.title) && process.title.length > 20, process.title);
  process.title = before;
});

test.run();
