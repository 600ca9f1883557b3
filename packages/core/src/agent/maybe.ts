/** A value that is there, or will be. What is there is used without a promise. */
export type Maybe<Value> = Value | Promise<Value>;

/** Whether the value has to be waited for. */
export function isPromise<Value>(value: Maybe<Value>): value is Promise<Value> {
  return typeof (value as Partial<Promise<Value>> | null | undefined)?.then === "function";
}

/** Goes on with a value: at once if it is there. */
export function andThen<Value, Next>(value: Maybe<Value>, next: (value: Value) => Maybe<Next>): Maybe<Next> {
  return isPromise(value) ? value.then(next) : next(value);
}
