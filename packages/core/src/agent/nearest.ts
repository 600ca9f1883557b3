/** Those of the names that somebody who wrote `name` may have meant: the closest first, at most three, none that is far off. */
export function nearest(name: string, names: Iterable<string>): readonly string[] {
  const wanted = name.slice(0, MAX_CHARS);
  const farthest = Math.max(2, Math.floor(wanted.length / 3));
  return [...names]
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate.slice(0, MAX_CHARS)) }))
    .filter(({ distance }) => distance <= farthest)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

const MAX_CHARS = 64;

/** Levenshtein's distance, by one row of the table. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1);
    }
    row = next;
  }
  return row[to.length] as number;
}
