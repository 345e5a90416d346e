import { createHash } from "node:crypto";
import { cellFlag, type Cell } from "../../../../actors/system/cell.ts";
import { Reference } from "../../../../actors/system/reference.ts";
import { MachineDisk } from "../machine-disk.ts";
import { AnswerPacket } from "../packet.ts";
import type { ChoiceRun } from "./choice-run.ts";
import { keyOf, type Waiting } from "./choice-medium.ts";

const depthMax = 50;

/** What can't be compared: a function, a promise that is waited for. */
class Unhashable extends Error {}

/**
 * A short text that is the same for states of the world that are alike: of actors, of what waits, of disks. Undefined where that can't be
 * said, as of actors that wait for a promise.
 */
export function stateHash<System>({ world, medium, left }: ChoiceRun<System>): string | undefined {
  try {
    const parts: string[] = [JSON.stringify(left), medium.timers.text()];
    for (const machine of world.machines) {
      parts.push(machine.name, String(machine.isUp), textOf(machine.disk, 0));
      if (!machine.isUp) continue;
      for (const cell of machine.node.living()) parts.push(cellText(cell));
    }
    const waiting = [...medium.waiting].map(([process, queue]) => `${process}: ${queue.map(waitingText).join("; ")}`);
    parts.push(...waiting.sort());
    return createHash("sha1").update(parts.join("\n")).digest("base64");
  } catch (error) {
    if (error instanceof Unhashable) return undefined;
    throw error;
  }
}

function cellText(cell: Cell): string {
  if ((cell.flags & cellFlag.suspended) !== 0) throw new Unhashable();
  const stash = (cell.extras?.stash ?? []).map(({ name, payload }) => `${name} ${textOf(payload, 0)}`);
  return `${keyOf(cell)} ${cell.extras?.mode ?? ""} ${textOf(cell.state, 0)} ${stash.join(",")}`;
}

function waitingText({ what }: Waiting): string {
  switch (what.kind) {
    case "message":
      return `${what.envelope.name} ${textOf(what.envelope.payload, 0)}`;
    case "packet":
      return what.packet instanceof AnswerPacket
        ? `answer ${textOf(what.packet.value, 0)}`
        : `${what.packet.name} ${textOf(what.packet.payload, 0)}`;
    case "answer":
      return `answer ${textOf(what.resumption.value, 0)}`;
    case "act":
      return "act";
  }
}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "function":
    case "symbol":
      throw new Unhashable();
    case "object":
      return value === null ? "null" : objectText(value, depth + 1);
    default:
      return `${typeof value} ${String(value)}`;
  }
}

function objectText(value: object, depth: number): string {
  if (depth > depthMax || value instanceof Promise) throw new Unhashable();
  if (value instanceof Reference) return value.cell === undefined ? value.key : keyOf(value.cell);
  if (value instanceof MachineDisk) {
    return objectText(new Map([...value.keys()].map((key) => [key, value.get(key)] as const)), depth) + value.unflushed;
  }
  if (Array.isArray(value)) return `[${value.map((each) => textOf(each, depth)).join(",")}]`;
  if (value instanceof Map) return `Map{${inOrder([...value].map((entry) => textOf(entry, depth)))}}`;
  if (value instanceof Set) return `Set{${inOrder([...value].map((each) => textOf(each, depth)))}}`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof Error) return `${value.name} ${value.message}`;
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  const entries = Object.entries(value).filter(([, each]) => typeof each !== "function");
  return `${value.constructor?.name ?? ""}{${inOrder(entries.map(([key, each]) => `${key}:${textOf(each, depth)}`))}}`;
}

function inOrder(texts: readonly string[]): string {
  return [...texts].sort().join(",");
}
