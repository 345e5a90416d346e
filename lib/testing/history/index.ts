// Records what clients are told, and checks whether a system keeps its promise.
export type { Anomaly, AnomalyName, Dependency } from "./anomaly.ts";
export { checkLinearizable, type LinearizabilityReport, type LinearizabilityViolation } from "./check-linearizable.ts";
export { checkSequential, type OrderReport } from "./check-sequential.ts";
export { checkSerializable, type CheckSerializableOptions, type SerializableReport } from "./check-serializable.ts";
export type { HistoryEvent, RecordedCall } from "./events.ts";
export { History, type HistoryData, type HistoryOptions, type OpenCall } from "./history.ts";
export { keyValueModel, type KeyValueOperation, type KeyValueState } from "./key-value-model.ts";
export { unknownResult, type MaybeResult, type Model } from "./model.ts";
export type { CheckHistoryOptions } from "./options.ts";
export { queueModel, type QueueOperation } from "./queue-model.ts";
export { registerModel, type RegisterOperation } from "./register-model.ts";
export type { PlacedCall } from "./search.ts";
export type { Transaction, TransactionCall, TransactionReads, TransactionStep } from "./transaction.ts";
