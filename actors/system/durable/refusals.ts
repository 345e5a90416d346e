import { QStreamError } from "../../../lib/core/errors.ts";

/** What a durable actor can't do: a replay of its log couldn't do it again. */
export function notDurable(label: string, what: string, advice: string): QStreamError {
  return new QStreamError("ACTOR_INVALID", `${label}, which is durable, ${what}`, { advice });
}

export function noTransition(label: string, method: string): QStreamError {
  return notDurable(label, `calls ctx.${method}() while it handles nothing`, "Call it in a handler or in `init`");
}

export function asyncHandler(label: string, name: string): QStreamError {
  return notDurable(
    label,
    `has an asynchronous handler for "${name}"`,
    "Let an actor that isn't durable wait, and send this one a message with what came of it",
  );
}

/** Somebody else has the actor now. */
export function fenced(label: string): QStreamError {
  return new QStreamError(
    "ACTOR_FENCED",
    `${label} is kept by another slot or process now: what it did here since is void`,
    {
      advice: "Ask again, which reaches it where it is; have one system of actors alone use a store, or a cluster",
    },
  );
}

export function migrationMissing(label: string, from: number, to: number): QStreamError {
  return new QStreamError(
    "MIGRATION_MISSING",
    `the state of ${label} is of version ${from}, its definition of version ${to}`,
    {
      advice:
        from > to
          ? "An earlier version of the program can't read it: start the later one"
          : "Give its definition what makes one of the other: durable: { version, migrate(state, from) {} }",
    },
  );
}

export function migrationGaveNone(label: string, from: number, given: string): QStreamError {
  return new QStreamError(
    "MIGRATION_MISSING",
    `\`migrate\` of ${label} gave ${given} for its state of version ${from}`,
    {
      advice: "Have it return the new state at once, also where it changes what it is given; the store is as it was",
    },
  );
}

export function snapshotTooLarge(label: string, bytes: number): QStreamError {
  return new QStreamError(
    "LIMIT_EXCEEDED",
    `the state of ${label} takes ${bytes} bytes, and snapshots have 64 MiB at most`,
    {
      advice: "Its log grows until the state is smaller: spread what it keeps over more actors",
    },
  );
}

export function replayDiffers(label: string, seq: number, what: string, cause?: unknown): QStreamError {
  return new QStreamError("NOT_RECOVERABLE", `${label} can't be brought back: ${what} (transition ${seq})`, {
    advice:
      "Handlers have to do the same again: take time and chance from the context; stop a system with close() before its handlers change",
    ...(cause === undefined ? {} : { cause }),
  });
}
