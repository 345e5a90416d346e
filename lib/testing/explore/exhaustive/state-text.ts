import { createHash } from "node:crypto";
import { cellFlag, type Cell } from "../../../../actors/system/cell.ts";
import type { Envelope, ReplyTo } from "../../../../actors/system/envelope.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import type { AnyReference } from "../../../core/contracts/actor.ts";
import type { ExploredNode } from "../explored-node.ts";
import type { WorldMachine } from "../machine.ts";
import { AnswerPacket } from "../packet.ts";
import { RemoteReply } from "../remote-reply.ts";
import { keyOf } from "./actor-key.ts";
import { ActorTimerSet, type ChoiceMedium, type Waiting } from "./choice-medium.ts";
import type { ExecutionState } from "./choice-run.ts";
import type { MachineTimer } from "./machine-timers.ts";
import { Unhashable, ValueTexts } from "./value-text.ts";

/**
 * A short text that is the same for states of the world from which the same follows: of actors, of what waits, of disks, and of what
 * checks have seen. Undefined where that can't be said, as of actors that wait for a promise.
 *
 * @param asked - what of the time anybody has asked for: it makes states differ
 */
export function stateHash(run: ExecutionState, asked: ReadonlySet<string>): string | undefined {
  try {
    return createHash("sha1").update(stateText(run, asked)).digest("base64");
  } catch (error) {
    if (error instanceof Unhashable) return undefined;
    throw error;
  }
}

function stateText(run: ExecutionState, asked: ReadonlySet<string>): string {
  const { world, medium, left } = run;
  const parts: string[] = [JSON.stringify([left, run.pending, medium.drawn]), new ValueTexts().of(run.system)];
  if (asked.has("time")) parts.push(`at ${world.nowMs}`);
  if (asked.has("step")) parts.push(`step ${world.step}`);
  for (const machine of world.machines) parts.push(...machineTexts(machine, medium, asked.has("clock")));
  parts.push(...timerTexts(-1, medium), world.sharedText(), ...waitingTexts(medium));
  return parts.join("\n");
}

function machineTexts(machine: WorldMachine, medium: ChoiceMedium, isTimed: boolean): string[] {
  const { index, disk, node, isUp, restarts, residents } = machine;
  // Somebody's code goes on, in a way that only itself knows, when what it asked for is answered.
  if (machine.asks.size > 0) throw new Unhashable();
  const { values, unflushed } = disk.content();
  const about = [
    index,
    isUp,
    restarts,
    isUp ? node.life : 0,
    node.metrics.spawned,
    isTimed ? medium.timers.timeOf(index) : 0,
  ];
  const parts = [about.join(" "), new ValueTexts().of([values, unflushed]), ...timerTexts(index, medium)];
  for (const { reference, args } of residents) parts.push(`${reference.key} ${new ValueTexts().of(args)}`);
  return isUp ? [...parts, ...[...node.living()].map(cellText)] : parts;
}

function cellText(cell: Cell): string {
  const { flags, extras, id, restarts, parent } = cell;
  // How often it failed, and when, says what becomes of it when it fails again.
  if ((flags & cellFlag.suspended) !== 0 || extras?.restarted !== undefined) throw new Unhashable();
  const texts = new ValueTexts();
  const parts: (string | number)[] = [keyOf(cell), id, flags & ~cellFlag.ready, restarts, parent?.id ?? 0];
  parts.push(texts.of(cell.args), texts.of(cell.state), ...mail(cell.head));
  if (extras === undefined) return parts.join(" ");
  const { mode, stash = [], ends, watchers, watching, topics, distant, waitsFor } = extras;
  parts.push(mode ?? "", (cell.node as ExploredNode).drawnBy(cell), keyOf(waitsFor));
  parts.push("stash", ...stash.map(envelopeText), texts.of([ends, topics]));
  for (const map of [watchers, watching, distant]) parts.push([...(map?.keys() ?? [])].join(","));
  return parts.join(" ");
}

function mail(head: Envelope | undefined): string[] {
  const texts: string[] = [];
  for (let each = head; each !== undefined; each = each.next) texts.push(envelopeText(each));
  return texts;
}

function envelopeText({ name, payload, sender, reply }: Envelope): string {
  return `${name} ${new ValueTexts().of(payload)} ${keyOfSender(sender)} ${replyText(reply)}`;
}

function keyOfSender(sender: AnyReference | undefined): string {
  return sender === undefined ? "" : (sender as Reference).key;
}

/** Nobody waits for the answer, or it would be a question that is open: but who asked may have crashed meanwhile. */
function replyText(reply: ReplyTo | undefined): string {
  if (reply === undefined) return "";
  if (reply instanceof RemoteReply) return `for ${keyOf(reply.asker)} ${reply.isOver}`;
  if (reply.isOver) return "over";
  throw new Unhashable();
}

function waitingTexts({ waiting }: ChoiceMedium): string[] {
  return [...waiting]
    .map(([process, queue]) => {
      const pair = queue[0]?.pair ?? "";
      // One that may overtake others is named by a number of its own, which says nothing.
      const isAlone = process !== pair;
      return `${isAlone ? "alone " : ""}${pair}: ${queue.map(waitingText).join("; ")}`;
    })
    .sort();
}

function waitingText({ what }: Waiting): string {
  switch (what.kind) {
    case "message":
      return envelopeText(what.envelope);
    case "packet":
      if (!(what.packet instanceof AnswerPacket)) return `${what.packet.to.key} ${envelopeText(what.packet)}`;
      return `answer ${what.packet.text} ${new ValueTexts().of(what.packet.value)}`;
    case "answer":
      throw new Unhashable();
    case "act":
      return what.text;
  }
}

function timerTexts(machine: number, { timers }: ChoiceMedium): string[] {
  return timers.of(machine).map((timer) => `${timer.due - timers.timeOf(machine)} ${timerText(timer)}`);
}

function timerText({ about, madeBy, number }: MachineTimer): string {
  if (about instanceof ActorTimerSet) {
    const { cell, id, request } = about;
    const { name, payload, repeats, delayMs } = request;
    return `${keyOf(cell)} ${id} ${name} ${new ValueTexts().of(payload)} ${repeats ? delayMs : ""}`;
  }
  // What is to be done from outside is known by its place in what the start has made.
  if (madeBy === -1) return `start ${number}`;
  throw new Unhashable();
}
