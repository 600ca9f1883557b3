/** Numbers of items and calls are CloudEvents integers: they count modulo 2^31. */
const MODULUS = 2 ** 31;

/** The number `steps` after `seq`. */
export function nextSeq(seq: number, steps = 1): number {
  return (seq + steps) % MODULUS;
}

/** Whether `number` comes after `other` on the circle, by less than half of it. */
export function isAfter(number: number, other: number): boolean {
  const distance = (number - other + MODULUS) % MODULUS;
  return distance > 0 && distance < MODULUS / 2;
}
