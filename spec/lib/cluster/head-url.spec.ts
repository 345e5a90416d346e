import * as assert from "uvu/assert";
import { headUrl, plainUrl } from "../../../lib/cluster/head-url.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("URLs of heads");

test("a host alone has the port at which heads listen; a URL means what it says", () => {
  const all: Readonly<Record<string, string>> = {
    head: "ws://head:7420/",
    "head:80": "ws://head/",
    "head:7421": "ws://head:7421/",
    "[::1]": "ws://[::1]:7420/",
    "ws://head": "ws://head/",
    "wss://head.example.org": "wss://head.example.org/",
    "https://head:7420": "wss://head:7420/",
  };
  for (const [text, url] of Object.entries(all)) assert.is(headUrl(text).href, url);
  assert.is(plainUrl(headUrl("head"), "/bundles/x"), "http://head:7420/bundles/x");
});

test("what isn't one says how one is written", async () => {
  for (const text of ["", "ftp://head", "ws://head/path", "http://", "a b"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { message } = await failure(async () => headUrl(text), "OPTION_INVALID");
    assert.match(message, "Write ws://host:port");
  }
});

test.run();
