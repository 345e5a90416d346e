import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { Bundles } from "../../../actors/cluster/bundles.ts";
import { WireServer } from "../../../actors/transport/wire/server.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("code on a machine");

const security = { token: undefined, tls: undefined };

interface Stage {
  readonly bundles: Bundles;
  /** Gets the code of that name for an execution, as the path of a file. */
  readonly fetch: (code: string, user: string) => Promise<URL>;
  readonly served: string[];
  readonly close: () => Promise<void>;
}

async function open(most: ConstructorParameters<typeof Bundles>[2]): Promise<Stage> {
  const served: string[] = [];
  const server = await WireServer.open({
    bind: { host: "127.0.0.1", port: 0 },
    security,
    admit: () => ({ admitted: false, status: 404, reason: "nothing is here" }),
    answer: (url, request, response) => {
      request.resume();
      served.push(url.pathname.slice(1));
      response.writeHead(200, { connection: "close" }).end(url.pathname.slice(1));
    },
  });
  const bundles = new Bundles(security, (code) => code, most);
  const fetch = async (code: string, user: string): Promise<URL> => {
    const hash = createHash("sha256").update(code).digest("hex");
    return new URL(await bundles.fetch({ hash, url: `http://127.0.0.1:${server.port}/${code}` }, user));
  };
  const close = async (): Promise<void> => {
    bundles.close();
    await server.close();
  };
  return { bundles, fetch, served, close };
}

test("what no execution uses goes where there are too many, the least recently used first", async () => {
  const { bundles, fetch, served, close } = await open({ bundles: 2, bytes: 1000 });
  const a = await fetch("a", "run-1");
  const b = await fetch("b", "run-2");
  const c = await fetch("c", "run-3");
  // All are in use, however many they are.
  assert.ok([a, b, c].every((url) => existsSync(url)));
  bundles.release("run-2");
  assert.equal(
    [a, b, c].map((url) => existsSync(url)),
    [true, false, true],
  );
  bundles.release("run-1");
  bundles.release("run-3");
  assert.is((await fetch("a", "run-4")).href, a.href);
  bundles.release("run-4");
  await fetch("d", "run-5");
  assert.equal(
    [a, c].map((url) => existsSync(url)),
    [true, false],
  );
  // What went comes again.
  assert.is(readFileSync(await fetch("b", "run-6"), "utf8"), "b");
  assert.equal(served, ["a", "b", "c", "d", "b"]);
  await close();
});

test("they are bounded in bytes, too, and one that two executions use stays for the second", async () => {
  const { bundles, fetch, close } = await open({ bundles: 100, bytes: 5 });
  const both = await fetch("1234", "run-1");
  await fetch("1234", "run-2");
  await fetch("56", "run-3");
  bundles.release("run-1");
  bundles.release("run-3");
  assert.ok(existsSync(both));
  bundles.release("run-2");
  const next = await fetch("7890", "run-4");
  assert.equal([existsSync(both), existsSync(next)], [false, true]);
  await close();
});

test.run();
