import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What lets processes of a cluster know each other: a token, and a certificate for some addresses, signed by a CA of its own. */
export interface Papers {
  readonly token: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** For the command line: --token-file and --tls-... with files of these. */
  readonly words: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Makes them with openssl, for a few days. */
export async function makePapers(addresses: readonly string[]): Promise<Papers> {
  const folder = await mkdtemp(join(tmpdir(), "qstream-papers-"));
  const openssl = async (...words: readonly string[]): Promise<void> =>
    void (await run("openssl", words, { cwd: folder }));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3", "-subj", "/CN=spec CA");
  await openssl("req", ...key, "-keyout", "host.key", "-out", "host.csr", "-subj", "/CN=spec host");
  const names = `subjectAltName=${addresses.map((address) => `IP:${address}`).join()}\n`;
  writeFileSync(join(folder, "names"), names);
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "3"];
  await openssl("x509", "-req", "-in", "host.csr", "-out", "host.pem", ...signing);
  const token = randomBytes(16).toString("hex");
  writeFileSync(join(folder, "token"), `${token}\n`, { mode: 0o600 });
  const file = (name: string): string => join(folder, name);
  const [ca, cert, hostKey] = await Promise.all(
    ["ca.pem", "host.pem", "host.key"].map((name) => readFile(file(name), "utf8")),
  );
  const words = ["--token-file", file("token"), "--tls-ca", file("ca.pem")];
  return {
    token,
    tls: { ca: ca ?? "", cert: cert ?? "", key: hostKey ?? "" },
    words: [...words, "--tls-cert", file("host.pem"), "--tls-key", file("host.key")],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
