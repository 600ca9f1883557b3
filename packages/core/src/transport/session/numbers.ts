/** CloudEvents integers count so far. */
const MODULUS = 2 ** 31;

/** Numbers that rise by one and begin again with 0 when the circle is complete. */
export class Numbers {
  readonly #modulus: number;

  /** @param modulus how many there are; both sides of a session have the same */
  constructor(modulus: number = MODULUS) {
    this.#modulus = modulus;
  }

  /** The number after `number`. */
  next(number: number): number {
    return number + 1 === this.#modulus ? 0 : number + 1;
  }

  /** How many steps up lead from one to the other. */
  steps(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#modulus;
  }

  /** Whether `number` comes after `other` by less than half the circle. */
  isAfter(number: number, other: number): boolean {
    const steps = this.steps(other, number);
    return steps > 0 && steps * 2 < this.#modulus;
  }
}
