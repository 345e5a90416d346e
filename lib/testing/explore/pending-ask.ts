import type { Cell } from "../../../actors/system/cell.ts";
import type { ReplyTo } from "../../../actors/system/envelope.ts";
import type { ExploredNode } from "./explored-node.ts";
import type { World } from "./world.ts";

interface Settling {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A question that an actor, or somebody outside, waits for. What it is answered with reaches the asker's code in a step of its own. */
export class PendingAsk implements ReplyTo {
  isOver = false;
  readonly asker: Cell | undefined;
  /** What was asked of whom, for errors and pictures. */
  readonly what: string;
  /** The life that was asked; its loss ends the question. */
  readonly targetLife: number;
  readonly #world: World;
  readonly #node: ExploredNode;
  readonly #settling: Settling;
  cancelTimeout: (() => void) | undefined;
  forgetSignal: (() => void) | undefined;

  constructor(
    world: World,
    node: ExploredNode,
    about: { readonly asker: Cell | undefined; readonly what: string; readonly targetLife: number },
    settling: Settling,
  ) {
    this.#world = world;
    this.#node = node;
    this.#settling = settling;
    this.asker = about.asker;
    this.what = about.what;
    this.targetLife = about.targetLife;
    node.machine.asks.add(this);
  }

  answer(value: unknown): void {
    this.#settle(() => this.#settling.resolve(value), value);
  }

  refuse(error: Error): void {
    this.#settle(() => this.#settling.reject(error), error);
  }

  #settle(settle: () => void, value: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.cancelTimeout?.();
    this.forgetSignal?.();
    this.#node.machine.asks.delete(this);
    if (!this.#node.isDead) this.#world.resume({ asker: this.asker, settle, what: this.what, value });
  }
}
