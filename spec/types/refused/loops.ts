// What must not compile: loops.
import { hash, type LastRound, type LoopOperator } from "qstream";
import { Loop } from "../accepted/loops.ts";
import { acorns, leaves, q } from "../shared.ts";

const way = { feedback: hash("to") } as const;

// @ts-expect-error: the input is missing
export const a1 = q.iterate("a", {}, () => new Loop(), way);
// @ts-expect-error: an input of another name
export const a2 = q.iterate("a", { begin: leaves }, () => new Loop(), way);
// @ts-expect-error: a stream of other objects
export const a3 = q.iterate("a", { start: acorns }, () => new Loop(), way);
// @ts-expect-error: what is fed back isn't given from outside
export const a4 = q.iterate("a", { start: leaves, feedback: leaves }, () => new Loop(), way);
// @ts-expect-error: feedback is missing
export const a5 = q.iterate("a", { start: leaves }, () => new Loop(), { rounds: 3 });
// @ts-expect-error: what is fed back has no such property
export const a6 = q.iterate("a", { start: leaves }, () => new Loop(), { feedback: hash("tree") });
// @ts-expect-error: nor has it for a function
export const a7 = q.iterate("a", { start: leaves }, () => new Loop(), { feedback: hash((message) => message.tree) });
// @ts-expect-error: the functions on the edge make something else of it
export const a8 = q.iterate("a", { start: leaves }, () => new Loop(), { feedback: (fed) => fed.map("n", ({ label }) => label) });
// @ts-expect-error: a vote is a number
export const a9 = q.iterate("a", { start: leaves }, () => new Loop(), { ...way, until: ({ vote }) => vote === "all" });
// @ts-expect-error: rounds are a number, or false
export const a10 = q.iterate("a", { start: leaves }, () => new Loop(), { ...way, rounds: true });
// @ts-expect-error: only inputs have stages
export const a11 = q.iterate("a", { start: leaves }, () => new Loop(), { ...way, stages: { feedback: 1 } });
// @ts-expect-error: nothing comes back to an operator without that input
export const a13 = q.iterate("a", { start: leaves }, () => ({ execute() {}, round() {} }), way);
// @ts-expect-error: the vote is a number here, too
export const a14: LoopOperator<{ start: string }, string, never, number> = { execute() {}, done: ({ before }: LastRound<string>) => [before.vote ?? ""] };
// @ts-expect-error: an operator of a loop isn't one of apply
export const a12 = q.apply("a", { start: leaves }, () => new Loop());
