/** Who has subscribed to which subject. */
export class Subscribers<Subscriber> {
  readonly #bySubject = new Map<string | undefined, Set<Subscriber>>();

  add(subject: string | undefined, subscriber: Subscriber): void {
    const present = this.#bySubject.get(subject);
    if (present) present.add(subscriber);
    else this.#bySubject.set(subject, new Set([subscriber]));
  }

  of(subject: string | undefined): Iterable<Subscriber> {
    return this.#bySubject.get(subject) ?? [];
  }

  /** It has gone. */
  delete(subscriber: Subscriber): void {
    for (const subscribers of this.#bySubject.values()) subscribers.delete(subscriber);
  }
}
