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
  #isOver = false;

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
    this.#touched(false);
  }

  answer(value: unknown): void {
    this.#settle(() => this.#settling.resolve(value), value);
  }

  refuse(error: Error): void {
    this.#settle(() => this.#settling.reject(error), error);
  }

  /** Whoever handles the question looks whether somebody still waits. */
  get isOver(): boolean {
    this.#touched(false);
    return this.#isOver;
  }

  /** Whether it is answered, over, or handled first matters; and whether the loss of who was asked is known before. */
  #touched(isSettled: boolean): void {
    const { medium } = this.#world;
    medium.touched?.(`questions of ${this.asker?.label ?? "outside"} of ${this.#node.life}`, isSettled);
    medium.touched?.(`life ${this.targetLife}`, false);
  }

  #settle(settle: () => void, value: unknown): void {
    this.#touched(true);
    if (this.#isOver) return;
    this.#isOver = true;
    this.cancelTimeout?.();
    this.forgetSignal?.();
    this.#node.machine.asks.delete(this);
    if (!this.#node.isDead) this.#world.resume({ asker: this.asker, settle, what: this.what, value });
  }
}
