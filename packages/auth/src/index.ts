export type { Access, AccessRule } from "./access-rule.ts";
export { type ApiKeysOptions, apiKeys, type FindKey, type KnownKey } from "./api-keys.ts";
export { type AuthenticateOptions, authenticate } from "./authenticate.ts";
export { type AuthorizeOptions, authorize } from "./authorize.ts";
export { basicAuth, type CheckPassword, type KnownUser } from "./basic-auth.ts";
export { type Identity, identityOf } from "./identity.ts";
export { type Claims, type JwtOptions, jwt } from "./jwt.ts";
export type { Refusal, Verifier } from "./verifier.ts";
export { brokerSender, clientCertificate, type ParentProcessOptions, parentProcess } from "./wire-identity.ts";
