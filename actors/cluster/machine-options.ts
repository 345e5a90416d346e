import type { Compression } from "../transport/compression.ts";
import type { Bind, Security } from "../transport/wire/security.ts";
import type { MachineWorld } from "./machine-world.ts";

export interface MachineOptions {
  /** Its name: no other machine, and no other life of this one, has it. */
  readonly id: string;
  readonly slots: number;
  readonly tags: readonly string[];
  readonly host: string;
  readonly memoryBytes: number | undefined;
  /** Bytes of datasets that each slot keeps. */
  readonly datasetBytes?: number | undefined;
  /** Structured-cloneable settings of the file systems. */
  readonly files: unknown;
  readonly turnMs: number;
  /** How large parcels for other machines are packed. Default: none. */
  readonly compression?: Compression | undefined;
  readonly bind: Bind;
  readonly security: Security;
  readonly advertise?: string | undefined;
  readonly leaseMs: number;
  /** Default: that of a process. */
  readonly world?: MachineWorld | undefined;
  /** Puts this machine's own modules into code that comes as a bundle. */
  readonly settleCode: (code: string) => string;
  /** What it offers has changed. */
  readonly offers?: (() => void) | undefined;
  /** The machine can't go on: a thread of it can't be ended. */
  readonly broken: (error: Error) => void;
}
