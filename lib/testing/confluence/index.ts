// Looks for orders in which an operator gives something else than it declares.
export { checkConfluence, type CheckConfluenceOptions, type InputsToCheck } from "./check-confluence.ts";
export { checkFlow, flowCode, operatorOf, type CheckedStep, type CheckFlowOptions } from "./check-flow.ts";
export type { ConfluenceReport, CounterExample } from "./checking.ts";
export type { Variation } from "./draw-order.ts";
export type { Order, OrderOutcome, OrderStep, OperatorToCheck } from "./order.ts";
export type { SpecCode } from "./print-spec.ts";
export { runInOrder } from "./run-order.ts";
