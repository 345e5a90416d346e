let told: ((isChanged: boolean) => void) | undefined;

/** Has somebody be told when a history is written, or looked at: actors that write to the same one do depend on each other. */
export function tellOfHistories(listener: ((isChanged: boolean) => void) | undefined): void {
  told = listener;
}

/** A history of this thread was looked at, or is another one now. */
export function historyTouched(isChanged: boolean): void {
  told?.(isChanged);
}
