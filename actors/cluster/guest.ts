/** An execution that has something to do with this machine. */
export interface Guest {
  readonly driver: string;
  /** How many drivers the execution has had, with this one. */
  readonly number: number;
  /** Fulfilled with the URL of its code on this machine, once its lineage can be written, too. */
  readonly code: Promise<string>;
  readonly isLogged: boolean;
  /** It has something to do here. */
  isServed: boolean;
  /** It is done: what it has left in the slots is its client's. */
  isReleased: boolean;
  /** Records that its driver knows of. */
  recordsTold: number;
}
