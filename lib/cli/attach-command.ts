import { createInterface } from "node:readline/promises";
import { DoorClient, openDoors, type DoorPlace } from "../../actors/transport/loopback-door.ts";
import type { ShownActors, ViewRequest } from "../actors/system-view.ts";
import type { ClusterOptions } from "../cluster/cluster-session.ts";
import { cluster } from "../cluster/open-cluster.ts";
import { QStreamError } from "../core/errors.ts";
import { asCommand } from "./as-command.ts";
import { clientOptions, parseCluster } from "./cluster-options.ts";
import { describeError } from "./describe-error.ts";
import { formatTable, wholeTable } from "./display/table.ts";
import { helpOf } from "./help.ts";
import { toJson } from "./json.ts";
import { parseWords } from "./parse-words.ts";

/** A way to a system of actors. */
interface Looker {
  readonly name: string;
  readonly ask: (request: ViewRequest) => Promise<unknown>;
  readonly close: () => void | Promise<void>;
}

interface Command {
  /** Undefined for a system on this machine. */
  readonly options: ClusterOptions | undefined;
  readonly system: string | undefined;
  readonly execute: readonly string[];
  readonly json: boolean;
}

/** `qstream attach`. Returns the exit code: 0 success, 1 it can't be reached or something was refused, 2 the command was wrong. */
export function attachCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "attach",
    () => parse(words),
    async ({ system, execute, json, options }) => {
      const looker = options === undefined ? await throughDoor(system) : await throughHead(options, system);
      try {
        if (execute.length === 0) return await prompt(looker, json);
        for (const line of execute) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          process.stdout.write(await answerTo(looker, line, json));
        }
        return 0;
      } finally {
        await looker.close();
      }
    },
  );
}

function parse(words: readonly string[]): Command | undefined {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      execute: { type: "string", multiple: true },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      ...clientOptions,
    },
  });
  if (values.help === true) return undefined;
  if (positionals.length > 1)
    throw new QStreamError("OPTION_INVALID", `one system at a time, not ${positionals.join(" and ")}`);
  for (const line of values.execute ?? []) requestOf(line);
  const isOnCluster = values.cluster !== undefined;
  if (isOnCluster && positionals[0] === undefined)
    throw new QStreamError("OPTION_INVALID", "which system? qstream ps lists them");
  const options = isOnCluster ? parseCluster(values) : undefined;
  return { options, system: positionals[0], execute: values.execute ?? [], json: values.json === true };
}

async function throughDoor(system: string | undefined): Promise<Looker> {
  const place = chosen(openDoors(), system);
  const client = await DoorClient.open(place);
  return { name: place.name, ask: (request) => client.ask(request), close: () => client.close() };
}

async function throughHead(options: ClusterOptions, name = ""): Promise<Looker> {
  const session = await cluster({ ...options, detach: true });
  const ask = async (request: ViewRequest): Promise<unknown> =>
    JSON.parse(await session.view(name, JSON.stringify(request)));
  return { name, ask, close: () => session.close() };
}

function chosen(places: readonly DoorPlace[], name: string | undefined): DoorPlace {
  const found = name === undefined ? places : places.filter((place) => place.name === name);
  const [place, ...more] = found;
  if (place !== undefined && more.length === 0) return place;
  const names = places.map((each) => each.name).join(", ");
  throw new QStreamError(
    "EXECUTION_UNKNOWN",
    place === undefined
      ? `no ${name === undefined ? "system of actors" : name} runs here that can be looked at`
      : `several run: which of ${names}?`,
    {
      advice:
        "A system lets others look at it that was started with `attachable: true`, by the same user on this machine",
    },
  );
}

/** Takes lines until there are no more. */
async function prompt(looker: Looker, isJson: boolean): Promise<number> {
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: isTerminal,
    prompt: `${looker.name}> `,
  });
  if (isTerminal) lines.prompt();
  for await (const line of lines) {
    const text = line.trim();
    if (text === "exit" || text === "quit") break;
    if (text === "help") process.stdout.write(helpOf("attach"));
    else if (text !== "") await tryLine(looker, text, isJson);
    if (isTerminal) lines.prompt();
  }
  lines.close();
  return 0;
}

async function tryLine(looker: Looker, line: string, isJson: boolean): Promise<void> {
  try {
    process.stdout.write(await answerTo(looker, line, isJson));
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
  }
}

async function answerTo(looker: Looker, line: string, isJson: boolean): Promise<string> {
  const request = requestOf(line);
  const answer = told(request, await looker.ask(request));
  if (isJson) return `${await toJson(answer ?? null)}\n`;
  if (typeof answer === "string") return `${answer}\n`;
  if (Array.isArray(answer) && answer.every((row) => typeof row === "object" && row !== null)) {
    return formatTable(answer, wholeTable);
  }
  return `${JSON.stringify(answer ?? null, undefined, 2)}\n`;
}

/** What is shown of an answer. Which slots are missing in it goes to standard error, so that it stays what it is. */
function told(request: ViewRequest, answer: unknown): unknown {
  if (request.kind !== "list") return answer;
  const { actors, silent } = answer as ShownActors;
  for (const slot of silent) process.stderr.write(`${slot} doesn't answer: its actors aren't listed\n`);
  return actors;
}

/** What a line asks for. @throws QStreamError OPTION_INVALID */
export function requestOf(line: string): ViewRequest {
  const [, command = "", rest = ""] = /^\s*(\S+)\s*(.*)$/su.exec(line) ?? [];
  switch (command) {
    case "list":
      return listOf(line, rest.trim());
    case "metrics":
    case "dead-letters":
      return { kind: command };
    case "inspect":
      return { kind: "inspect", actor: actorOf(line, rest.trim()) };
    case "tell":
    case "ask":
      return messageOf(command, line, rest);
    default:
      throw wrong(line, "list, inspect, tell, ask, dead-letters, metrics, help or exit");
  }
}

/** A name of one word or more, or one in quotes. */
function actorOf(line: string, text: string): string {
  const [, quoted, plain] = /^(?:"([^"]+)"|([^"].*))$/su.exec(text) ?? [];
  const name = quoted ?? plain;
  if (name === undefined) throw wrong(line, "inspect ACTOR");
  return name;
}

function listOf(line: string, rest: string): ViewRequest {
  const found = /^(?:"([^"]+)"|(?!on(?:\s|$))([^\s"]+))?\s*(?:\bon\s+(\S+))?$/u.exec(rest);
  if (found === null) throw wrong(line, "list [KIND] [on SLOT]");
  const [, quoted, plain = "", slot] = found;
  const kind = quoted ?? plain;
  return { kind: "list", ...(kind === "" ? {} : { of: kind }), ...(slot === undefined ? {} : { slot }) };
}

function messageOf(kind: "tell" | "ask", line: string, rest: string): ViewRequest {
  // A name with blanks is put in quotes.
  const [, quoted, plain = "", message = "", json = ""] = /^(?:"([^"]+)"|(\S+))\s+(\S+)\s*(.*)$/su.exec(rest) ?? [];
  if (message === "") throw wrong(line, `${kind} ACTOR MESSAGE [JSON]`);
  const common = { kind, actor: quoted ?? plain, message };
  if (json.trim() === "") return common;
  try {
    return { ...common, payload: JSON.parse(json) as unknown };
  } catch (cause) {
    throw new QStreamError("OPTION_INVALID", `${json.slice(0, 80)} isn't JSON: ${(cause as Error).message}`, {
      advice: `Texts have quotes: ${kind} ${common.actor} ${message} '"text"'`,
    });
  }
}

function wrong(line: string, wanted: string): QStreamError {
  return new QStreamError("OPTION_INVALID", `${JSON.stringify(line.slice(0, 80))} can't be understood: ${wanted}`);
}
