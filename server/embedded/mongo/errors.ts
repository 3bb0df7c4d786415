/**
 * The errors this server answers with: MongoDB's own numbers and names, so that a driver reacts as it
 * would to the real thing. `MongoFault` is the only error that carries an answer for the client; any
 * other exception is a bug or a broken disk and is answered as InternalError without its details.
 */
export const CODES = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  IllegalOperation: 20,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  NotSingleValueField: 54,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  OperationFailed: 96,
  CommandNotSupported: 115,
  InvalidPipelineOperator: 168,
  CannotIndexParallelArrays: 171,
  QueryPlanKilled: 175,
  Location15952: 15952,
  Location15983: 15983,
  Location15998: 15998,
  Location16872: 16872,
  Location17124: 17124,
  Location28818: 28818,
  Location31253: 31253,
  Location31254: 31254,
  Location31368: 31368,
  Location31373: 31373,
  Location40323: 40323,
  Location40400: 40400,
  Location40324: 40324,
  Location40414: 40414,
  Location40415: 40415,
  Location51091: 51091,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
  OutOfDiskSpace: 14031,
} as const;

export type CodeName = keyof typeof CODES;

export class MongoFault extends Error {
  readonly codeName: CodeName;
  readonly code: number;
  /** Further fields of the answer, e.g. `keyPattern` and `keyValue` of a duplicate key. */
  readonly details: Record<string, unknown>;

  constructor(codeName: CodeName, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = 'MongoFault';
    this.codeName = codeName;
    this.code = CODES[codeName];
    this.details = details;
  }
}
