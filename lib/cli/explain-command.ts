import type { ClusterOptions } from "../cluster/cluster-session.ts";
import { tellingExecution } from "../cluster/driver-start.ts";
import { cluster } from "../cluster/open-cluster.ts";
import type { ListedExecution } from "../cluster/protocol.ts";
import { QStreamError, type ErrorCode } from "../core/errors.ts";
import { parseArguments } from "../flow/arguments-schema.ts";
import type { ExplainOptions } from "../flow/explain/index.ts";
import { asCommand } from "./as-command.ts";
import { clientOptions, parseCluster } from "./cluster-options.ts";
import { loadFlow } from "./load-flow.ts";
import { checkOneFlow, oneOf, wholeNumber } from "./option-values.ts";
import { parseWords } from "./parse-words.ts";

interface Command {
  readonly flow: string;
  readonly args: readonly string[];
  readonly as: "text" | "mermaid" | "dot";
  readonly slots: number | undefined;
  readonly execution: string | undefined;
  /** Undefined: slots of this machine. */
  readonly cluster: ClusterOptions | undefined;
}

const pictures = ["text", "mermaid", "dot"] as const;

/** `qstream explain`. Returns the exit code: 0 success, 1 it can't be placed, 2 the command was wrong. */
export function explainCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "explain",
    () => parse(words),
    async (command) => {
      const flow = await loadFlow(command.flow);
      const args = parseArguments(flow.name, flow.schema, command.args);
      process.stdout.write(flow.explain(args, await optionsOf(command, flow.name)));
    },
    (error) => (error instanceof QStreamError && isAboutWords(error) ? 2 : 1),
  );
}

const aboutWords: readonly ErrorCode[] = ["PATH_NOT_FOUND", "FLOW_NOT_FOUND", "OPTION_INVALID", "ARGUMENT_INVALID"];

function isAboutWords({ code }: QStreamError): boolean {
  return aboutWords.includes(code);
}

async function optionsOf({ as, slots, cluster: place, execution }: Command, flow: string): Promise<ExplainOptions> {
  if (place === undefined) return { as, ...(slots === undefined ? {} : { slots }) };
  await using session = await cluster(place);
  const { machines, executions } = await session.list();
  const telling = execution === undefined ? tellingExecution(executions, flow) : known(executions, execution, flow);
  // Nothing is placed on those that are to go.
  const usable = machines.filter(({ draining }) => draining !== true);
  return { as, machines: usable, ...(telling === undefined ? {} : { execution: telling }) };
}

function known(executions: readonly ListedExecution[], execution: string, flow: string): ListedExecution {
  const found = executions.find((candidate) => candidate.execution === execution && candidate.flow === flow);
  if (found !== undefined) return found;
  const others = executions.filter((candidate) => candidate.flow === flow).map((candidate) => candidate.execution);
  throw new QStreamError("EXECUTION_UNKNOWN", `the cluster has no execution ${execution} of flow ${flow}`, {
    advice: `Those of this flow: ${others.join(", ") || "none"}`,
  });
}

function parse(words: readonly string[]): Command | undefined {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      arg: { type: "string", multiple: true },
      as: { type: "string" },
      slots: { type: "string" },
      execution: { type: "string" },
      help: { type: "boolean", short: "h" },
      ...clientOptions,
    },
  });
  if (values.help === true) return undefined;
  checkOneFlow(positionals);
  const { slots, execution } = values;
  const onCluster = values.cluster !== undefined;
  if (onCluster && slots !== undefined) {
    throw new QStreamError("OPTION_INVALID", "--slots is for this machine, and those of a cluster have theirs");
  }
  if (!onCluster && execution !== undefined) {
    throw new QStreamError("OPTION_INVALID", "--execution is one of a cluster: give --cluster ws://host:port");
  }
  return {
    flow: positionals[0] ?? "",
    args: values.arg ?? [],
    as: oneOf("--as", values.as ?? "text", pictures),
    slots: slots === undefined ? undefined : wholeNumber("--slots", slots, 1, 1024),
    execution,
    cluster: onCluster ? parseCluster(values) : undefined,
  };
}
