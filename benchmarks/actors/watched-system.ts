import { actor, startActors, type ActorSystem, type AnyReference, type SpawnOptions } from "qstream";
import type { Actors } from "../savina/program.ts";

/** Watches what it is told to, as who depends on others does. */
const guard = actor({
  kind: "guard",
  init: () => ({ ended: 0 }),
  receive: {
    watch(_state, reference: AnyReference, ctx) {
      ctx.watch(reference);
    },
    ended: ({ ended }) => ended,
  },
  watched(state) {
    state.ended++;
  },
});

const supervise = [{ on: RangeError, do: "stop" }, { do: "restart" }] as const;

/** Runs a program on a new system: what it starts is supervised by rules and watched, and nothing of it may be lost. */
export async function runWatched<Result>(run: (system: Actors) => Promise<Result>): Promise<Result> {
  await using system = startActors();
  const result = await run(watchedSystem(system));
  const { failed, deadLetters, handled } = system.metrics();
  if (failed + deadLetters > 0 || handled === 0) throw new Error(`${failed} failures, ${deadLetters} dead letters`);
  return result;
}

function watchedSystem(system: ActorSystem): Actors {
  const watching = system.spawn(guard);
  const spawn: Actors["spawn"] = (definition, ...rest) => {
    const [args, options] = rest as unknown as [never, SpawnOptions?];
    const reference = system.spawn(definition, ...([args, { ...options, supervise }] as unknown as typeof rest));
    watching.tell("watch", reference);
    return reference;
  };
  return { spawn };
}
