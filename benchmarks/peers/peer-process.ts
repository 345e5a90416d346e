import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** One end of a peer in a process of its own: it is asked by a message, and answers by one. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  constructor(module: URL, role: string) {
    this.#child = fork(module, [role], { execArgv: [] });
    this.#ended = once(this.#child, "exit").then(([code]) => {
      throw new Error(`the peer's process ended with code ${String(code)}`);
    });
    this.#ended.catch(() => {});
  }

  /** Sends a message and waits for the next one that comes. */
  async ask<R>(message: object): Promise<R> {
    const answer = this.answer<R>();
    this.tell(message);
    return answer;
  }

  tell(message: object): void {
    this.#child.send(message);
  }

  async answer<R>(): Promise<R> {
    const [answer] = (await Promise.race([once(this.#child, "message"), this.#ended])) as [R];
    return answer;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

/** In the process of an end: takes messages, and sends what it answers to one. An error ends the process. */
export function takeMessages<M>(take: (message: M) => Promise<object | undefined>): void {
  process.on("message", (message) => {
    take(message as M).then(
      (answer) => answer === undefined || process.send?.(answer),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
