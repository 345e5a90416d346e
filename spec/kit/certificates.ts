import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate and its key, in PEM and in files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateOptions {
  /** IP addresses and host names that it is for. */
  readonly addresses?: readonly string[];
  readonly names?: readonly string[];
  /** It was good for a day, long ago. */
  readonly expired?: boolean;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const settings =
  "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\npolicy=any\n";

/** Signs certificates for specs, with openssl and for a few days. */
export class Authority {
  /** Its own certificate, in PEM. */
  readonly ca: string;
  readonly #folder: string;

  private constructor(folder: string, ca: string) {
    this.#folder = folder;
    this.ca = ca;
  }

  static async make(): Promise<Authority> {
    const folder = await mkdtemp(join(tmpdir(), "qstream-papers-"));
    const words = ["-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3", "-subj", "/CN=spec CA"];
    await run("openssl", ["req", ...words], { cwd: folder });
    writeFileSync(join(folder, "settings"), `${settings}[any]\ncommonName=supplied\n`);
    writeFileSync(join(folder, "index"), "");
    return new Authority(folder, await readFile(join(folder, "ca.pem"), "utf8"));
  }

  /** Its certificate, as a file. */
  get caFile(): string {
    return this.file("ca.pem");
  }

  /** Where a file of its folder is. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  async issue(name: string, { addresses = [], names = [], expired = false }: CertificateOptions): Promise<Certificate> {
    const [keyFile, certFile, request, extensions] = [`${name}.key`, `${name}.pem`, `${name}.csr`, `${name}.names`];
    const openssl = async (...words: readonly string[]): Promise<void> =>
      void (await run("openssl", words, { cwd: this.#folder }));
    await openssl("req", ...newKey, "-keyout", keyFile, "-out", request, "-subj", `/CN=${name}`);
    const alternatives = [...addresses.map((address) => `IP:${address}`), ...names.map((host) => `DNS:${host}`)];
    writeFileSync(this.file(extensions), alternatives.length === 0 ? "" : `subjectAltName=${alternatives.join()}\n`);
    const inAndOut = ["-in", request, "-out", certFile, "-extfile", extensions];
    if (expired) {
      const days = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"];
      const signing = ["-cert", "ca.pem", "-keyfile", "ca.key", "-create_serial", ...days];
      await openssl("ca", "-batch", "-notext", "-config", "settings", ...signing, ...inAndOut);
    } else {
      await openssl("x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3", ...inAndOut);
    }
    const [cert, key] = await Promise.all([certFile, keyFile].map((file) => readFile(this.file(file), "utf8")));
    return { cert: cert ?? "", key: key ?? "", certFile: this.file(certFile), keyFile: this.file(keyFile) };
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What lets processes of a cluster know each other: a token, and a certificate for some addresses, signed by a CA of its own. */
export interface Papers {
  readonly token: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** For the command line: --token-file and --tls-... with files of these. */
  readonly words: readonly string[];
  readonly authority: Authority;
  readonly remove: () => Promise<void>;
}

/** Makes them. */
export async function makePapers(addresses: readonly string[]): Promise<Papers> {
  const authority = await Authority.make();
  const { cert, key, certFile, keyFile } = await authority.issue("host", { addresses });
  const token = randomBytes(16).toString("hex");
  const tokenFile = authority.file("token");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const certificates = ["--tls-ca", authority.caFile, "--tls-cert", certFile, "--tls-key", keyFile];
  return {
    token,
    tls: { ca: authority.ca, cert, key },
    words: ["--token-file", tokenFile, ...certificates],
    authority,
    remove: () => authority.remove(),
  };
}
