import { hostOfAddress } from "../../actors/transport/wire/security.ts";
import type { HeadExecutionsParts } from "./head-world.ts";
import type { KnownExecution } from "./known-execution.ts";
import type { DriverStart, ListedExecution, Submission } from "./protocol.ts";

/** What the driver of an execution is started with. */
export function driverStart(
  { execution, drivers, firstDriver }: KnownExecution,
  submission: Submission,
  epoch: number,
  parts: HeadExecutionsParts & { readonly measured: DriverStart["measured"] },
): DriverStart {
  const { machines, bundleUrl, store, leaseMs, bind, advertise, files, security, rebalances, measured } = parts;
  return {
    kind: "start",
    execution,
    driver: drivers,
    begins: drivers === firstDriver,
    epoch,
    submission,
    bundle: { hash: submission.bundle, url: bundleUrl(submission.bundle) },
    machines: machines(),
    store,
    leaseMs,
    host: bind.host,
    // It listens on a port of its own.
    advertise: advertise === undefined ? undefined : hostOfAddress(advertise),
    files,
    rebalances,
    measured,
    token: security.token,
    tls: security.tls,
  };
}

/** The execution that tells most about where steps of a flow go: the latest that runs, else the latest that is done. */
export function tellingExecution(executions: readonly ListedExecution[], flow: string): ListedExecution | undefined {
  const ofFlow = executions.filter(({ flow: other, metrics }) => other === flow && metrics !== undefined);
  return ofFlow.findLast(({ status }) => status === "running") ?? ofFlow.findLast(({ status }) => status === "done");
}
