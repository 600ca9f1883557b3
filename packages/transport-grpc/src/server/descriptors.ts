/** A .proto file as reflection tells it. */
export interface DescribedFile {
  readonly name: string;
  /** Files that it imports. */
  readonly imports: readonly string[];
  /** Full names of its messages and services; what is nested begins with one of them. */
  readonly symbols: readonly string[];
  /** A google.protobuf.FileDescriptorProto, base64. */
  readonly descriptor: string;
}

/** The published files and what they import, as `protoc` compiles them; a test holds them to the files. */
export const describedFiles: readonly DescribedFile[] = [
  {
    name: "google/protobuf/empty.proto",
    imports: [],
    symbols: ["google.protobuf.Empty"],
    descriptor:
      "Chtnb29nbGUvcHJvdG9idWYvZW1wdHkucHJvdG8SD2dvb2dsZS5wcm90b2J1ZiIHCgVFbXB0eUJ2ChNjb20uZ29vZ2xlLnByb3Rv" +
      "YnVmQgpFbXB0eVByb3RvUAFaJ2dpdGh1Yi5jb20vZ29sYW5nL3Byb3RvYnVmL3B0eXBlcy9lbXB0efgBAaICA0dQQqoCHkdvb2ds" +
      "ZS5Qcm90b2J1Zi5XZWxsS25vd25UeXBlc2IGcHJvdG8z",
  },
  {
    name: "google/protobuf/any.proto",
    imports: [],
    symbols: ["google.protobuf.Any"],
    descriptor:
      "Chlnb29nbGUvcHJvdG9idWYvYW55LnByb3RvEg9nb29nbGUucHJvdG9idWYiNgoDQW55EhkKCHR5cGVfdXJsGAEgASgJUgd0eXBl" +
      "VXJsEhQKBXZhbHVlGAIgASgMUgV2YWx1ZUJvChNjb20uZ29vZ2xlLnByb3RvYnVmQghBbnlQcm90b1ABWiVnaXRodWIuY29tL2dv" +
      "bGFuZy9wcm90b2J1Zi9wdHlwZXMvYW55ogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM=",
  },
  {
    name: "google/protobuf/timestamp.proto",
    imports: [],
    symbols: ["google.protobuf.Timestamp"],
    descriptor:
      "Ch9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvEg9nb29nbGUucHJvdG9idWYiOwoJVGltZXN0YW1wEhgKB3NlY29uZHMY" +
      "ASABKANSB3NlY29uZHMSFAoFbmFub3MYAiABKAVSBW5hbm9zQn4KE2NvbS5nb29nbGUucHJvdG9idWZCDlRpbWVzdGFtcFByb3Rv" +
      "UAFaK2dpdGh1Yi5jb20vZ29sYW5nL3Byb3RvYnVmL3B0eXBlcy90aW1lc3RhbXD4AQGiAgNHUEKqAh5Hb29nbGUuUHJvdG9idWYu" +
      "V2VsbEtub3duVHlwZXNiBnByb3RvMw==",
  },
  {
    name: "parley/v1/cloudevents.proto",
    imports: ["google/protobuf/any.proto", "google/protobuf/timestamp.proto"],
    symbols: ["io.cloudevents.v1.CloudEvent", "io.cloudevents.v1.CloudEventBatch"],
    descriptor:
      "ChtwYXJsZXkvdjEvY2xvdWRldmVudHMucHJvdG8SEWlvLmNsb3VkZXZlbnRzLnYxGhlnb29nbGUvcHJvdG9idWYvYW55LnByb3Rv" +
      "Gh9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvIs8FCgpDbG91ZEV2ZW50Eg4KAmlkGAEgASgJUgJpZBIWCgZzb3VyY2UY" +
      "AiABKAlSBnNvdXJjZRIhCgxzcGVjX3ZlcnNpb24YAyABKAlSC3NwZWNWZXJzaW9uEhIKBHR5cGUYBCABKAlSBHR5cGUSTQoKYXR0" +
      "cmlidXRlcxgFIAMoCzItLmlvLmNsb3VkZXZlbnRzLnYxLkNsb3VkRXZlbnQuQXR0cmlidXRlc0VudHJ5UgphdHRyaWJ1dGVzEiEK" +
      "C2JpbmFyeV9kYXRhGAYgASgMSABSCmJpbmFyeURhdGESHQoJdGV4dF9kYXRhGAcgASgJSABSCHRleHREYXRhEjUKCnByb3RvX2Rh" +
      "dGEYCCABKAsyFC5nb29nbGUucHJvdG9idWYuQW55SABSCXByb3RvRGF0YRp1Cg9BdHRyaWJ1dGVzRW50cnkSEAoDa2V5GAEgASgJ" +
      "UgNrZXkSTAoFdmFsdWUYAiABKAsyNi5pby5jbG91ZGV2ZW50cy52MS5DbG91ZEV2ZW50LkNsb3VkRXZlbnRBdHRyaWJ1dGVWYWx1" +
      "ZVIFdmFsdWU6AjgBGpoCChhDbG91ZEV2ZW50QXR0cmlidXRlVmFsdWUSHwoKY2VfYm9vbGVhbhgBIAEoCEgAUgljZUJvb2xlYW4S" +
      "HwoKY2VfaW50ZWdlchgCIAEoBUgAUgljZUludGVnZXISHQoJY2Vfc3RyaW5nGAMgASgJSABSCGNlU3RyaW5nEhsKCGNlX2J5dGVz" +
      "GAQgASgMSABSB2NlQnl0ZXMSFwoGY2VfdXJpGAUgASgJSABSBWNlVXJpEh4KCmNlX3VyaV9yZWYYBiABKAlIAFIIY2VVcmlSZWYS" +
      "PwoMY2VfdGltZXN0YW1wGAcgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcEgAUgtjZVRpbWVzdGFtcEIGCgRhdHRyQgYK" +
      "BGRhdGEiSAoPQ2xvdWRFdmVudEJhdGNoEjUKBmV2ZW50cxgBIAMoCzIdLmlvLmNsb3VkZXZlbnRzLnYxLkNsb3VkRXZlbnRSBmV2" +
      "ZW50c0JuChdpby5jbG91ZGV2ZW50cy52MS5wcm90b1ABWhpjbG91ZGV2ZW50cy5pby9nZW5wcm90by92MaoCGkNsb3VkTmF0aXZl" +
      "LkNsb3VkRXZlbnRzLlYxygIXSW9cQ2xvdWRFdmVudHNcVjFcUHJvdG9iBnByb3RvMw==",
  },
  {
    name: "parley/v1/parley.proto",
    imports: ["google/protobuf/empty.proto", "parley/v1/cloudevents.proto"],
    symbols: ["parley.v1.Parley"],
    descriptor:
      "ChZwYXJsZXkvdjEvcGFybGV5LnByb3RvEglwYXJsZXkudjEaG2dvb2dsZS9wcm90b2J1Zi9lbXB0eS5wcm90bxobcGFybGV5L3Yx" +
      "L2Nsb3VkZXZlbnRzLnByb3RvMugECgZQYXJsZXkSPwoGTm90aWZ5Eh0uaW8uY2xvdWRldmVudHMudjEuQ2xvdWRFdmVudBoWLmdv" +
      "b2dsZS5wcm90b2J1Zi5FbXB0eRJACgdQdWJsaXNoEh0uaW8uY2xvdWRldmVudHMudjEuQ2xvdWRFdmVudBoWLmdvb2dsZS5wcm90" +
      "b2J1Zi5FbXB0eRJHCgdSZXF1ZXN0Eh0uaW8uY2xvdWRldmVudHMudjEuQ2xvdWRFdmVudBodLmlvLmNsb3VkZXZlbnRzLnYxLkNs" +
      "b3VkRXZlbnQSTgoMU2VydmVyU3RyZWFtEh0uaW8uY2xvdWRldmVudHMudjEuQ2xvdWRFdmVudBodLmlvLmNsb3VkZXZlbnRzLnYx" +
      "LkNsb3VkRXZlbnQwARJLCglTdWJzY3JpYmUSHS5pby5jbG91ZGV2ZW50cy52MS5DbG91ZEV2ZW50Gh0uaW8uY2xvdWRldmVudHMu" +
      "djEuQ2xvdWRFdmVudDABEk4KDENsaWVudFN0cmVhbRIdLmlvLmNsb3VkZXZlbnRzLnYxLkNsb3VkRXZlbnQaHS5pby5jbG91ZGV2" +
      "ZW50cy52MS5DbG91ZEV2ZW50KAESTgoKQmlkaVN0cmVhbRIdLmlvLmNsb3VkZXZlbnRzLnYxLkNsb3VkRXZlbnQaHS5pby5jbG91" +
      "ZGV2ZW50cy52MS5DbG91ZEV2ZW50KAEwARJVCgdDaGFubmVsEiIuaW8uY2xvdWRldmVudHMudjEuQ2xvdWRFdmVudEJhdGNoGiIu" +
      "aW8uY2xvdWRldmVudHMudjEuQ2xvdWRFdmVudEJhdGNoKAEwAWIGcHJvdG8z",
  },
  {
    name: "grpc/health/v1/health.proto",
    imports: [],
    symbols: ["grpc.health.v1.HealthCheckRequest", "grpc.health.v1.HealthCheckResponse", "grpc.health.v1.Health"],
    descriptor:
      "ChtncnBjL2hlYWx0aC92MS9oZWFsdGgucHJvdG8SDmdycGMuaGVhbHRoLnYxIi4KEkhlYWx0aENoZWNrUmVxdWVzdBIYCgdzZXJ2" +
      "aWNlGAEgASgJUgdzZXJ2aWNlIrEBChNIZWFsdGhDaGVja1Jlc3BvbnNlEkkKBnN0YXR1cxgBIAEoDjIxLmdycGMuaGVhbHRoLnYx" +
      "LkhlYWx0aENoZWNrUmVzcG9uc2UuU2VydmluZ1N0YXR1c1IGc3RhdHVzIk8KDVNlcnZpbmdTdGF0dXMSCwoHVU5LTk9XThAAEgsK" +
      "B1NFUlZJTkcQARIPCgtOT1RfU0VSVklORxACEhMKD1NFUlZJQ0VfVU5LTk9XThADMq4BCgZIZWFsdGgSUAoFQ2hlY2sSIi5ncnBj" +
      "LmhlYWx0aC52MS5IZWFsdGhDaGVja1JlcXVlc3QaIy5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1Jlc3BvbnNlElIKBVdhdGNo" +
      "EiIuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXF1ZXN0GiMuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXNwb25zZTAB" +
      "YgZwcm90bzM=",
  },
];
