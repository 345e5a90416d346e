import { nearestWord } from "../core/option-names.ts";

const general = `qstream: actor-model stream processing for TypeScript

Usage
  qstream run FLOW [options]   run a flow of a TypeScript or JavaScript module
  qstream executions           list, show and remove runs that ended before they were done
  qstream simulate FLOW        run a flow many times in a simulated world in which things go wrong
  qstream explore MODULE       run actors, or a flow, in many orders and with many faults, and check what has to hold
  qstream check FLOW           check that the operators of a flow are what they declare, in many orders of their inputs
  qstream head                 where the machines of a cluster meet, and flows are submitted
  qstream worker               offer this machine to a cluster
  qstream ps, qstream top      machines and executions of a cluster: now, and second by second
  qstream follow EXECUTION     watch an execution of a cluster, and get its outputs
  qstream cancel EXECUTION     stop an execution of a cluster
  qstream drain MACHINE        move what a machine of a cluster runs to others, and let it go
  qstream rebalance            move channels to slots of a cluster that have less to do
  qstream attach               look at a system of actors that runs, and tell and ask its actors
  qstream explain FLOW         draw the plan of a flow: here, or who is where on a cluster, and why
  qstream help [COMMAND]       show this, or the help of a command
  qstream --version

Examples
  qstream run wordcount.ts --arg path='books/*.txt'
  qstream run flights.ts --slots 4 --json -
`;

const security = `  --token-file FILE    what everybody who connects has to know: at least 16 characters
  --tls-cert FILE, --tls-key FILE
                       certificate and key in PEM; --tls-ca FILE: who signs those of the others`;

const files = `  --files PLACE        a folder, or what URLs begin with (s3://BUCKET/PREFIX), that readers and sinks of flows are
                       held to; may be repeated (default: all that the process can reach)`;

const client = `  --token-file FILE    the cluster's token, if it has one: at least 16 characters
  --tls-ca FILE        who signs the certificate of the head, in PEM; --tls-cert FILE, --tls-key FILE:
                       this program's own, where the cluster asks for one`;

const run = `qstream run FLOW: run a flow and print its outputs

FLOW is the path of a module whose default export is a flow (defineFlow). For another export write path#name.

Options
  --arg NAME=VALUE     an argument of the flow; may be repeated. Flows that declare their
                       arguments have them parsed and checked; others get strings
  --slots N            how many slots (default: as many as the machine has cores)
  --isolation KIND     thread (default), process, or none (all in one thread, for debugging)
  --memory BYTES       heap that each slot may use, with a unit if you like: 512MB, 2GB
  --turn-ms N          milliseconds that user code may keep a slot from its event loop before that is
                       taken for an endless loop (default 60000; 0: as long as it wants)
  --lease-ms N         with --isolation process: milliseconds without a sign of life after which a slot is given up
                       (default 10000)
  --store URL          where lineage and checkpoints are kept, so that what is lost is made again:
                       lmdb:FOLDER (default lmdb:.qstream, or what QSTREAM_STORE names),
                       redis://HOST:PORT/DB, memory, none
  --checkpoints PLACE  where checkpoints above 256 KiB are kept: a folder or s3://BUCKET/PREFIX
                       (default: with the store)
  --checkpoint-every-ms N
                       milliseconds between two checkpoints of a channel (default 2000)
  --attempts N         how often a task may fail before the run does (default 3)
  --store-wait-ms N    milliseconds for which a store that is away, or full, is waited for before the run fails
                       (default 60000)
  --resume EXECUTION   go on with a run that was killed or failed; "qstream executions" lists them, of a cluster
                       "qstream ps"
  --upgrade            with --resume: the flow's code has changed, and takes the old states
  --rescale [STEP=N]   with --resume: go on with N channels of a step (may be repeated); alone: with those that a
                       fresh run on these slots would have. The run goes on under another id, which is printed
  --verify-replay [N]  run each channel's first task and a part of the others twice (0.05 unless told,
                       1 for all), and stop where the second time gives something else, as replay would
  --json FILE          write {execution, outputs, metrics} as JSON to FILE; - is standard output,
                       which then gets nothing else
  --explain            draw the plan and don't run it; --explain=mermaid and --explain=dot make pictures
  --quiet              no progress, no tables: only errors
  --cluster URL        run it on a cluster: ws://HOST:PORT of its head, or wss:// with TLS. Slots, memory, leases and
                       the store are the machines' and the head's; Ctrl-C cancels
  --detach             with --cluster: print the execution's id and go; it goes on without you
${client}
  --help               show this

Exit codes
  0 success   1 the execution failed   2 the command was wrong (also: no such flow, a wrong
  argument)   130 stopped by Ctrl-C   129, 143 ended by SIGHUP, SIGTERM
`;

const simulate = `qstream simulate FLOW: run a flow in a simulated world, with faults, and compare its outputs

Scheduler, channels, lineage, network, disks and clock run in one thread in virtual time, and everything that
may vary follows from a seed. Each seed's outputs are compared with those of a run without faults: lists in
any order. What sinks write stays in memory.

Options
  --seeds N            how many seeds (default 100)
  --from S             the first of them (default 1)
  --faults KINDS       some of restart (all is killed, and gone on with as --resume does), stop (Ctrl-C, and gone on
                       with), kill, kill-machine, hang, pause, lapse, delay, partition, drop, duplicate, disk-slow,
                       disk-full, disk-broken, disk-damaged, blobs-slow, blobs-away, store-timeout, store-away,
                       store-forgets, checkpoint-damaged, clock-jump, rebalance, with commas; all; none (default:
                       all that an execution survives)
  --arg NAME=VALUE     an argument of the flow; may be repeated
  --slots N            how many slots (default 3)
  --parcel N           objects of a parcel (default 64): small ones make more tasks
  --checkpoint MS      virtual milliseconds between two checkpoints of a channel (default 10)
  --attempts N         how often a task may fail before an execution does (default 3)
  --settings JSON      other options of checkSeeds (qstream/testing): '{"taskMs":5,"limits":{"inputObjects":100}}'
  --trace              show all that happens with one seed, the one of --from
  --json FILE          write seeds, failure and counts of faults as JSON to FILE; - is standard output
  --help               show this

Exit codes
  0 all seeds gave the same   1 one failed: the command that repeats exactly that one is printed
  2 the command was wrong
`;

const explore = `qstream explore MODULE: run actors, or a flow, on simulated machines, in many orders and with faults, and check what has to hold

MODULE is the path of a module whose default export is an exploration (defineExploration, defineFlowExploration). For another
export write path#name.

Options
  --seeds N            how many seeds (default 1000)
  --from S             the first of them (default 1)
  --seed S             only this one, as it is
  --steps N            steps of a run: one message, timer or fault each (default: the exploration's)
  --stop-at N          ends a run behind this step, whatever is still to come: with --seed and --pictures, what led there
  --machines N         another number of machines
  --sizes LIST         several numbers of machines, as 3,5,9,17, to see how messages and rounds grow
  --only-faults LIST   of its faults only these, as a violation names them: 1,m17; or none. Of a flow, kinds: kill,delay
  --only-delays LIST   messages that take as long as the seed says: 4,7-9; or none. All others take the least time
  --exhaustive         all orders in place of seeds, but for those that nobody can tell apart: for small systems
  --losses N, --repeats N, --crashes N
                       with --exhaustive: how many messages get lost or come twice, and machines crash, at most
  --depth N            with --exhaustive: messages, timers and faults of one execution at most (default 200)
  --executions N       with --exhaustive: how many at most (default 100000)
  --reduction KIND     with --exhaustive: races (default), states: what follows from a state that was met before isn't
                       tried again; none
  --choices LIST       with --exhaustive: repeat one execution, as a violation names it
  --pictures FOLDER    write a violation, or the run of --seed, as SVG and as an HTML page
  --whole              states and messages are shown as long as they are, and rows aren't cut
  --turn-ms N          milliseconds that a step may take before that is taken for an endless loop, and the process is
                       killed, when it has told whose step it is (default 60000; 0: as long as it wants)
  --json FILE          write the report as JSON to FILE; - is standard output
  --help               show this

An exploration of a flow takes --seeds, --from, --seed, --only-faults and --json.

Exit codes
  0 all held   1 something didn't: the smallest run that was found is shown, and the command that repeats it
  2 the command was wrong   137 a step didn't end (--turn-ms)
`;

const check = `qstream check FLOW: run the operators of a flow in many orders, and compare with what they declare

Runs the flow once, in this process and without its sinks, and records what each operator gets. Then each is run
by hand on that: again, after restarts from snapshots, and, if it declares to be confluent, with its inputs in other
orders, other batches, at other times and in other channels. Two orders that differ are made as small as they get,
and printed as a spec.

Options
  --seeds N            how many orders of each operator (default 100)
  --from S             the first of them (default 1)
  --step ID            only this step
  --objects N          objects that are taken of each of its inputs at most (default 30)
  --seconds N          how long the flow runs at most; what was recorded by then counts (default 10)
  --arg NAME=VALUE     an argument of the flow; may be repeated
  --json FILE          write what was checked of each step as JSON to FILE; - is standard output
  --help               show this

Exit codes
  0 all are what they declare   1 one isn't, or the flow failed: the command that repeats exactly that is printed
  2 the command was wrong
`;

const executions = `qstream executions: runs that a store knows because they ended before they were done

Usage
  qstream executions [list]            a line for each: when, flow, status, id
  qstream executions show EXECUTION    its flow, arguments, steps, and how far each channel came
  qstream executions remove EXECUTION  free what the store keeps of it, and remove the hidden files that its sinks
                                       may have left: .EXECUTION.* in their folders
  qstream executions remove --all      the same for all that failed or were cancelled; what runs, or is called
                                       running, stays
  qstream executions remove --older-than DURATION
                                       for those of them that were started so long ago: 90s, 30min, 12h, 7d

Options
  --store URL          lmdb:FOLDER (default lmdb:.qstream, or what QSTREAM_STORE names),
                       redis://HOST:PORT/DB
  --checkpoints PLACE  the folder or s3://BUCKET/PREFIX that the run named, for remove
  --json               as JSON
  --help               show this

Status
  running     runs now, or was killed: the store can't tell
  failed, cancelled

To go on with one: qstream run FLOW --resume EXECUTION
`;

const head = `qstream head: where the machines of a cluster meet, and flows are submitted

Usage
  qstream head --store redis://HOST:PORT/DB [options]

Options
  --store URL          a Redis of its own, which lineage and checkpoints are kept in: redis:// or rediss://
                       (default: what QSTREAM_STORE names)
  --bind HOST:PORT     where to listen (default 127.0.0.1:7420)
  --advertise HOST[:PORT]
                       what machines, clients and other heads dial, where that isn't what is bound: for
                       0.0.0.0 it is wanted. Drivers of executions are found at that host, too
  --lease-ms N         milliseconds without a word after which a machine or a client is given up
                       (default 10000)
  --rebalance          channels move to machines with less to do by themselves, and not only when
                       qstream rebalance asks for it
  --executions N       how many executions run at once; those beyond wait for their turn (default 16)
${files}
${security}
  --read-token-file FILE
                       another token, for clients that may only look
  --help               show this

Signals
  At SIGTERM, SIGINT or SIGHUP it resigns, so that one that waits leads at once, and ends. What runs goes on there.

Beyond 127.0.0.1 nothing listens without a token and TLS: who reaches the port can run code.
`;

const worker = `qstream worker: offer this machine to a cluster, until it is ended or drained

Usage
  qstream worker --join ws://HOST:PORT [options]

Options
  --join URL           a head, or several with commas between; may be repeated: one that answers is joined
  --slots N            how many slots (default: as many as the machine has cores)
  --tag NAME           for steps that are placed by tagged(NAME); may be repeated
  --datasets BYTES     datasets that each slot keeps in memory at most, together (default 1GB)
  --has FOLDER         the files below it are on this machine: readers that are placed by nearFiles() read them
                       here; may be repeated
  --memory BYTES       heap that each slot may use: 512MB, 2GB
  --bind HOST:PORT     where other machines reach this one (default 127.0.0.1 and any free port)
  --advertise HOST:PORT
                       what others dial, where that isn't what is bound
  --lease-ms N         milliseconds without a word after which a driver is given up (default 10000)
  --turn-ms N          milliseconds that user code may keep a slot from its event loop (default 60000)
  --drain-ms N         milliseconds for which SIGTERM has it wait until others have what runs here (default 25000)
  --compress HOW       how large parcels for other machines are packed: none or lz4, which pays where the network
                       carries less than about 270 MB/s (default none)
${files}
${security}
  --help               show this

Signals
  SIGTERM has the head drain this machine, as qstream drain does: the worker ends once nothing needs it any more, or
  when --drain-ms are over. SIGINT, SIGHUP, and any second signal end it at once: others make again what it had.

Exit codes
  0 ended by a signal, or drained   1 it can't go on   2 the command was wrong
`;

const place = `  --cluster URL        ws://HOST:PORT of its head (default: what QSTREAM_CLUSTER names); of several, with
                       commas, the one that leads is found
${client}
  --help               show this`;

const ps = `qstream ps: the machines and executions of a cluster

Options
  --json               as JSON
${place}
`;

const top = `qstream top: the machines and executions of a cluster with their rates, each second until Ctrl-C

Where standard output is no terminal, a line for the cluster and for each execution that runs.

Options
${place}
`;

const follow = `qstream follow EXECUTION: watch an execution of a cluster, and print its outputs at its end

For one that somebody submitted, with --detach for example, or that ended not long ago. Ctrl-C ends the
watching, and not the execution.

Options
  --json FILE          write {execution, outputs, metrics} as JSON to FILE; - is standard output
  --quiet              no progress, no tables: only errors
${place}

Exit codes
  0 it is done   1 it failed, or there is none   2 the command was wrong   130 Ctrl-C
`;

const cancel = `qstream cancel EXECUTION: stop an execution of a cluster

Options
  --json               as JSON
${place}
`;

const drain = `qstream drain MACHINE: move what a machine runs to others, and let it go

The others go on meanwhile. The command ends when nothing needs the machine any more; its qstream worker ends, too.

Options
  --json               as JSON
${place}
`;

const rebalance = `qstream rebalance [EXECUTION]: move channels to slots of a cluster that have less to do

Of one execution, or of all that run. What moves goes on from its newest checkpoint, and the others go on meanwhile.
Channels stay where they are where little would be gained.

Options
  --json               as JSON
${place}
`;

const attach = `qstream attach [SYSTEM]: look at a system of actors that runs, and tell and ask its actors

SYSTEM is its execution; without --cluster it may be left out where this machine has one. Systems let nobody look at them
unless they are started with attachable: true; of this machine, those of this user.

At the prompt
  list [KIND] [on SLOT], inspect ACTOR, tell ACTOR MESSAGE [JSON], ask ACTOR MESSAGE [JSON], dead-letters, metrics,
  help, exit. ACTOR is a name, KIND/KEY of an entity, or what list shows; with blanks in it, in quotes.

Options
  --execute TEXT       does one such thing, and ends; may be repeated
  --json               answers as JSON
  --cluster URL        of a cluster: ws://HOST:PORT of its head
${client}
  --help               show this
`;

const explain = `qstream explain FLOW: draw the plan of a flow, without running it

FLOW is the path of a module whose default export is a flow; for another export write path#name.

With --cluster it says on which machines channels are, or would be, and why: of the latest execution of the flow that
runs; else by what the steps sent when it was last done, as far as the head remembers; else as for a first run.

Options
  --as KIND            text (default), mermaid, dot
  --arg NAME=VALUE     an argument of the flow; may be repeated
  --slots N            without --cluster: for how many slots (default: as many as the machine has cores)
  --cluster URL        ws://HOST:PORT of its head; of several, with commas, the one that leads is found
  --execution ID       with --cluster: the execution that tells where channels are
${client}
  --help               show this

Exit codes
  0 success   1 it can't be placed   2 the command was wrong
`;

const commands = {
  run,
  executions,
  simulate,
  explore,
  check,
  head,
  worker,
  ps,
  top,
  follow,
  cancel,
  drain,
  rebalance,
  attach,
  explain,
} as const;

/** A command that has a help of its own. */
export type CommandName = keyof typeof commands;

/** Help of the program. */
export function helpOf(): string;
/** Help of one command. */
export function helpOf(command: CommandName): string;
/** Help of the command that a user names; undefined where there is none of that name. */
export function helpOf(command: string | undefined): string | undefined;
export function helpOf(command?: string): string | undefined {
  if (command === undefined || command === "help") return general;
  return Object.hasOwn(commands, command) ? commands[command as CommandName] : undefined;
}

/** What is printed when a command is wrong. */
export function usageError(what: string, command?: string): string {
  return `qstream: ${what}\nTry: qstream help${command === undefined ? "" : ` ${command}`}\n`;
}

/** What is printed for a command that there isn't. */
export function unknownCommand(word: string): string {
  if (/\.[cm]?[jt]sx?(?:#|$)/u.test(word)) return usageError(`"${word}" is no command; to run it: qstream run ${word}`);
  const nearest = nearestWord(word, [...Object.keys(commands), "help", "--help", "--version"]);
  return usageError(`there is no command "${word}"${nearest === undefined ? "" : `; did you mean ${nearest}?`}`);
}
