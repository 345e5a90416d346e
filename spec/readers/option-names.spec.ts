import * as assert from "uvu/assert";
import {
  arrowIpc,
  arrowTable,
  csv,
  iterable,
  jsonArray,
  jsonLines,
  lines,
  numbers,
  parquet,
  polarsFrame,
  redisStream,
  standardInput,
  webSocket,
} from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";

const test = suite("options of readers that there aren't");

const wrong = (name: string, more: object = {}): never => ({ ...more, [name]: 1 }) as never;

const cases: readonly (readonly [reader: string, name: string, nearest: string, make: () => unknown])[] = [
  ["csv", "sparator", "separator", () => csv("a.csv", wrong("sparator"))],
  ["lines", "badlines", "badLines", () => lines("a.txt", wrong("badlines"))],
  ["jsonLines", "shema", "schema", () => jsonLines("a.jsonl", wrong("shema"))],
  ["jsonArray", "gzipp", "gzip", () => jsonArray("a.json", wrong("gzipp"))],
  ["parquet", "colums", "columns", () => parquet("a.parquet", wrong("colums"))],
  ["arrowIpc", "batchRow", "batchRows", () => arrowIpc("a.arrow", wrong("batchRow"))],
  ["arrowTable", "splitRow", "splitRows", () => arrowTable((() => undefined) as never, wrong("splitRow"))],
  ["polarsFrame", "splitrows", "splitRows", () => polarsFrame((() => undefined) as never, wrong("splitrows"))],
  ["numbers", "stepp", "step", () => numbers(0, 1, wrong("stepp"))],
  ["iterable", "replayble", "replayable", () => iterable([], wrong("replayble"))],
  ["webSocket", "pingms", "pingMs", () => webSocket("ws://h", wrong("pingms"))],
  ["redisStream", "stream", "streams", () => redisStream("redis://h", wrong("stream", { json: "a" }))],
  ["standardInput", "endles", "endless", () => standardInput(wrong("endles"))],
];

for (const [reader, name, nearest, make] of cases) {
  test(`${reader} has no ${name}`, async () => {
    const { message } = await failure(async () => make(), "OPTION_INVALID");
    assert.is(message, `${reader}() has no option "${name}". Did you mean "${nearest}"?`);
  });
}

test.run();
