/** Largest CloudEvents integer is 2^31 - 1: positions in a stream count modulo 2^31. */
const SEQ_MODULUS = 2 ** 31;

/** The position after another. */
export function seqAfter(seq: number): number {
  return (seq + 1) % SEQ_MODULUS;
}
