/** The answer of a cursor, put together around documents' stored bytes: they are not decoded and encoded again. */

const element = (type: number, name: string): Buffer =>
  Buffer.concat([Buffer.from([type]), Buffer.from(name), Buffer.from([0])]);

function documentOf(parts: readonly Uint8Array[]): Buffer {
  const length = 5 + parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(4);
  head.writeInt32LE(length);
  return Buffer.concat([head, ...parts, Buffer.from([0])]);
}

export interface CursorAnswer {
  readonly id: number;
  readonly namespace: string;
  readonly batchName: 'firstBatch' | 'nextBatch';
  readonly documents: readonly Uint8Array[];
}

export function cursorReply(answer: CursorAnswer): Uint8Array {
  const items: Uint8Array[] = [];
  for (const [at, bytes] of answer.documents.entries()) items.push(element(3, String(at)), bytes);
  const id = Buffer.alloc(8);
  id.writeBigInt64LE(BigInt(answer.id));
  const namespace = Buffer.from(`${answer.namespace}\0`);
  const namespaceLength = Buffer.alloc(4);
  namespaceLength.writeInt32LE(namespace.length);
  const ok = Buffer.alloc(8);
  ok.writeDoubleLE(1);
  const cursor = documentOf([
    element(4, answer.batchName),
    documentOf(items),
    element(18, 'id'),
    id,
    element(2, 'ns'),
    namespaceLength,
    namespace,
  ]);
  return documentOf([element(3, 'cursor'), cursor, element(1, 'ok'), ok]);
}
