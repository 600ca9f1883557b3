/** A seeded source of numbers: the same seed gives the same sequence on every machine. Not for secrets. */
export interface Random {
  /** From 0 up to, and without, `below`. */
  int(below: number): number;
  bytes(length: number): Uint8Array;
  /** Lower-case hexadecimal digits. */
  hex(length: number): string;
  pick<Value>(values: readonly Value[]): Value;
}

/** Makes a source from words such as the run's seed and a scenario's id (FNV-1a into mulberry32). */
export function randomFrom(...words: readonly string[]): Random {
  let state = hash(words.join("\n"));
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const int = (below: number): number => Math.floor((next() / 2 ** 32) * below);
  return {
    int,
    bytes: (length) => Uint8Array.from({ length }, () => int(256)),
    hex: (length) => Array.from({ length }, () => int(16).toString(16)).join(""),
    pick: (values) => {
      const value = values[int(values.length)];
      if (value === undefined) throw new RangeError("pick needs at least one value");
      return value;
    },
  };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
