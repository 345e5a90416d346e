import { checkAdvertised, checkSecurity } from "../../actors/transport/wire/security.ts";
import { Head } from "../cluster/head.ts";
import { headPortDefault } from "../cluster/head-url.ts";
import { QStreamError } from "../core/errors.ts";
import { asCommand } from "./as-command.ts";
import {
  leaseMsDefault,
  leaseMsLeast,
  leaseMsMost,
  parseBind,
  parseHost,
  parsePlaces,
  parseSecurity,
  securityOptions,
} from "./cluster-options.ts";
import { describeError } from "./describe-error.ts";
import { wholeNumber } from "./option-values.ts";
import { untilSignal } from "./until-signal.ts";
import { parseWords } from "./parse-words.ts";

const executionsMost = 10_000;

/** `qstream head`. Returns the exit code: 0 ended by a signal, 1 it can't run, 2 the command was wrong. */
export function headCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "head",
    () => parse(words),
    async (options) => {
      let isOpen = false;
      const tellRole = (epoch: number | undefined): void => {
        if (isOpen)
          process.stdout.write(epoch === undefined ? "waits: another head leads\n" : `leads, epoch ${epoch}\n`);
      };
      const tellTrouble = (error: QStreamError): void => void process.stderr.write(`${describeError(error)}\n`);
      const head = await Head.open({ ...options, onLead: tellRole, onTrouble: tellTrouble });
      // Whoever reads that it is there may end it at once.
      const signalled = untilSignal();
      process.stdout.write(`head at ${head.url.replace(/^http/u, "ws")}\n`);
      isOpen = true;
      tellRole(head.epoch);
      await signalled;
      // From now on it is of no importance here who leads.
      isOpen = false;
      await head.close();
    },
    (error) => (error instanceof QStreamError && error.code === "OPTION_INVALID" ? 2 : 1),
  );
}

function parse(words: readonly string[]): Parameters<typeof Head.open>[0] | undefined {
  const { values } = parseWords({
    args: [...words],
    options: {
      store: { type: "string" },
      bind: { type: "string" },
      advertise: { type: "string" },
      "lease-ms": { type: "string" },
      files: { type: "string", multiple: true },
      rebalance: { type: "boolean" },
      executions: { type: "string" },
      help: { type: "boolean", short: "h" },
      ...securityOptions,
    },
  });
  if (values.help === true) return undefined;
  const store = values.store ?? process.env["QSTREAM_STORE"];
  if (store === undefined)
    throw new QStreamError("OPTION_INVALID", "--store redis://host:port/db is wanted; QSTREAM_STORE may name it, too");
  const lease = values["lease-ms"];
  const bind = parseBind("--bind", values.bind ?? `127.0.0.1:${headPortDefault}`);
  const security = parseSecurity(values);
  const advertise = values.advertise === undefined ? undefined : parseHost("--advertise", values.advertise);
  // Before anything is asked of Redis, which may be away.
  checkSecurity(bind, security);
  checkAdvertised(bind, advertise);
  return {
    store,
    bind,
    security,
    advertise,
    files: parsePlaces("--files", values.files),
    rebalances: values.rebalance === true,
    executions:
      values.executions === undefined ? undefined : wholeNumber("--executions", values.executions, 1, executionsMost),
    leaseMs: lease === undefined ? leaseMsDefault : wholeNumber("--lease-ms", lease, leaseMsLeast, leaseMsMost),
  };
}
