import { errorToData, QStreamError } from "../core/errors.ts";
import type { ActorsClientEnd, SessionStart } from "../flow/session-contract.ts";
import type { FromClient, ToClient } from "./protocol.ts";

const answerCharactersMax = 1 << 20;

/** Systems of actors that were started by a session of a cluster: their clients' nodes are in this process. */
export class ActorsEnds {
  readonly #tell: (message: FromClient) => void;
  readonly #ends = new Map<string, ActorsClientEnd>();

  constructor(tell: (message: FromClient) => void) {
    this.#tell = tell;
  }

  /** An execution was submitted: where it is a system of actors, what its driver says is heard from now on. */
  open(execution: string, relayed: SessionStart["relayed"]): void {
    const end = relayed?.((content) => this.#tell({ kind: "actors", execution, content }));
    if (end !== undefined) this.#ends.set(execution, end);
  }

  told(message: Extract<ToClient, { readonly kind: "actors" | "view" }>): void {
    const end = this.#ends.get(message.execution);
    if (message.kind === "actors") end?.told(message.content);
    else void this.#view(end, message);
  }

  over(execution: string, error: Error): void {
    const end = this.#ends.get(execution);
    this.#ends.delete(execution);
    end?.broken(error);
  }

  /** The connection broke: what was said meanwhile is lost. */
  broken(error: Error): void {
    for (const execution of this.#ends.keys()) this.over(execution, error);
  }

  /** Somebody looks at a system. */
  async #view(
    end: ActorsClientEnd | undefined,
    { view, request, execution }: Extract<ToClient, { readonly kind: "view" }>,
  ): Promise<void> {
    try {
      if (end?.view === undefined) throw notAttachable(execution);
      const answer = JSON.stringify((await end.view(JSON.parse(request))) ?? null);
      if (answer.length > answerCharactersMax) {
        throw new QStreamError("LIMIT_EXCEEDED", `the answer has ${answer.length} characters`);
      }
      this.#tell({ kind: "viewed", view, answer });
    } catch (error) {
      this.#tell({ kind: "viewed", view, error: errorToData(error) });
    }
  }
}

function notAttachable(execution: string): QStreamError {
  return new QStreamError("UNSUPPORTED", `${execution} lets nobody look at it`, {
    advice: "Start it with `attachable: true`",
  });
}
