import { watching } from "./step-notes.ts";

/** What an exploration's own code failed with, and no actor's. */
export class OwnCodeFailed extends Error {
  readonly error: Error;

  constructor(what: string, thrown: unknown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    super(`${what} failed: ${error.message}`, { cause: error });
    this.error = error;
  }
}

/**
 * Runs code that an exploration gave, so that what it throws says which code that was.
 *
 * @throws OwnCodeFailed for whatever it throws
 */
export function ownCode<T>(what: string, code: () => T): T {
  watching.notes?.now(what);
  try {
    return code();
  } catch (thrown) {
    throw new OwnCodeFailed(what, thrown);
  }
}
