// Is a head or worker alive? node healthy.mjs [HOST:PORT], or what QSTREAM_HEALTH names. It needs no token and no certificate:
// it says something to the port that nobody may say, and a process whose event loop turns answers that, or hangs up.

import { connect } from "node:net";

const withinMs = 4000;
const place = process.argv[2] ?? process.env.QSTREAM_HEALTH ?? "127.0.0.1:7420";
const at = place.lastIndexOf(":");
const socket = connect({ host: place.slice(0, at), port: Number(place.slice(at + 1)) });

setTimeout(() => end(1, "it doesn't answer"), withinMs);
socket.once("connect", () => socket.write("QSTREAM / HEALTHY\r\n\r\n"));
socket.once("data", () => end(0));
socket.once("end", () => end(0));
socket.once("error", (error) => end(error.code === "ECONNRESET" ? 0 : 1, error.message));

function end(code, what = "") {
  if (code !== 0) process.stderr.write(`${place}: ${what}\n`);
  process.exit(code);
}
