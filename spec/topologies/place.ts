import type { FlowSession } from "../../lib/index.ts";
import type { S3Server } from "../kit/s3-server.ts";

/** Where flows are run, and what is kept warm for it. */
export interface Place {
  readonly name: string;
  session: () => Promise<FlowSession>;
  close: () => Promise<void>;
}

/** The place where specs of all topologies are run instead, set by a spec that imports them. */
export const place: { only?: OnlyPlace } = {};

export interface OnlyPlace extends Place {
  /** How often each property is tried. */
  readonly runs: number;
  /** Milliseconds of each test. */
  readonly timeoutMs: number;
  /** False where it can't be had on this machine. */
  readonly isThere: () => Promise<boolean>;
  /** The S3 server that it knows. */
  readonly s3: () => Promise<S3Server>;
}
