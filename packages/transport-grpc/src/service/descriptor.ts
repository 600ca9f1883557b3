/** A google.protobuf.FileDescriptorProto as the library for .proto files reads it: what is not set is absent. */
export interface FileDescriptor {
  readonly name?: string;
  readonly package?: string;
  readonly syntax?: string;
  readonly dependency?: readonly string[];
  readonly messageType?: readonly MessageDescriptor[];
  readonly enumType?: readonly EnumDescriptor[];
  readonly service?: readonly ServiceDescriptor[];
}

/** A google.protobuf.DescriptorProto. */
export interface MessageDescriptor {
  readonly name?: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
  readonly enumType?: readonly EnumDescriptor[];
  readonly oneofDecl?: readonly { readonly name?: string }[];
  readonly options?: { readonly mapEntry?: boolean };
}

/** A google.protobuf.FieldDescriptorProto. */
export interface FieldDescriptor {
  readonly name?: string;
  readonly number?: number;
  readonly label?: string;
  readonly type?: string;
  readonly typeName?: string;
  readonly defaultValue?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
  readonly options?: { readonly packed?: boolean };
}

/** A google.protobuf.EnumDescriptorProto. */
export interface EnumDescriptor {
  readonly name?: string;
  readonly value?: readonly { readonly name?: string; readonly number?: number }[];
}

/** A google.protobuf.ServiceDescriptorProto. */
export interface ServiceDescriptor {
  readonly name?: string;
  readonly method?: readonly {
    readonly name?: string;
    readonly inputType?: string;
    readonly outputType?: string;
    readonly clientStreaming?: boolean;
    readonly serverStreaming?: boolean;
    readonly options?: { readonly idempotencyLevel?: string };
  }[];
}
