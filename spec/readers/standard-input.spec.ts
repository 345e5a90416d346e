import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { Run, Side } from "../../lib/core/contracts/reader.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { InputSource } from "../../readers/live/input-source.ts";
import { standardInput } from "../../readers/standard-input.ts";
import { readLines } from "../../readers/text/read-lines.ts";
import { splitsOf } from "../contract/reader.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";

const test = suite("standard input reader");
let folder = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
});
test.after(() => rm(folder, { recursive: true, force: true }));

const readerModule = new URL("../../readers/standard-input.js", import.meta.url).href;
const contextModule = new URL("../../lib/testing/test-context.js", import.meta.url).href;

/** A program that reads its standard input, prints lines as JSON, and then what `after` does. */
const program = (options: string, after = ""): string => `
  import { standardInput } from ${JSON.stringify(readerModule)};
  import { testContext } from ${JSON.stringify(contextModule)};
  const abort = new AbortController();
  const ctx = testContext({ signal: abort.signal });
  const lines = [];
  const reader = standardInput(${options});
  try {
    for await (const item of reader.read({ input: "standard" }, ctx)) {
      lines.push(...(item.objects ?? [item]));
      ${after}
    }
  } catch (error) {
    lines.push(error.code + ": " + error.message);
  }
  console.log(JSON.stringify(lines));
`;

interface Running {
  readonly input: NodeJS.WritableStream;
  readonly lines: Promise<unknown[]>;
}

function start(source: string): Running {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => {});
  return { input: child.stdin, lines: printed(child) };
}

async function printed(child: ReturnType<typeof spawn>): Promise<unknown[]> {
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(child, "close");
  return JSON.parse(text) as unknown[];
}

/** The lines of a stream, as the reader reads them. */
async function linesOf(
  stream: PassThrough,
  options: { readonly badLines?: "side"; readonly lineBytesMax?: number; readonly signal?: AbortSignal } = {},
): Promise<{ objects: string[]; bad: unknown[] }> {
  const { badLines = "fail", lineBytesMax = 1 << 20, signal = new AbortController().signal } = options;
  const source = new InputSource(stream, "standard input", signal, lineBytesMax);
  const found: { objects: string[]; bad: unknown[] } = { objects: [], bad: [] };
  try {
    for await (const item of readLines(source, testContext(), { from: 0, badLines, lineBytesMax })) {
      if (item instanceof Run) found.objects.push(...item.objects);
      else if (item instanceof Side) found.bad.push(item.object);
    }
  } finally {
    await source.close();
  }
  return found;
}

/** A stream that gives these chunks, one a turn. */
function streamOf(chunks: readonly Uint8Array[]): PassThrough {
  const stream = new PassThrough();
  void (async () => {
    for (const chunk of chunks) {
      stream.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.end();
  })();
  return stream;
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

test("says what it is: on the client, and not to be read again", async () => {
  const reader = standardInput({ badLines: "side" });
  assert.is(reader.parallelism, "client");
  assert.is(reader.replayable, false);
  assert.not(reader.endless);
  assert.ok(standardInput({ endless: true }).endless);
  assert.equal(reader.sides, { bad: "bad" });
  assert.equal(await splitsOf(reader, undefined, 4), [{ input: "standard" }]);
  await failure(() => standardInput({ badLines: "drop" as "side" }), "OPTION_INVALID");
  await failure(() => standardInput({ lineBytesMax: 0 }), "OPTION_INVALID");
});

test("any text in chunks of any size gives its lines once and in order", async () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", "é", "語", "😀", " "), maxLength: 12 });
  const property = fc.asyncProperty(
    fc.array(line, { maxLength: 30 }),
    fc.constantFrom("\n", "\r\n"),
    fc.integer({ min: 1, max: 40 }),
    async (texts, end, size) => {
      const bytes = Buffer.from(texts.map((text) => text + end).join(""));
      assert.equal((await linesOf(streamOf(cut(bytes, size)))).objects, texts);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("the last line may have no end; nothing has no lines; a byte order mark isn't text", async () => {
  assert.equal((await linesOf(streamOf([Buffer.from("\uFEFFa\nb")]))).objects, ["a", "b"]);
  assert.equal((await linesOf(streamOf([]))).objects, []);
});

test("invalid UTF-8 is BAD_INPUT with its line, or goes to the side output", async () => {
  const bytes = Buffer.concat([Buffer.from("one\ntwo\n"), Buffer.of(0xff, 10), Buffer.from("four\n")]);
  for (const size of [1, 3, 100]) {
    const error = await failure(() => linesOf(streamOf(cut(bytes, size))), "BAD_INPUT", { line: 3 });
    assert.is(error.place.file, "standard input");
    const { objects, bad } = await linesOf(streamOf(cut(bytes, size)), { badLines: "side" });
    assert.equal(objects, ["one", "two", "four"]);
    const reason = "a line isn't valid UTF-8";
    assert.equal(bad, [{ file: "standard input", line: 3, reason, text: "\uFFFD" }]);
  }
});

test("a line beyond the limit is LIMIT_EXCEEDED with its line, though it never ends", async () => {
  const endless = new PassThrough();
  endless.write("short\n");
  endless.write("x".repeat(2000));
  const error = await failure(() => linesOf(endless, { lineBytesMax: 1000 }), "LIMIT_EXCEEDED", { line: 2 });
  assert.match(error.message, "lineBytesMax");
});

test("lines that come byte by byte aren't put together again and again", async () => {
  const stream = new PassThrough({ highWaterMark: 1 << 20 });
  const text = "x".repeat(200_000);
  for (const byte of text) stream.write(byte);
  stream.end("\n");
  const begun = performance.now();
  assert.equal((await linesOf(stream)).objects, [text]);
  assert.ok(performance.now() - begun < 5000);
});

test("a stream isn't read further than a little ahead", async () => {
  const stream = new PassThrough();
  const source = new InputSource(stream, "standard input", new AbortController().signal, 1 << 20);
  const blocks = source.blocks();
  stream.write("first\n");
  await blocks.next();
  let written = 0;
  while (stream.write("x".repeat(9999) + "\n") && written < 1000) {
    written++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(written < 200, `${written} blocks were taken that nobody asked for`);
  await source.close();
});

test("abort and the stream's failure end what waits", async () => {
  const abort = new AbortController();
  const stream = new PassThrough();
  const reading = linesOf(stream, { signal: abort.signal });
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error("enough"));
  await rejects(reading, "enough");
  assert.is(stream.listenerCount("data"), 0);
  assert.ok(stream.isPaused());
  assert.not(stream.destroyed);
  const broken = new PassThrough();
  const failing = linesOf(broken);
  await new Promise((resolve) => setImmediate(resolve));
  broken.destroy(new Error("EIO"));
  await rejects(failing, "EIO");
});

test("a process reads what is piped into it", async () => {
  const { input, lines } = start(program("{}"));
  input.write("one\ntw");
  input.end("o\nthree");
  assert.equal(await lines, ["one", "two", "three"]);
});

test("a flow reads it on the client, whatever its slots are", async () => {
  const path = join(folder, "upper.mjs");
  const index = new URL("../../lib/index.js", import.meta.url).href;
  await writeFile(
    path,
    `import { defineFlow, standardInput } from ${JSON.stringify(index)};
     const upper = defineFlow(import.meta.url, (q) => ({
       out: q.read("lines", standardInput()).map("upper", (line) => line.toUpperCase()).collect(),
     }));
     console.log(JSON.stringify((await upper.run({}, { slots: 2, isolation: process.argv[2] })).out));`,
  );
  for (const isolation of ["thread", "process", "none"]) {
    const child = spawn(process.execPath, [path, isolation], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end("one\ntwo\n");
    assert.equal(await printed(child), ["ONE", "TWO"]);
  }
});

test("a process reads a file that is its input, and nothing", async () => {
  const path = join(folder, "input.txt");
  await writeFile(path, Array.from({ length: 50_000 }, (_, n) => `line ${n}`).join("\n"));
  const handle = await open(path);
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program("{}")], {
    stdio: [handle.fd, "pipe", "inherit"],
  });
  const lines = await printed(child);
  await handle.close();
  assert.is(lines.length, 50_000);
  assert.is(lines.at(-1), "line 49999");
  const none = spawn(process.execPath, ["--input-type=module", "--eval", program("{}")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.equal(await printed(none), []);
});

test("a process whose input stays open ends once it has stopped reading", async () => {
  for (const [after, expected] of [
    ["break;", ["one"]],
    ["setTimeout(() => abort.abort(new Error('enough')), 10);", ["one", "undefined: enough"]],
  ] as const) {
    const { input, lines } = start(program("{}", after));
    input.write("one\n");
    assert.equal(await lines, expected);
  }
});

test("a second reading is UNSUPPORTED, and so is one in a slot", async () => {
  const again = `for await (const item of reader.read({ input: "standard" }, ctx)) lines.push(item);`;
  const second = start(program("{}", "").replace("} catch", `${again} } catch`));
  second.input.end("one\n");
  const [one, refused] = await second.lines;
  assert.is(one, "one");
  assert.match(String(refused), "UNSUPPORTED: standard input was to be read a second time");
  const registry = new URL("../../lib/core/flow-registry.js", import.meta.url).href;
  const inSlot = start(`import { enterSlot } from ${JSON.stringify(registry)}; enterSlot(); ${program("{}")}`);
  inSlot.input.end("one\n");
  assert.match(String((await inSlot.lines)[0]), "UNSUPPORTED: a slot has no standard input");
});

async function rejects(promise: Promise<unknown>, message: string): Promise<void> {
  await promise.then(
    () => assert.unreachable(`it should have failed with "${message}"`),
    (error: unknown) => assert.is((error as Error).message, message),
  );
}

test.run();
