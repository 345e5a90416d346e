import type { PayloadOf, ReplyOf } from "./actor.ts";

type IsAny<P> = 0 extends 1 & P ? true : false;

/** The names of a protocol's messages that can carry an object. */
export type NamesTaking<P, T> =
  IsAny<P> extends true
    ? string
    : { [Name in keyof P & string]: Takes<PayloadOf<P[Name]>, T> extends true ? Name : never }[keyof P & string];

type Takes<Payload, T> = Payload extends []
  ? false
  : Payload extends [payload?: infer Only]
    ? [T] extends [Only]
      ? true
      : false
    : false;

/** The names of a protocol's messages that are answered with arrays of objects, and carry nothing or how many there may be. */
export type NamesGiving<P> =
  IsAny<P> extends true
    ? string
    : {
        [Name in keyof P & string]: Asked<PayloadOf<P[Name]>> extends true
          ? Exclude<ReplyOf<P[Name]>, undefined | null | void> extends readonly unknown[]
            ? Name
            : never
          : never;
      }[keyof P & string];

type Asked<Payload> = Payload extends [payload?: infer Only]
  ? [number] extends [Only]
    ? true
    : [Only] extends [undefined]
      ? true
      : false
  : false;

/** The objects that a message is answered with. */
export type ObjectsGiven<P, Name> =
  IsAny<P> extends true ? unknown : Name extends keyof P ? ObjectIn<ReplyOf<P[Name]>> : never;

type ObjectIn<Reply> = Reply extends readonly (infer T)[] ? T : never;
