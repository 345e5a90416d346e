import type { ClusterOptions, ClusterSession } from "../cluster/cluster-session.ts";
import { cluster } from "../cluster/open-cluster.ts";
import type { RebalancedExecution } from "../cluster/protocol.ts";
import { errorFromData, QStreamError } from "../core/errors.ts";
import { asCommand } from "./as-command.ts";
import { clientOptions, parseCluster } from "./cluster-options.ts";
import { toJson } from "./json.ts";
import { parseWords } from "./parse-words.ts";

interface Command {
  readonly options: ClusterOptions;
  readonly json: boolean;
  /** Undefined: all that run. */
  readonly execution: string | undefined;
}

/** `qstream rebalance`. Returns the exit code: 0 success, 1 it failed, 2 the command was wrong. */
export function rebalanceCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "rebalance",
    () => parse(words),
    async ({ options, execution, json }) => {
      await using session = await cluster(options);
      const executions = await rebalance(session, execution);
      process.stdout.write(json ? `${await toJson({ executions })}\n` : describe(executions));
      return executions.some(({ error }) => error !== undefined) ? 1 : 0;
    },
  );
}

function parse(words: readonly string[]): Command | undefined {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" }, ...clientOptions },
  });
  if (values.help === true) return undefined;
  if (positionals.length > 1)
    throw new QStreamError(
      "OPTION_INVALID",
      `one execution at a time, not ${positionals.join(" and ")}; or none for all`,
    );
  return { options: parseCluster(values), json: values.json === true, execution: positionals[0] };
}

async function rebalance(
  session: ClusterSession,
  execution: string | undefined,
): Promise<readonly RebalancedExecution[]> {
  if (execution === undefined) return session.rebalanceAll();
  return [{ execution, moves: await session.rebalance(execution) }];
}

function describe(executions: readonly RebalancedExecution[]): string {
  if (executions.length === 0) return "nothing runs\n";
  return executions.map((one) => `${describeOne(one)}\n`).join("");
}

function describeOne({ execution, moves, error }: RebalancedExecution): string {
  if (error !== undefined) return `${execution} stays as it is: ${errorFromData(error).message}`;
  if (moves.length === 0) return `${execution} stays as it is: nothing would be gained`;
  const lines = moves.map(({ step, channel, from, slot }) => `  ${step} ${channel}: ${from} -> ${slot}`);
  return [
    `${execution}: ${moves.length} ${moves.length === 1 ? "channel goes" : "channels go"} elsewhere`,
    ...lines,
  ].join("\n");
}
