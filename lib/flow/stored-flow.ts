import type { NumberedSplit } from "../../actors/channel/reader-work.ts";
import type { EarlierChannels } from "../../actors/slot/protocol.ts";
import type { EncodedArguments } from "../../actors/slot/arguments.ts";
import { decodeObjects, encodeObjects } from "../core/codec/index.ts";
import { QStreamError } from "../core/errors.ts";
import type { Limits } from "../core/limits.ts";
import type { Payload } from "../core/payload.ts";
import type { Plan } from "../core/plan.ts";
import type { SinkFolder } from "./prepare-sinks.ts";

type Splits = readonly (readonly NumberedSplit[])[];

/** Everything that a store keeps of a run so that another process can go on with it. */
export interface StoredFlow {
  /** Name of the flow. */
  readonly flow: string;
  /** URL of its module when it was started. */
  readonly module: string;
  /** Hash of the module's code and of what it imports by path; empty where that can't be had. */
  readonly codeHash: string;
  readonly args: EncodedArguments;
  readonly plan: Plan;
  readonly splits: readonly (readonly [step: number, splits: Splits])[];
  readonly limits: Limits;
  readonly seed: number;
  /** When it was started, milliseconds since 1970: the time that `open` of user code is told, in every life. */
  readonly openedAt: number;
  readonly strict: boolean;
  /** Where file sinks keep hidden files; undefined in what earlier versions wrote. */
  readonly sinkFolders?: readonly SinkFolder[] | undefined;
  /** For one whose steps got another number of channels. */
  readonly earlier?: EarlierFlow | undefined;
}

/** What a run was before its steps got another number of channels. */
export interface EarlierFlow extends EarlierChannels {
  /** The execution that it went on from: while the store has that, this one isn't whole. */
  readonly execution: string;
}

const version = 2;
const formats: readonly Payload["format"][] = ["columns", "clone"];

/** As bytes: version, payload format, payload. */
export function encodeStoredFlow(stored: StoredFlow): Uint8Array {
  const payload = encodeObjects([stored]);
  const bytes = new Uint8Array(2 + payload.bytes.byteLength);
  bytes.set([version, formats.indexOf(payload.format)]);
  bytes.set(new Uint8Array(payload.bytes), 2);
  return bytes;
}

/** @throws QStreamError NOT_RECOVERABLE where another version of QStream wrote it */
export function decodeStoredFlow(execution: string, bytes: Uint8Array): StoredFlow {
  const format = formats[bytes[1] ?? -1];
  if (bytes[0] !== version || format === undefined) {
    throw new QStreamError("NOT_RECOVERABLE", `execution ${execution} was started by another version of QStream`, {
      advice: "Go on with the version that it was started with, or run the flow again",
    });
  }
  return decodeObjects({ format, rows: 1, bytes: bytes.slice(2).buffer })[0] as StoredFlow;
}

/**
 * Refuses to go on with another flow.
 *
 * @param steps - fingerprint of its steps, where they are known
 * @throws QStreamError FINGERPRINT_CHANGED
 */
export function checkSameName(execution: string, stored: StoredFlow, flow: string, steps?: string): void {
  if (stored.flow === flow) return;
  const { fingerprint } = stored.plan;
  const differs = steps !== undefined && steps !== fingerprint;
  const [before, now] = differs ? [` (${fingerprint})`, ` (${steps})`] : ["", ""];
  const same = steps === fingerprint ? ", which has the same steps" : "";
  throw new QStreamError(
    "FINGERPRINT_CHANGED",
    `execution ${execution} is of flow "${stored.flow}"${before}, and this is flow "${flow}"${same}${now}`,
    {
      advice: `Go on with "${stored.flow}", which was in ${stored.module}. A flow's name is that of its module's file, with a number from the second flow on: if the file was renamed, or its flows are in another order now, undo that`,
    },
  );
}

/**
 * Refuses to go on with a flow that isn't the one that was started: tasks that are run again would not do the same.
 *
 * @param upgrade - accepts other code, for a flow of the same steps
 * @throws QStreamError FINGERPRINT_CHANGED, CODE_CHANGED
 */
export function checkSameFlow(
  execution: string,
  stored: StoredFlow,
  now: { readonly flow: string; readonly fingerprint: string; readonly codeHash: string },
  upgrade: boolean,
): void {
  const { fingerprint } = stored.plan;
  checkSameName(execution, stored, now.flow, now.fingerprint);
  if (fingerprint !== now.fingerprint) {
    throw new QStreamError(
      "FINGERPRINT_CHANGED",
      `the steps of flow "${now.flow}" were ${fingerprint} when execution ${execution} was started, and are ${now.fingerprint} now`,
      {
        advice:
          "Steps, their options or edges have changed since: take the code that it was started with, or run the flow from its start",
      },
    );
  }
  if (stored.codeHash === now.codeHash || upgrade) return;
  throw new QStreamError(
    "CODE_CHANGED",
    `the code of flow "${now.flow}" was ${stored.codeHash} when execution ${execution} was started, and is ${now.codeHash} now`,
    {
      advice:
        "Take the code that it was started with; or go on with --upgrade (upgrade: true), which works if the new code takes the old states and does the same with the inputs since",
    },
  );
}
