import { homeOf } from "../lib/core/actor-home.ts";
import type { ActorReference, AnyReference } from "../lib/core/contracts/actor.ts";
import type { NamesGiving, ObjectsGiven } from "../lib/core/contracts/message-names.ts";
import { run, type Reader, type Run } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import { askPatiently } from "../lib/core/patient-ask.ts";
import { delay, systemClock } from "../lib/core/seam/clock.ts";
import { checkNumber } from "./live/check-number.ts";
import { closable, throwIfAborted } from "./live/closable.ts";

/** Options of `fromActor`. */
export interface FromActorOptions {
  /** How many objects are asked for at once: the message's payload. Default 1,000. */
  readonly most?: number;
  /** Milliseconds before the actor is asked again that had no object. Default 50. */
  readonly pauseMs?: number;
  /** Milliseconds in which a message has to be answered. Default 30,000. */
  readonly timeoutMs?: number;
  /** True if the actors may never say that there are no more. Default false. */
  readonly endless?: boolean;
}

/** One who asks. */
export interface FromActorSplit {
  readonly asker: number;
}

/** The names of its options. */
export const fromActorOptionNames: readonly string[] = namesOf<FromActorOptions>({
  most: true,
  pauseMs: true,
  timeoutMs: true,
  endless: true,
});

/**
 * Reads what an actor gives when it is asked. It is asked for up to `most` objects when the flow wants more, and not before, which
 * holds it back. It answers with an array; an empty one means that it has none now: it is asked again after a pause; `undefined`
 * means that there are no more. An answer that comes later (`ctx.deferred()`) saves the pauses.
 *
 * What was given can't be asked for again: it is kept durably before anybody gets it. What is on its way when the reader's slot is
 * lost, or when the flow is stopped, is lost.
 *
 * @param actors - a reference, which each channel asks; or several, dealt to the channels: one that has several asks the next once the
 * one before has no more. `q.fromActor` makes a channel for each, `q.read` one for all unless it is told `channels`. Passed to the flow
 * as an argument
 * @param name - of the message that asks; its payload is `most`
 * @returns a reader of the objects in the answers
 * @throws QStreamError OPTION_INVALID, also where actors are `endless` and more than there are channels; while it runs, BAD_INPUT for an answer that is no array, what the actor threw, or
 * ACTOR_STOPPED, ASK_TIMEOUT, MESSAGE_UNHANDLED, ACTOR_UNREACHABLE
 * @example
 * q.read("orders", fromActor(args.shop, "next", { most: 100 }));
 */
export function fromActor<P, Name extends NamesGiving<P>>(
  actors: ActorReference<P> | readonly ActorReference<P>[],
  name: Name,
  options: FromActorOptions = {},
): Reader<ObjectsGiven<P, Name>, FromActorSplit> {
  checkOptionNames("fromActor()", options, fromActorOptionNames);
  const { most = 1000, pauseMs = 50, timeoutMs = 30_000, endless = false } = options;
  checkNumber("most", most, 1);
  checkNumber("pauseMs", pauseMs, 1);
  if (!(timeoutMs > 0)) checkNumber("timeoutMs", timeoutMs, 1);
  const asked = (Array.isArray(actors) ? actors : [actors]) as readonly AnyReference[];
  const [home] = asked.map((reference) => homeOf("fromActor()", reference));
  if (home === undefined) {
    throw new QStreamError("OPTION_INVALID", "fromActor() got an empty list of references", {
      advice: "Give it at least one",
    });
  }
  return {
    kind: "actor",
    options: { message: name, actors: asked.length, most, pauseMs, timeoutMs },
    replayable: false,
    endless,
    parallelism: home.reach === "thread" ? "client" : "single",
    splits: ({ channels }) => {
      if (endless && asked.length > channels) throw neverAsked(asked.length, channels);
      return Array.from({ length: Math.max(channels, asked.length) }, (_, asker) => ({ asker }));
    },
    read: ({ asker }, ctx) => {
      const to = asked[asker % asked.length] as AnyReference;
      return closable(ctx.signal, (signal) =>
        answersOf<ObjectsGiven<P, Name>>({ to, name, most, pauseMs, timeoutMs, signal }),
      );
    },
  };
}

interface Asking {
  readonly to: AnyReference;
  readonly name: string;
  readonly most: number;
  readonly pauseMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function* answersOf<T>(asking: Asking): AsyncGenerator<Run<T>, void> {
  const { to, name, most, pauseMs, timeoutMs, signal } = asking;
  for (;;) {
    throwIfAborted(signal);
    // oxlint-disable-next-line no-await-in-loop -- one answer after the other
    const answer = await askPatiently(to, { name, payload: most, timeoutMs, signal }).catch((error: unknown) => {
      throwIfAborted(signal);
      throw notGiven(error, asking);
    });
    if (answer === undefined || answer === null) return;
    if (!Array.isArray(answer)) throw noArray(answer, asking);
    if (answer.length > 0) yield run(answer as readonly T[]);
    // oxlint-disable-next-line no-await-in-loop -- the pause between two questions
    else await delay(systemClock, pauseMs, signal);
  }
}

function notGiven(error: unknown, { to, name }: Asking): QStreamError {
  if (!(error instanceof QStreamError)) {
    const why = error instanceof Error ? error.message : String(error);
    return new QStreamError("STEP_FAILED", `${to.label} failed at "${name}": ${why}`, { cause: error });
  }
  const ended = error.code === "ACTOR_STOPPED";
  return new QStreamError(error.code, `${to.label} didn't answer "${name}": ${error.message}`, {
    ...(ended
      ? { advice: "An actor that has no more objects answers undefined, and lives until the flow has heard that" }
      : {}),
    cause: error,
  });
}

function neverAsked(actors: number, channels: number): QStreamError {
  const what = `fromActor() got ${actors} actors that are endless for ${channels} channel${channels === 1 ? "" : "s"}`;
  return new QStreamError("OPTION_INVALID", `${what}: some would never be asked`, {
    advice: `Read them by q.fromActor, or set channels: ${actors}`,
  });
}

function noArray(answer: unknown, { to, name }: Asking): QStreamError {
  return new QStreamError("BAD_INPUT", `${to.label} answered "${name}" with a ${typeof answer}, which is no array`, {
    advice: "Answer with an array of objects: an empty one if there are none now, undefined if there are no more",
  });
}
