/** What scenarios have asked for that is out of the suite's reach, at a server which is the user's own. */
export class Reach {
  /** The first of it since {@link begin}. */
  missed: string | undefined;

  /** A scenario begins. */
  begin(): void {
    this.missed = undefined;
  }

  /** Notes what is out of reach, and gives what to fail with. */
  miss(what: string): Error {
    this.missed ??= what;
    return new Error(what);
  }
}
