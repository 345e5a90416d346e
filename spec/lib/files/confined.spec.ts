import { existsSync, readFileSync, realpathSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { openFileSystem } from "../../../lib/files/index.ts";
import { resumeLocal } from "../../../lib/files/resume-local.ts";
import { fileSystemContract } from "../../contract/file-system.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("files of given places");

// beneath/allowed is given. Beside it, and where links in it lead, is what isn't.
let beneath = "";
const at = (...names: readonly string[]): string => join(beneath, ...names);
const confined = (...places: readonly string[]): ReturnType<typeof openFileSystem> =>
  openFileSystem({ within: places, http: { retries: 0 } });
const forbidden = (body: () => unknown): Promise<unknown> => failure(body, "PATH_FORBIDDEN");

test.before(async () => {
  beneath = realpathSync(await mkdtemp(join(tmpdir(), "qstream-confined-")));
  for (const folder of ["allowed/inner", "allowed/.broken", "allowed2", "outside/deep"])
    await mkdir(at(folder), { recursive: true });
  for (const file of ["allowed/a.txt", "allowed/inner/b.txt", "allowed2/c.txt", "outside/d.txt"]) {
    await writeFile(at(file), file);
  }
  await symlink(at("outside/d.txt"), at("allowed/link.txt"));
  await symlink(at("outside"), at("allowed/inner/away"));
  await symlink(at("allowed/inner"), at("allowed/near"));
  await symlink(at("outside/nothing"), at("allowed/.broken/dangling"));
  await symlink(at("allowed"), at("also-allowed"));
});
test.after(() => rm(beneath, { recursive: true, force: true }));

fileSystemContract(test, "given folder", () => ({
  files: confined(at("outside/deep")),
  path: (name) => at("outside/deep", name),
  put: async (name, bytes) => {
    await mkdir(dirname(at("outside/deep", name)), { recursive: true });
    await writeFile(at("outside/deep", name), bytes);
  },
  full: true,
}));

test("what is below a given folder is read and written, also by a link that stays there, or one to the folder", async () => {
  const files = confined(at("also-allowed"));
  assert.equal(
    (await files.list(at("allowed/inner/*.txt"))).map(({ path }) => path),
    [at("allowed/inner/b.txt")],
  );
  for (const path of ["allowed/a.txt", "also-allowed/a.txt", "allowed/near/b.txt", "allowed/inner/../a.txt"]) {
    assert.is(files.localPath(at(path)), at(path), path);
    await (await files.open(at(path))).close();
  }
  const writer = await files.create(at("allowed/new/folder/e.txt"));
  await writer.write(Buffer.from("e"));
  await writer.finish();
  await writer.commit();
  assert.is(readFileSync(at("allowed/new/folder/e.txt"), "utf8"), "e");
  await files.remove([at("allowed/new/folder/e.txt")]);
  await files.removeFolder?.(at("allowed/new"));
  assert.not.ok(existsSync(at("allowed/new")));
});

test("what is beside it, above it or behind a link is neither listed, read, written nor removed", async () => {
  const files = confined(at("allowed"));
  const outside = [
    at("outside/d.txt"),
    at("allowed2/c.txt"),
    at("allowed/../outside/d.txt"),
    pathToFileURL(at("outside/d.txt")).href,
    relative(process.cwd(), at("outside/d.txt")),
    at("allowed/link.txt"),
    at("allowed/inner/away/d.txt"),
    at("allowed/near/away/d.txt"),
    at("allowed/.broken/dangling"),
    at("allowed/.broken/dangling/e.txt"),
    at("allowed/inner/away/new/e.txt"),
    `${at("allowed")}\0/../outside/d.txt`,
    "/etc/passwd",
    "/proc/self/environ",
  ];
  for (const path of outside) {
    for (const attempt of [
      () => files.list(path),
      () => files.open(path),
      () => files.open({ path, bytes: 1, version: "" }),
      () => files.create(path),
      () => files.createResumable(path, { owner: "run" }),
      () => files.discardResumable(path, "run"),
      () => files.remove([at("allowed/a.txt"), path]),
      () => files.removeFolder?.(path),
      () => files.localPath(path),
    ]) {
      await forbidden(attempt);
    }
  }
  assert.equal([existsSync(at("allowed/a.txt")), existsSync(at("outside/d.txt"))], [true, true]);
  assert.not.ok(existsSync(at("outside/nothing")) || existsSync(at("outside/new")));
});

test("a folder or glob that leads out is refused as a whole", async () => {
  const files = confined(at("allowed"));
  for (const path of ["allowed", "allowed/*.txt", "allowed/inner/*/*.txt", "*/*.txt"]) {
    await forbidden(() => files.list(at(path)));
  }
  await forbidden(() => files.list([at("allowed/inner/b.txt"), at("outside")]));
  for (const path of [
    "allowed/{..,inner}/outside/*.txt",
    "allowed/{../outside,inner}/*.txt",
    "allowed/*/../../outside/*",
  ]) {
    const found = await files.list(at(path)).catch(() => []);
    assert.ok(!found.some(({ path: one }) => one.includes("outside")), path);
  }
});

test("whatever a path is made of, what is opened is below the folder", async () => {
  const files = confined(at("allowed"));
  const part = fc.constantFrom("..", ".", "", "allowed", "inner", "away", "near", "outside", "a.txt", "b.txt", "d.txt");
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 9 }), async (parts) => {
      const path = [beneath, "allowed", ...parts].join(sep);
      const opened = await files.open(path).catch(() => undefined);
      await opened?.close();
      if (opened !== undefined) assert.ok(`${realpathSync(path)}${sep}`.startsWith(at("allowed", sep)), path);
    }),
    { numRuns: 300 },
  );
});

test("URLs are those that begin as given; none are where only folders are", () => {
  const files = confined("s3://bucket/flows", "https://data.example.org/public/");
  const allowed = [
    "s3://bucket/flows/a.csv",
    "S3://bucket/flows/*.csv",
    "s3://bucket/flows",
    "https://data.example.org/public/a.csv?version=2",
    "HTTPS://DATA.example.org:443/public/x/../a.csv",
  ];
  for (const url of allowed) assert.is(files.localPath(url), undefined, url);
  const refused = [
    "s3://bucket/flows-of-others/a.csv",
    "s3://bucket/flows/../secret.csv",
    "s3://other/flows/a.csv",
    "http://data.example.org/public/a.csv",
    "https://data.example.org/public/../secret.csv",
    "https://data.example.org/public/..%2fsecret.csv",
    "https://data.example.org/public/%2e%2e/secret.csv",
    "https://data.example.org/public\\..\\..\\secret.csv",
    "https://data.example.org/publicity/a.csv",
    "https://data.example.org@evil.example/public/a.csv",
    "https://user@data.example.org/public/a.csv",
    "https://data.example.org:8443/public/a.csv",
    "https://evil.example/?https://data.example.org/public/",
    "http://169.254.169.254/latest/meta-data/",
    "/etc/passwd",
  ];
  for (const url of refused) assert.throws(() => files.localPath(url), /PATH_FORBIDDEN|aren't for flows/, url);
  for (const url of [...allowed, ...refused]) assert.throws(() => confined().localPath(url), /aren't for flows/);
  assert.throws(
    () => files.localPath("https://evil.example/a?signature=s3cret"),
    (error: Error) => !/s3cret/.test(error.message),
  );
});

test("a server doesn't lead to another place", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/public/moved") response.writeHead(302, { location: "/secret" }).end();
    else response.writeHead(200, { "content-length": 2 }).end("ok");
  });
  const url = await listening(server);
  const files = confined(`${url}/public`);
  await (await files.open(`${url}/public/file`)).close();
  await forbidden(() => files.open(`${url}/public/moved`));
  await (await openFileSystem().open(`${url}/public/moved`)).close();
  server.closeAllConnections();
  server.close();
});

test("a checkpoint names no file elsewhere to go on with", async () => {
  const from = { temporary: "../outside/d.txt", bytes: 1, checksum: 0, finished: false };
  const error = await failure(() => resumeLocal(at("allowed/f.txt"), { owner: "run", from }), "NOT_RECOVERABLE");
  assert.match(error.message, "names a file elsewhere");
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.run();
