import type { ClusterOptions, ClusterSession } from "../cluster/cluster-session.ts";
import { cluster } from "../cluster/open-cluster.ts";
import type { ListedExecution, ListedMachine } from "../cluster/protocol.ts";
import { QStreamError } from "../core/errors.ts";
import { asCommand } from "./as-command.ts";
import { clientOptions, parseCluster, parseSubject } from "./cluster-options.ts";
import { formatTable, shorten, wholeTable } from "./display/table.ts";
import { formatCount } from "./display/units.ts";
import { toJson } from "./json.ts";
import { parseWords } from "./parse-words.ts";

interface Command {
  readonly options: ClusterOptions;
  readonly json: boolean;
  /** The execution or machine that is named. */
  readonly subject: string;
}

// Executions that an error names.
const namedMax = 10;
/** Of an error in the table; all of it is in --json. */
const errorWidthMax = 100;

type Name = "ps" | "cancel" | "drain";

/** `qstream ps`, `qstream cancel` and `qstream drain`. Returns the exit code: 0 success, 1 it failed, 2 the command was wrong. */
export function clusterCommand(name: Name, words: readonly string[]): Promise<number> {
  return asCommand(
    name,
    () => parse(name, words),
    async (command) => {
      await using session = await cluster(command.options);
      process.stdout.write(await perform(name, session, command));
    },
  );
}

function parse(name: Name, words: readonly string[]): Command | undefined {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: name !== "ps",
    options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" }, ...clientOptions },
  });
  if (values.help === true) return undefined;
  const subject = name === "ps" ? "" : parseSubject(name === "cancel" ? "execution" : "machine", positionals);
  return { options: parseCluster(values), json: values.json === true, subject };
}

async function perform(name: Name, session: ClusterSession, command: Command): Promise<string> {
  switch (name) {
    case "ps":
      return list(session, command.json);
    case "cancel":
      return cancel(session, command);
    case "drain": {
      const { subject: machine, json } = command;
      await session.drain(machine);
      return json ? `${await toJson({ machine, status: "drained" })}\n` : `${machine} is drained: its worker ends\n`;
    }
  }
}

async function list(session: ClusterSession, json: boolean): Promise<string> {
  const { machines, executions } = await session.list();
  if (json) return `${await toJson({ machines, executions })}\n`;
  const machineTable = machines.length === 0 ? "no machines\n" : formatTable(machines.map(machineRow), wholeTable);
  const executionTable =
    executions.length === 0 ? "no executions\n" : formatTable(executions.map(executionRow), wholeTable);
  return `${machineTable}\n${executionTable}`;
}

function machineRow(machine: ListedMachine): Record<string, unknown> {
  const { id, url, slots, tags, joinedAt } = machine;
  return {
    machine: id,
    url,
    slots: slots.length,
    tags: tags.join(" "),
    "joined (UTC)": timeOf(joinedAt),
    state: stateOf(machine),
  };
}

function stateOf({ draining, storeAway }: ListedMachine): string {
  if (draining === true) return "is drained";
  return storeAway === true ? "can't reach Redis" : "ready";
}

function executionRow({
  execution,
  flow,
  status,
  submittedAt,
  metrics,
  error,
}: ListedExecution): Record<string, unknown> {
  return {
    execution,
    flow,
    status,
    "submitted (UTC)": timeOf(submittedAt),
    "rows read": formatCount(metrics?.rowsRead ?? 0),
    error: shorten(error ?? "", errorWidthMax),
  };
}

function isUnfinished({ status }: ListedExecution): boolean {
  return status === "running" || status === "waiting";
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

async function cancel(session: ClusterSession, { subject: execution, json }: Command): Promise<string> {
  const { executions } = await session.list();
  const known = executions.find((candidate) => candidate.execution === execution);
  if (known === undefined) {
    const running = executions.filter(isUnfinished).map((other) => other.execution);
    throw new QStreamError("EXECUTION_UNKNOWN", `the cluster has no execution ${execution}`, {
      advice: running.length === 0 ? "None runs" : `Those that run: ${running.slice(0, namedMax).join(", ")}`,
    });
  }
  const isRunning = isUnfinished(known);
  if (isRunning) await session.cancel(execution, "it was cancelled by qstream cancel");
  if (json) return `${await toJson({ execution, status: isRunning ? "cancelling" : known.status })}\n`;
  return isRunning ? `${execution} is being cancelled\n` : `${execution} is ${known.status}\n`;
}
