/**
 * Tells an iterator that nobody reads on. A generator that waits gets to it when it goes on; what it makes of it, well-behaved or not, is nobody's
 * concern any more.
 */
export function leave(iterator: { return?(): unknown }): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {
    // As above.
  }
}
