#!/usr/bin/env node
import { helpOf, unknownCommand } from "./help.ts";
import { hidePasswords } from "./hide-passwords.ts";

hidePasswords(process.argv);

// A reader of our output that has seen enough (head, less) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? 0);
});

// What user code left behind (a timer, a server) doesn't keep the command from ending.
const lingerMs = 500;

// The commands load what they need, so that --help and --version answer at once.
const [command, ...rest] = process.argv.slice(2);

switch (command) {
  case "run": {
    const { runCommand } = await import("./run-command.ts");
    process.exitCode = await runCommand(rest);
    setTimeout(() => process.exit(), lingerMs).unref();
    break;
  }
  case "executions": {
    const { executionsCommand } = await import("./executions-command.ts");
    process.exitCode = await executionsCommand(rest);
    break;
  }
  case "simulate": {
    const { simulateCommand } = await import("./simulate-command.ts");
    process.exitCode = await simulateCommand(rest);
    setTimeout(() => process.exit(), lingerMs).unref();
    break;
  }
  case "explore": {
    const { exploreCommand } = await import("./explore-command.ts");
    process.exitCode = await exploreCommand(rest);
    setTimeout(() => process.exit(), lingerMs).unref();
    break;
  }
  case "check": {
    const { checkCommand } = await import("./check-command.ts");
    process.exitCode = await checkCommand(rest);
    setTimeout(() => process.exit(), lingerMs).unref();
    break;
  }
  case "follow": {
    const { followCommand } = await import("./follow-command.ts");
    process.exitCode = await followCommand(rest);
    break;
  }
  case "top": {
    const { topCommand } = await import("./top-command.ts");
    process.exitCode = await topCommand(rest);
    break;
  }
  case "head": {
    const { headCommand } = await import("./head-command.ts");
    process.exitCode = await headCommand(rest);
    break;
  }
  case "worker": {
    const { workerCommand } = await import("./worker-command.ts");
    process.exitCode = await workerCommand(rest);
    setTimeout(() => process.exit(), lingerMs).unref();
    break;
  }
  case "explain": {
    const { explainCommand } = await import("./explain-command.ts");
    process.exitCode = await explainCommand(rest);
    setTimeout(() => process.exit(), lingerMs).unref();
    break;
  }
  case "attach": {
    const { attachCommand } = await import("./attach-command.ts");
    process.exitCode = await attachCommand(rest);
    break;
  }
  case "rebalance": {
    const { rebalanceCommand } = await import("./rebalance-command.ts");
    process.exitCode = await rebalanceCommand(rest);
    break;
  }
  case "ps":
  case "cancel":
  case "drain": {
    const { clusterCommand } = await import("./ps-command.ts");
    process.exitCode = await clusterCommand(command, rest);
    break;
  }
  case undefined:
    process.stderr.write(helpOf());
    process.exitCode = 2;
    break;
  case "help":
  case "--help":
  case "-h": {
    const help = helpOf(rest[0]);
    if (help === undefined) process.stderr.write(unknownCommand(rest[0] ?? ""));
    else process.stdout.write(help);
    process.exitCode = help === undefined ? 2 : 0;
    break;
  }
  case "--version":
  case "-v": {
    const { readVersion } = await import("./version.ts");
    process.stdout.write(`${readVersion()}\n`);
    break;
  }
  default:
    process.stderr.write(unknownCommand(command));
    process.exitCode = 2;
}
