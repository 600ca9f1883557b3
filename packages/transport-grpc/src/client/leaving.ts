import { CallCredentials, Metadata } from "@grpc/grpc-js";

const NONE = new Metadata();

/**
 * Credentials of a call that prove nothing and tell when it leaves: gRPC asks a call for its credentials once there is a connection for it, and
 * has sent nothing of it before. Told again when the connection is lost in between.
 */
export function whenLeaving(leaving: () => void): CallCredentials {
  return CallCredentials.createFromMetadataGenerator((_call, proceed) => {
    leaving();
    proceed(null, NONE);
  });
}

/** Credentials of a call that is never sent: those are told when it could have been. */
export function neverLeaving(couldLeave: () => void): CallCredentials {
  return CallCredentials.createFromMetadataGenerator(() => couldLeave());
}
