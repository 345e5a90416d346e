/** A handle on an actor: messages are handled one at a time, in order; a promise holds the next one back. */
export interface ActorReference<in Message> {
  readonly name: string;
  tell: (message: Message) => void;
  /** No message is handled after this; one that is being handled ends first. */
  stop: () => void;
}

export interface ActorBehavior<in Message> {
  readonly receive: (message: Message) => void | Promise<void>;
  /** A handler threw: the actor is stopped, what it hadn't handled is lost. */
  readonly crashed: (error: unknown) => void;
}

/** Runs actors and takes turns between them. Channels, the scheduler and the lineage actor are hosted by one of these. */
export interface ActorHost {
  spawn: <Message>(name: string, behavior: ActorBehavior<Message>) => ActorReference<Message>;
  /** Messages that nobody handled: sent to actors that had stopped, or waiting when theirs stopped or crashed. */
  readonly deadLetters: number;
  close: () => void;
}
