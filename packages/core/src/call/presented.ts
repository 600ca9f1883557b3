/**
 * What a caller showed on this hop to prove who it is, as it came. Gives its values to whoever asks by name; whoever prints it sees none, and
 * it is never sent on.
 */
export interface Presented {
  /** All values of a header, or of gRPC metadata, by its name in lower case: none where it was not sent, several where it was sent twice. */
  header(name: string): readonly string[];
}
