let last: Promise<unknown> = Promise.resolve();

/**
 * Does one thing after the other, in the order in which they were asked for. Code that goes on with a promise is taken for that of the actor
 * whose turn it is, of which there is one in a thread: two explorations at once would be taken for each other.
 */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => undefined);
  return result;
}
