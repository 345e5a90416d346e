import type { ClusterOptions } from "../cluster/cluster-session.ts";
import { cluster } from "../cluster/open-cluster.ts";
import { delay, systemClock } from "../core/seam/clock.ts";
import { asCommand } from "./as-command.ts";
import { clientOptions, parseCluster } from "./cluster-options.ts";
import { ClusterView } from "./display/cluster-view.ts";
import { onInterrupt } from "./interrupt.ts";
import { parseWords } from "./parse-words.ts";

const everyMs = 1000;

/** `qstream top`. Returns the exit code: 130 and the like for the signal that ended it, 1 the head is gone, 2 the command was wrong. */
export function topCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "top",
    () => parse(words),
    async (options) => {
      const interrupt = onInterrupt(() => {});
      try {
        await watch(options, interrupt.signal);
        return 0;
      } catch (error) {
        if (interrupt.exitCode === undefined) throw error;
        // Ctrl-C is how one leaves it.
        return interrupt.exitCode === 130 ? 0 : interrupt.exitCode;
      } finally {
        interrupt.forget();
      }
    },
  );
}

function parse(words: readonly string[]): ClusterOptions | undefined {
  const { values } = parseWords({
    args: [...words],
    options: { help: { type: "boolean", short: "h" }, ...clientOptions },
  });
  return values.help === true ? undefined : parseCluster(values);
}

/** Draws until the signal aborts, which it throws. */
async function watch(options: ClusterOptions, signal: AbortSignal): Promise<void> {
  await using session = await cluster(options);
  const view = new ClusterView(process.stdout);
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    view.show(await session.list(), systemClock.monotonic());
    // oxlint-disable-next-line no-await-in-loop -- see above
    await delay(systemClock, everyMs, signal);
  }
}
