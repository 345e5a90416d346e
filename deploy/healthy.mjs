// Is a head or worker alive? node healthy.mjs [HOST:PORT], or what QSTREAM_HEALTH names. It asks for what everybody is told, without a
// token: GET /healthy. Of a port with TLS it wants the process's own certificate and key, as with mutual TLS the port wants to see one:
// QSTREAM_HEALTH_CERT and QSTREAM_HEALTH_KEY name their files.

import { readFileSync } from "node:fs";
import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";

const withinMs = 4000;
const place = process.argv[2] ?? process.env.QSTREAM_HEALTH ?? "127.0.0.1:7420";
const { QSTREAM_HEALTH_CERT: cert, QSTREAM_HEALTH_KEY: key } = process.env;
const isSecure = cert !== undefined && key !== undefined;
// It asks itself, and tells nothing: who answers has nothing to prove.
const papers = isSecure ? { cert: readFileSync(cert), key: readFileSync(key), rejectUnauthorized: false } : {};

setTimeout(() => end(1, "it doesn't answer"), withinMs);
const request = (isSecure ? getSecure : getPlain)(`${isSecure ? "https" : "http"}://${place}/healthy`, papers);
request.once("response", ({ statusCode }) => end(statusCode === 200 ? 0 : 1, `it answers ${statusCode}`));
request.once("error", ({ message }) => end(1, message));

function end(code, what = "") {
  if (code !== 0) process.stderr.write(`${place}: ${what}\n`);
  process.exit(code);
}
