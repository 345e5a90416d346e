import { randomBytes, timingSafeEqual } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { errorFromData, errorToData, QStreamError, type ErrorData } from "../../lib/core/errors.ts";

/** Where something of this user can be reached on this machine. */
export interface DoorPlace {
  readonly name: string;
  readonly port: number;
  readonly token: string;
  readonly pid: number;
}

interface Question {
  readonly id: number;
  readonly token: string;
  readonly request: unknown;
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: ErrorData });

const lineCharactersMax = 1 << 20;
const connectionsMax = 8;

/**
 * Lets other programs of the same user on this machine ask something: lines of JSON over a loopback connection, with a token that is in a
 * file which only the user can read.
 */
export class LoopbackDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #file: string;

  private constructor(server: Server, file: string, sockets: Set<Socket>) {
    this.#server = server;
    this.#file = file;
    this.#sockets = sockets;
  }

  /** @param answer - is given each request; what it throws is told */
  static async open(name: string, answer: (request: unknown) => Promise<unknown>): Promise<LoopbackDoor> {
    const token = randomBytes(24).toString("hex");
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: false }, (socket) => serve(socket, token, answer, sockets));
    server.maxConnections = connectionsMax;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port: 0 }, resolve);
    });
    server.unref();
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const file = join(ownFolder(), `${name}.json`);
    const place: DoorPlace = { name, port, token, pid: process.pid };
    writeFileSync(file, JSON.stringify(place), { mode: 0o600 });
    return new LoopbackDoor(server, file, sockets);
  }

  close(): void {
    rmSync(this.#file, { force: true });
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** The doors of this user that are open on this machine. Files of processes that have ended are removed. */
export function openDoors(): readonly DoorPlace[] {
  const folder = ownFolder();
  return readdirSync(folder).flatMap((file) => {
    try {
      const place = JSON.parse(readFileSync(join(folder, file), "utf8")) as DoorPlace;
      if (isAlive(place.pid)) return [place];
      rmSync(join(folder, file), { force: true });
    } catch {
      // It is being written, or has just been removed.
    }
    return [];
  });
}

/** A connection to a door. */
export class DoorClient {
  readonly #socket: Socket;
  readonly #token: string;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #count = 0;

  private constructor(socket: Socket, token: string) {
    this.#socket = socket;
    this.#token = token;
    createInterface({ input: socket }).on("line", (line) => this.#heard(line));
    const gone = (): void => {
      for (const { reject } of this.#waiting.values()) reject(unreachable());
      this.#waiting.clear();
    };
    socket.on("close", gone).on("error", gone);
  }

  /** @throws QStreamError MACHINE_UNREACHABLE */
  static async open({ port, token }: DoorPlace): Promise<DoorClient> {
    const socket = connect({ host: "127.0.0.1", port });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", () => reject(unreachable()));
    });
    return new DoorClient(socket, token);
  }

  ask(request: unknown): Promise<unknown> {
    const id = ++this.#count;
    const question: Question = { id, token: this.#token, request };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#socket.destroyed) reject(unreachable());
      else this.#socket.write(`${JSON.stringify(question)}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #heard(line: string): void {
    const answer = JSON.parse(line) as Answer;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("error" in answer) waiting?.reject(errorFromData(answer.error));
    else waiting?.resolve(answer.value);
  }
}

function serve(
  socket: Socket,
  token: string,
  answer: (request: unknown) => Promise<unknown>,
  sockets: Set<Socket>,
): void {
  sockets.add(socket);
  socket.unref();
  socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  let text = "";
  socket.setEncoding("utf8").on("data", (data: string) => {
    text += data;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    // Somebody who sends without an end, or doesn't know the token.
    if (text.length > lineCharactersMax) socket.destroy();
    for (const line of lines) if (!take(socket, token, line, answer)) socket.destroy();
  });
}

/** False where the line isn't from somebody who may ask. */
function take(socket: Socket, token: string, line: string, answer: (request: unknown) => Promise<unknown>): boolean {
  let question: Question;
  try {
    question = JSON.parse(line) as Question;
  } catch {
    return false;
  }
  if (!isToken(question?.token, token) || typeof question.id !== "number") return false;
  const { id } = question;
  const say = (said: Answer): void => {
    if (!socket.destroyed) socket.write(`${jsonOf(said)}\n`);
  };
  answer(question.request).then(
    (value) => say({ id, value }),
    (error: unknown) => say({ id, error: errorToData(error) }),
  );
  return true;
}

/** An answer that JSON can't hold is told as an error. */
function jsonOf(said: Answer): string {
  try {
    const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);
    const text = JSON.stringify(said, plain);
    if (text.length <= lineCharactersMax) return text;
    throw new QStreamError("LIMIT_EXCEEDED", `the answer has ${text.length} characters: ${lineCharactersMax} at most`);
  } catch (error) {
    return JSON.stringify({ id: said.id, error: errorToData(error) });
  }
}

function isToken(given: unknown, token: string): boolean {
  if (typeof given !== "string") return false;
  const [left, right] = [Buffer.from(given), Buffer.from(token)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

/** A folder that is this user's alone. */
function ownFolder(): string {
  const user = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `qstream-doors-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  const isOwn = process.getuid === undefined || (found.uid === user && (found.mode & 0o077) === 0);
  if (found.isDirectory() && isOwn) return folder;
  throw new QStreamError("PATH_FORBIDDEN", `${folder} isn't this user's alone`, {
    advice: "Remove it: somebody else may have made it",
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function unreachable(): QStreamError {
  return new QStreamError("MACHINE_UNREACHABLE", "the system of actors can't be reached any more", {
    advice: "It may have been closed, or its process has ended",
  });
}
